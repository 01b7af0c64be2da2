#include "oa/restore/live_state.h"

#include <tuple>

#include "oa/base/io.h"
#include "oa/crypto/hash_sink.h"

namespace oa::restore {
namespace {

constexpr std::size_t kBatch = 4000;  // ids a statement

// Hashing live rows costs a read of them all, so it is done only where they could be equal: of the
// archived size.
LiveDataset live_dataset(TenantId tenant, SealedObjects& objects, const Interest& interest,
                         const LiveState* known, catalog::Dataset record) {
  LiveDataset live{std::move(record), {}, std::nullopt};
  live.digest = asset_digest(live.record);
  live.record.model_yaml.clear();
  const auto archived = interest.rows.find(live.record.id);
  if (archived == interest.rows.end() || !live.record.rows.has_value()) return live;
  if (known != nullptr) {
    const auto before = known->datasets.find(live.record.id);
    if (before != known->datasets.end() && before->second.record.rows == live.record.rows) {
      live.rows_digest = before->second.rows_digest;
      return live;
    }
  }
  const ObjectKey key{tenant, RetentionClass::kRows, live.record.rows->object_name};
  const auto source = objects.open(key, VersionId{live.record.rows->object_version});
  // Rows that are lost or damaged are a reason to restore, not to stop: they count as different.
  if (!source.ok() || (*source)->size() != archived->second) return live;
  HashSink sink;
  if (copy_all(**source, sink).ok()) live.rows_digest = sink.finish();
  return live;
}

Status read_workspaces(catalog::TenantTransaction& transaction, SealedObjects& objects,
                       const Interest& interest, const LiveState* known, LiveState& state) {
  OA_ASSIGN(auto workspaces, catalog::Workspaces(transaction).list());
  for (auto& workspace : workspaces) {
    OA_ASSIGN(auto datasets, catalog::Datasets(transaction).list(workspace.id));
    for (auto& dataset : datasets) {
      const DatasetId id = dataset.id;
      state.datasets.emplace(
          id, live_dataset(state.tenant_id, objects, interest, known, std::move(dataset)));
    }
    state.workspaces.emplace(workspace.id, std::move(workspace));
  }
  return {};
}

template <class Id, class Repository>
Status read_briefs(Repository repository, const std::set<Id>& wanted,
                   std::map<Id, AssetBrief>& briefs) {
  const std::vector<Id> ids(wanted.begin(), wanted.end());
  for (std::size_t at = 0; at < ids.size(); at += kBatch) {
    const auto batch = std::span(ids).subspan(at, std::min(kBatch, ids.size() - at));
    OA_TRY(repository.for_each(batch, [&](const auto& record) -> Status {
      briefs.emplace(record.id, brief_of(record));
      return {};
    }));
  }
  return {};
}

template <class Repository>
Status read_names(Repository repository, const std::set<WorkspaceId>& workspaces,
                  std::map<WorkspaceId, std::multimap<std::string, Uuid>>& names) {
  for (const auto workspace : workspaces) {
    OA_ASSIGN(const auto all, repository.names(workspace));
    auto& taken = names[workspace];
    for (const auto& [id, name] : all) taken.emplace(name, id.uuid());
  }
  return {};
}

Status read_people(catalog::TenantTransaction& transaction, LiveState& state) {
  OA_ASSIGN(auto users, catalog::Users(transaction).list());
  for (auto& user : users) state.users.emplace(user.id, std::move(user));
  OA_ASSIGN(auto teams, catalog::Teams(transaction).list());
  for (auto& team : teams) state.teams.emplace(team.id, std::move(team));
  OA_ASSIGN(const auto secrets, catalog::Secrets(transaction).list());
  for (const auto& secret : secrets) state.secret_names.insert(secret.name);
  return {};
}

Status read_uses(catalog::TenantTransaction& transaction, const Interest& interest,
                 LiveState& state) {
  if (interest.removals.empty()) return {};
  const std::vector<DatasetId> ids(interest.removals.begin(), interest.removals.end());
  OA_ASSIGN(const auto uses, catalog::Datasets(transaction).uses(ids));
  for (const auto& use : uses) {
    auto& needed_by = state.needed_by[use.dataset];
    if (use.report.has_value()) needed_by.insert({AssetKind::kReport, use.report->uuid()});
    if (use.alert.has_value()) needed_by.insert({AssetKind::kAlert, use.alert->uuid()});
  }
  return {};
}

}  // namespace

Interest interest_in(const Contents& contents) {
  Interest interest;
  for (const auto& [id, report] : contents.reports) {
    interest.reports.insert(id);
    interest.names.insert(report.workspace);
  }
  for (const auto& [id, alert] : contents.alerts) {
    interest.alerts.insert(id);
    interest.names.insert(alert.workspace);
  }
  for (const auto& [id, dataset] : contents.datasets) {
    if (dataset.rows.has_value() && contents.selected.contains({AssetKind::kDataset, id.uuid()}))
      interest.rows[id] = dataset.rows->size_bytes;
  }
  return interest;
}

bool LiveState::operator==(const LiveState& other) const {
  const auto parts = [](const LiveState& s) {
    return std::tie(s.tenant_id, s.plan, s.workspaces, s.datasets, s.reports, s.alerts,
                    s.report_names, s.alert_names, s.needed_by, s.users, s.teams, s.secret_names,
                    s.erased);
  };
  return parts(*this) == parts(other);
}

Result<LiveState> read_live_state(catalog::TenantTransaction& transaction, SealedObjects& objects,
                                  const Interest& interest, const LiveState* known) {
  LiveState state;
  state.tenant_id = transaction.tenant();
  OA_TRY(read_workspaces(transaction, objects, interest, known, state));
  OA_TRY(read_briefs(catalog::Reports(transaction), interest.reports, state.reports));
  OA_TRY(read_briefs(catalog::Alerts(transaction), interest.alerts, state.alerts));
  OA_TRY(read_names(catalog::Reports(transaction), interest.names, state.report_names));
  OA_TRY(read_names(catalog::Alerts(transaction), interest.names, state.alert_names));
  OA_TRY(read_uses(transaction, interest, state));
  OA_TRY(read_people(transaction, state));
  OA_ASSIGN(state.usage, catalog::usage_of(transaction));
  return state;
}

}  // namespace oa::restore
