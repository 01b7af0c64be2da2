#include "oa/restore/live_state.h"

#include "oa/base/io.h"
#include "oa/crypto/hash_sink.h"

namespace oa::restore {
namespace {

constexpr std::size_t kBatch = 500;

// Hashing live rows costs a read of them all, so it is done only where they could be equal:
// selected, of the archived size.
Result<LiveDataset> live_dataset(TenantId tenant, SealedObjects& objects, const Contents& contents,
                                 catalog::Dataset record) {
  LiveDataset live{std::move(record), std::nullopt};
  const auto archived = contents.datasets.find(live.record.id);
  if (!contents.selected.contains({AssetKind::kDataset, live.record.id.uuid()})) return live;
  if (archived == contents.datasets.end() || !archived->second.rows.has_value() ||
      !live.record.rows.has_value()) {
    return live;
  }
  const ObjectKey key{tenant, RetentionClass::kRows, live.record.rows->object_name};
  const auto source = objects.open(key, VersionId{live.record.rows->object_version});
  // Rows that are lost or damaged are a reason to restore, not to stop: they count as different.
  if (!source.ok() || (*source)->size() != archived->second.rows->size_bytes) return live;
  HashSink sink;
  if (copy_all(**source, sink).ok()) live.rows_digest = sink.finish();
  return live;
}

template <class Record, class Id, class Repository>
Status fetch(Repository repository, const std::map<Id, Record>& wanted,
             std::map<Id, Record>& found) {
  for (const auto& [id, archived] : wanted) {
    auto record = repository.get(id);
    if (record.ok()) {
      found.emplace(id, std::move(record).value());
    } else if (record.error().code != ErrorCode::kNotFound) {
      return std::move(record).error();
    }
  }
  return {};
}

Result<std::set<std::string>> report_names(catalog::TenantTransaction& transaction,
                                           WorkspaceId workspace) {
  std::set<std::string> names;
  std::optional<ReportId> after;
  for (;;) {
    OA_ASSIGN(const auto reports, catalog::Reports(transaction).list(workspace, after, kBatch));
    for (const auto& report : reports) names.insert(report.name);
    if (reports.size() < kBatch) return names;
    after = reports.back().id;
  }
}

void add(Sha256& hash, std::string_view text) {
  Bytes length;
  append_le(length, static_cast<std::uint64_t>(text.size()));
  hash.update(length);
  hash.update(as_bytes(text));
}

}  // namespace

Result<LiveState> read_live_state(catalog::TenantTransaction& transaction, SealedObjects& objects,
                                  const Contents& contents) {
  LiveState state;
  state.tenant_id = transaction.tenant();
  OA_ASSIGN(auto workspaces, catalog::Workspaces(transaction).list());
  for (auto& workspace : workspaces) {
    OA_ASSIGN(auto datasets, catalog::Datasets(transaction).list(workspace.id));
    for (auto& dataset : datasets) {
      const DatasetId id = dataset.id;
      OA_ASSIGN(auto live, live_dataset(state.tenant_id, objects, contents, std::move(dataset)));
      state.datasets.emplace(id, std::move(live));
    }
    state.workspaces.emplace(workspace.id, std::move(workspace));
  }
  OA_TRY(fetch(catalog::Reports(transaction), contents.reports, state.reports));
  OA_TRY(fetch(catalog::Alerts(transaction), contents.alerts, state.alerts));
  for (const auto& [id, report] : contents.reports) {
    // A whole workspace forks into a new one, where no name is taken.
    if (contents.selected.contains({AssetKind::kWorkspace, report.workspace_id.uuid()})) continue;
    if (!state.workspaces.contains(report.workspace_id) ||
        state.report_names.contains(report.workspace_id))
      continue;
    OA_ASSIGN(state.report_names[report.workspace_id],
              report_names(transaction, report.workspace_id));
  }
  OA_ASSIGN(auto users, catalog::Users(transaction).list());
  for (auto& user : users) state.users.emplace(user.id, std::move(user));
  OA_ASSIGN(auto teams, catalog::Teams(transaction).list());
  for (auto& team : teams) state.teams.emplace(team.id, std::move(team));
  OA_ASSIGN(const auto secrets, catalog::Secrets(transaction).list());
  for (const auto& secret : secrets) state.secret_names.insert(secret.name);
  return state;
}

std::string state_digest(const LiveState& state) {
  Sha256 hash;
  add(hash, state.tenant_id.str());
  for (const auto& [id, workspace] : state.workspaces) {
    catalog::WorkspaceDocument document;
    document.workspace = workspace;
    add(hash, catalog::to_portable(document));
  }
  for (const auto& [id, dataset] : state.datasets) {
    add(hash, id.str());
    hash.update(catalog::content_digest(dataset.record));
    if (dataset.record.rows.has_value()) add(hash, dataset.record.rows->object_version);
  }
  for (const auto& [id, report] : state.reports) add(hash, catalog::to_portable(report));
  for (const auto& [id, alert] : state.alerts) add(hash, catalog::to_portable(alert));
  for (const auto& [id, names] : state.report_names) {
    for (const auto& name : names) add(hash, name);
  }
  for (const auto& [id, user] : state.users) add(hash, id.str() + user.email);
  for (const auto& [id, team] : state.teams) add(hash, id.str() + team.name);
  for (const auto& name : state.secret_names) add(hash, name);
  return to_hex(hash.finish());
}

}  // namespace oa::restore
