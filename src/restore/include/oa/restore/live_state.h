// What a plan needs to know of the tenant as it is now.
#pragma once

#include "oa/catalog/repositories.h"
#include "oa/objects/sealed_objects.h"
#include "oa/restore/contents.h"

namespace oa::restore {

struct LiveDataset {
  catalog::Dataset record;
  std::optional<Blake2bDigest> rows_digest;  // only where the archive has rows of the same size
};

/// Plain data; equal states give equal digests.
struct LiveState {
  TenantId tenant_id;
  std::map<WorkspaceId, catalog::Workspace> workspaces;
  std::map<DatasetId, LiveDataset> datasets;                  // all of the tenant
  std::map<ReportId, catalog::Report> reports;                // those that the contents name
  std::map<AlertId, catalog::Alert> alerts;                   // those that the contents name
  std::map<WorkspaceId, std::set<std::string>> report_names;  // where a fork may land
  std::map<UserId, catalog::User> users;
  std::map<TeamId, catalog::Team> teams;
  std::set<std::string> secret_names;
};

Result<LiveState> read_live_state(catalog::TenantTransaction& transaction, SealedObjects& objects,
                                  const Contents& contents);

/// Over everything that make_plan() looks at.
std::string state_digest(const LiveState& state);

}  // namespace oa::restore
