#include "write_plan.h"

#include <future>
#include <utility>

#include "people.h"
#include "written.h"

namespace oa::restore {
namespace {

constexpr std::size_t kBatch = 2000;
constexpr std::size_t kBatchBytes = std::size_t{16} << 20;  // of documents, which can be large

std::size_t document_bytes(const catalog::Report& report) {
  std::size_t bytes = report.layout.str().size() + report.filters.str().size();
  for (const auto& visual : report.visuals)
    bytes += visual.title.size() + visual.query.str().size() + visual.options.str().size();
  for (const auto& bookmark : report.bookmarks) bytes += bookmark.state.str().size();
  return bytes;
}

std::size_t document_bytes(const catalog::Alert& alert) {
  return alert.condition.str().size() + alert.channels.str().size();
}

// Records until they are to be written.
template <class Record>
struct Batch {
  std::vector<Record> records;
  std::size_t bytes = 0;

  void add(Record record) {
    bytes += document_bytes(record);
    records.push_back(std::move(record));
  }
  bool full() const { return records.size() >= kBatch || bytes >= kBatchBytes; }
  std::vector<Record> take() {
    bytes = 0;
    return std::exchange(records, {});
  }
};

class PlanWriter {
 public:
  PlanWriter(catalog::TenantTransaction& transaction, const PreparedRestore& prepared,
             const LiveState& live, const std::map<Uuid, catalog::RowsObject>& rows,
             Progress& progress)
      : tx_(transaction),
        contents_(prepared.contents),
        plan_(prepared.plan),
        live_(live),
        rows_(rows),
        progress_(progress),
        rewriter_(prepared.plan, prepared.contents) {}

  Status write() {
    OA_TRY(write_people());
    OA_TRY(write_workspaces());
    OA_TRY(write_datasets());
    OA_TRY(write_reports());
    OA_TRY(write_alerts());
    return remove();
  }

 private:
  Status step(std::size_t assets) {
    progress_.update(done_ += assets);
    if (!progress_.cancelled()) return {};
    return make_error(ErrorCode::kCancelled, "restore.apply", "cancelled; nothing was changed");
  }

  // Nobody gains access by a restore.
  Status write_people() {
    std::vector<catalog::User> users;
    for (const auto& mapping : plan_.users) {
      if (mapping.create)
        users.push_back(placeholder(mapping, contents_.users.at(mapping.archived)));
    }
    OA_TRY(catalog::Users(tx_).put(users));
    std::map<UserId, UserId> targets;
    for (const auto& mapping : plan_.users) targets[mapping.archived] = mapping.target;
    std::vector<catalog::Team> teams;
    for (const auto& mapping : plan_.teams) {
      if (!mapping.create) continue;
      teams.push_back(new_team(contents_.teams.at(mapping.archived), targets, live_.erased));
    }
    return catalog::Teams(tx_).put(teams);
  }

  Status write_workspaces() {
    std::vector<catalog::Workspace> workspaces;
    for (const auto& item : plan_.items) {
      if (item.source.kind != AssetKind::kWorkspace || !writes(item)) continue;
      const WorkspaceId id(item.source.id);
      const auto live = live_.workspaces.find(id);
      const bool keeps = item.action == Action::kOverwrite && live != live_.workspaces.end();
      workspaces.push_back(
          rewriter_.workspace(contents_.workspaces.at(id), item, keeps ? &live->second : nullptr));
    }
    OA_TRY(catalog::Workspaces(tx_).put(workspaces));
    return step(workspaces.size());
  }

  Status write_datasets() {
    std::vector<catalog::Dataset> datasets;
    for (const auto& item : plan_.items) {
      if (item.source.kind != AssetKind::kDataset || !writes(item)) continue;
      const DatasetId id(item.source.id);
      const auto live = live_.datasets.find(id);
      const bool keeps = item.action == Action::kOverwrite && live != live_.datasets.end();
      auto written = rewriter_.dataset(contents_.datasets.at(id), item,
                                       keeps ? &live->second.record : nullptr);
      if (item.rows == RowsAction::kRestore) written.rows = rows_.at(item.target_id);
      datasets.push_back(std::move(written));
      if (item.action == Action::kFork) OA_TRY(fork_source(id, DatasetId(item.target_id)));
    }
    OA_TRY(catalog::Datasets(tx_).put(datasets));
    return step(datasets.size());
  }

  // A fork can be refreshed from the same original, as long as that is kept.
  Status fork_source(DatasetId archived, DatasetId fork) {
    catalog::DatasetSources sources(tx_);
    OA_ASSIGN(const auto source, sources.get(archived));
    if (!source.original.has_value()) return {};
    return sources.put({fork, source.original, std::nullopt, std::nullopt});
  }

  Status write_reports() {
    std::map<ReportId, const PlanItem*> items;
    std::set<ReportId> ids;
    for (const auto& item : plan_.items) {
      if (item.source.kind != AssetKind::kReport || !writes(item)) continue;
      items[ReportId(item.source.id)] = &item;
      ids.insert(ReportId(item.source.id));
    }
    // The database writes one batch while the next is read and rewritten.
    Batch<catalog::Report> batch;
    std::future<Status> written;
    const auto finish = [&] { return written.valid() ? written.get() : Status(); };
    const auto flush = [&]() -> Status {
      OA_TRY(finish());
      OA_TRY(step(batch.records.size()));
      written = std::async(std::launch::async, [this, reports = batch.take()] {
        return catalog::Reports(tx_).put(reports);
      });
      return {};
    };
    OA_TRY(contents_.documents->reports(
        ids, progress_, [&](const catalog::Report& archived) -> Status {
          const PlanItem& item = *items.at(archived.id);
          batch.add(rewriter_.report(archived, item, live_grants(live_, item)));
          return batch.full() ? flush() : Status();
        }));
    OA_TRY(flush());
    return finish();
  }

  Status write_alerts() {
    std::map<AlertId, const PlanItem*> items;
    std::set<AlertId> ids;
    for (const auto& item : plan_.items) {
      if (item.source.kind != AssetKind::kAlert || !writes(item)) continue;
      items[AlertId(item.source.id)] = &item;
      ids.insert(AlertId(item.source.id));
    }
    Batch<catalog::Alert> batch;
    const auto flush = [&]() -> Status {
      const auto alerts = batch.take();
      OA_TRY(catalog::Alerts(tx_).put(alerts));
      return step(alerts.size());
    };
    OA_TRY(
        contents_.documents->alerts(ids, progress_, [&](const catalog::Alert& archived) -> Status {
          batch.add(rewriter_.alert(archived, *items.at(archived.id)));
          return batch.full() ? flush() : Status();
        }));
    return flush();
  }

  template <class IdType>
  std::vector<IdType> removals(AssetKind kind) const {
    std::vector<IdType> ids;
    for (const auto& item : plan_.items) {
      if (item.action == Action::kRemove && item.source.kind == kind)
        ids.push_back(IdType(item.target_id));
    }
    return ids;
  }

  Status remove() {
    OA_TRY(catalog::Alerts(tx_).remove(removals<AlertId>(AssetKind::kAlert)));
    OA_TRY(catalog::Reports(tx_).remove(removals<ReportId>(AssetKind::kReport)));
    OA_TRY(catalog::Datasets(tx_).remove(removals<DatasetId>(AssetKind::kDataset)));
    OA_TRY(catalog::Workspaces(tx_).remove_empty(removals<WorkspaceId>(AssetKind::kWorkspace)));
    OA_TRY(catalog::Teams(tx_).remove_unused(plan_.remove_teams));
    return catalog::Users(tx_).remove_unused(plan_.remove_users);
  }

  catalog::TenantTransaction& tx_;
  const Contents& contents_;
  const Plan& plan_;
  const LiveState& live_;
  const std::map<Uuid, catalog::RowsObject>& rows_;
  Progress& progress_;
  std::uint64_t done_ = 0;
  const Rewriter rewriter_;
};

}  // namespace

Status write_plan(catalog::TenantTransaction& transaction, const PreparedRestore& prepared,
                  const LiveState& live, const std::map<Uuid, catalog::RowsObject>& rows,
                  Progress& progress) {
  return PlanWriter(transaction, prepared, live, rows, progress).write();
}

}  // namespace oa::restore
