#include "written.h"

namespace oa::restore {
namespace {

class DigestWriter {
 public:
  DigestWriter(const Contents& contents, const LiveState& live, const Rewriter& rewriter)
      : contents_(contents), live_(live), rewriter_(rewriter) {}

  Status write(std::vector<PlanItem>& items) {
    for (auto& item : items) {
      if (writes(item)) begin(item);
    }
    OA_TRY(read_rewritten());
    for (auto& item : items) {
      if (item.action != Action::kOverwrite || item.before != item.after) continue;
      if (item.rows == RowsAction::kRestore) continue;
      item.action = Action::kIdentical;
      item.reason = "unchanged";
      item.rows = RowsAction::kNone;
      item.newer_here = false;
    }
    return {};
  }

 private:
  // Documents in which nothing changes need not be read again.
  void begin(PlanItem& item) {
    const Uuid& id = item.source.id;
    const bool overwrites = item.action == Action::kOverwrite;
    if (item.source.kind == AssetKind::kWorkspace) {
      const auto live = live_.workspaces.find(WorkspaceId(id));
      const bool keeps = overwrites && live != live_.workspaces.end();
      item.after = asset_digest(rewriter_.workspace(contents_.workspaces.at(WorkspaceId(id)), item,
                                                    keeps ? &live->second : nullptr));
    } else if (item.source.kind == AssetKind::kDataset) {
      const auto live = live_.datasets.find(DatasetId(id));
      const bool keeps = overwrites && live != live_.datasets.end();
      item.after = asset_digest(rewriter_.dataset(contents_.datasets.at(DatasetId(id)), item,
                                                  keeps ? &live->second.record : nullptr));
    } else if (item.source.kind == AssetKind::kReport) {
      const auto& brief = contents_.reports.at(ReportId(id));
      if (rewriter_.changes(brief, item, live_grants(live_, item))) reports_[ReportId(id)] = &item;
      item.after = brief.digest;
    } else {
      const auto& brief = contents_.alerts.at(AlertId(id));
      if (rewriter_.changes(brief, item, {})) alerts_[AlertId(id)] = &item;
      item.after = brief.digest;
    }
  }

  Status read_rewritten() const {
    std::set<ReportId> report_ids;
    for (const auto& [id, item] : reports_) report_ids.insert(id);
    OA_TRY(contents_.documents->reports(
        report_ids, no_progress(), [&](const catalog::Report& archived) -> Status {
          PlanItem& item = *reports_.at(archived.id);
          item.after = asset_digest(rewriter_.report(archived, item, live_grants(live_, item)));
          return {};
        }));
    std::set<AlertId> alert_ids;
    for (const auto& [id, item] : alerts_) alert_ids.insert(id);
    return contents_.documents->alerts(alert_ids, no_progress(),
                                       [&](const catalog::Alert& archived) -> Status {
                                         PlanItem& item = *alerts_.at(archived.id);
                                         item.after = asset_digest(rewriter_.alert(archived, item));
                                         return {};
                                       });
  }

  const Contents& contents_;
  const LiveState& live_;
  const Rewriter& rewriter_;
  std::map<ReportId, PlanItem*> reports_;  // whose documents change
  std::map<AlertId, PlanItem*> alerts_;
};

}  // namespace

void plan_rows(PlanItem& item, const ArchivedDataset& archived, const LiveDataset* live) {
  if (!writes(item)) return;
  const bool overwrites = item.action == Action::kOverwrite;
  if (overwrites) {
    const auto& rows = live->record.rows;
    item.before = live->digest;
    if (rows.has_value()) item.rows_version = rows->object_name + "@" + rows->object_version;
    item.rows_before = live->record.row_count;
  }
  if (archived.rows.has_value()) {
    const bool same = overwrites && live->rows_digest == archived.rows->digest;
    item.rows = same ? RowsAction::kKeepLive : RowsAction::kRestore;
    item.rows_after = archived.record.row_count;
  } else if (overwrites && live->record.rows.has_value()) {
    item.rows = RowsAction::kKeepLive;
    item.rows_after = live->record.row_count;
  } else if (archived.record.mode != catalog::DatasetMode::kDirect) {
    item.rows = RowsAction::kNeedsRefresh;
    item.rows_after = 0;
  }
}

const std::vector<catalog::RoleGrant>& live_grants(const LiveState& live, const PlanItem& item) {
  static const std::vector<catalog::RoleGrant> none;
  if (item.action != Action::kOverwrite) return none;
  const auto report = live.reports.find(ReportId(item.target_id));
  return report == live.reports.end() ? none : report->second.grants;
}

Status write_digests(const Contents& contents, const LiveState& live, const Rewriter& rewriter,
                     std::vector<PlanItem>& items) {
  return DigestWriter(contents, live, rewriter).write(items);
}

}  // namespace oa::restore
