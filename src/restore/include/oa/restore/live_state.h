// What a plan needs to know of the tenant as it is now.
#pragma once

#include "oa/catalog/repositories.h"
#include "oa/objects/sealed_objects.h"
#include "oa/restore/contents.h"
#include "oa/restore/erased_people.h"

namespace oa::restore {

struct LiveDataset {
  catalog::Dataset record;                   // without its model text
  AssetDigest digest{};                      // with it
  std::optional<Blake2bDigest> rows_digest;  // only where the archive has rows of the same size
  bool operator==(const LiveDataset&) const = default;
};

/// What a plan is made for: whose reports, alerts and rows to look at.
struct Interest {
  std::set<ReportId> reports;
  std::set<AlertId> alerts;
  std::map<DatasetId, std::uint64_t> rows;  // of archived rows the size
  std::set<WorkspaceId> names;              // where names can clash
  std::set<DatasetId> removals;             // to know who else needs them
};
Interest interest_in(const Contents& contents);

/// Plain data.
struct LiveState {
  TenantId tenant_id;
  catalog::Plan plan = catalog::Plan::kStarter;
  std::map<WorkspaceId, catalog::Workspace> workspaces;
  std::map<DatasetId, LiveDataset> datasets;  // all of the tenant
  std::map<ReportId, AssetBrief> reports;     // of interest
  std::map<AlertId, AssetBrief> alerts;       // of interest
  /// Names of reports and of alerts, in the workspaces of interest, and whose they are.
  std::map<WorkspaceId, std::multimap<std::string, Uuid>> report_names, alert_names;
  std::map<DatasetId, std::set<AssetRef>> needed_by;  // reports and alerts; of `removals`
  std::map<UserId, catalog::User> users;
  std::map<TeamId, catalog::Team> teams;
  std::set<std::string> secret_names;
  std::set<UserId> erased;  // archived people who were erased since
  catalog::Quota usage;
  bool operator==(const LiveState&) const;  // but for `usage`
};

/// `known`: a state read before; rows that are still the same objects are not read again.
Result<LiveState> read_live_state(catalog::TenantTransaction& transaction, SealedObjects& objects,
                                  const Interest& interest, const LiveState* known = nullptr);

}  // namespace oa::restore
