// The portable JSON form of records, as it stands in archives (docs/format.md, "Entries").
// Canonical: equal records give equal bytes, so a digest of the form proves equality.
#pragma once

#include "oa/catalog/records.h"

namespace oa::catalog {

/// workspaces/<id>/metadata.json: the workspace with the users and teams that hold a role in it, that
/// a report of it is shared with or that made a dataset of it, and its datasets' records (without
/// model text and rows).
struct WorkspaceDocument {
  Workspace workspace;
  std::vector<User> users;        // ascending by id
  std::vector<Team> teams;        // ascending by id
  std::vector<Dataset> datasets;  // ascending by id; model_yaml empty, rows unset
};

std::string to_portable(const WorkspaceDocument& document);
std::string to_portable(const Report& report);
std::string to_portable(const Alert& alert);
/// Strict: unknown members, wrong types, out-of-range sizes are kInvalidArgument with the member's
/// path. A document of an older version of the format goes through archive::migrated() first.
Result<WorkspaceDocument> workspace_from_portable(std::string_view text);
Result<Report> report_from_portable(std::string_view text);
Result<Alert> alert_from_portable(std::string_view text);

/// The manifest's `tenant` member: name, plan, users and teams of no workspace.
struct TenantDocument {
  std::string name;
  Plan plan = Plan::kStarter;
  std::vector<User> users;
  std::vector<Team> teams;
};
JsonText to_portable(const TenantDocument& document);
Result<TenantDocument> tenant_from_portable(const JsonText& document);

/// BLAKE2b-512 of the portable form: equal exactly when everything an archive carries of the asset
/// is equal.
Blake2bDigest content_digest(const Report& report);
Blake2bDigest content_digest(const Alert& alert);
/// Of record and model text; rows are proven by the digest of their Parquet.
Blake2bDigest content_digest(const Dataset& dataset);

/// Replaces every UUID in `text` (canonical JSON) that is a key of `map` by its value, in strings
/// and names of members, also as a word within one, as in a link.
JsonText rewrite_ids(const JsonText& text, const std::map<Uuid, Uuid>& map);

}  // namespace oa::catalog
