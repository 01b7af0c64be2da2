#include "undo_plan.h"

#include <algorithm>

#include "people.h"
#include "rights.h"
#include "written.h"

namespace oa::restore {
namespace {

bool made(const PlanItem& item) {
  return item.action == Action::kCreate || item.action == Action::kFork;
}

class UndoPlanner {
 public:
  UndoPlanner(const Plan& applied, const Contents& before, const LiveState& live,
              const UndoRequest& request)
      : applied_(applied),
        before_(before),
        live_(live),
        request_(request),
        people_(before, live),
        rights_(live, request.requested_by) {}

  Result<Plan> make() {
    begin_plan();
    for (const auto& item : applied_.items) {
      if (made(item)) {
        take_away(item);
      } else if (item.action == Action::kOverwrite || item.action == Action::kRemove) {
        bring_back(item);
      }
    }
    keep_what_is_needed();
    block_what_would_dangle();
    const Rewriter rewriter({}, people_.user_targets(), live_.erased, people_.team_targets(),
                            plan_.roles_restored, plan_.grants_restored);
    OA_TRY(write_digests(before_, live_, rewriter, plan_.items));
    keep_needed_people(before_, live_, people_, false, plan_);
    remove_people();
    plan_.usage_before = plan_.usage_after = live_.usage;
    return std::move(plan_);
  }

 private:
  void begin_plan() {
    plan_.id = request_.id;
    plan_.kind = catalog::RestoreKind::kUndo;
    plan_.undoes = request_.undoes;
    plan_.tenant_id = live_.tenant_id;
    plan_.archive_id = before_.archive_id;
    plan_.content_hash = before_.content_hash;
    plan_.snapshot_time = before_.snapshot_time;
    plan_.requested_by = request_.requested_by;
    plan_.leave_out_blocked = request_.leave_out_blocked;
    plan_.signer = before_.signer;
    plan_.with_roles = plan_.grants_restored = true;
    for (const auto& [id, workspace] : before_.workspaces) {
      if (rights_.has(id, catalog::Role::kAdmin)) plan_.roles_restored.insert(id);
    }
    plan_.quota = catalog::quota_of(live_.plan);
  }

  struct Now {
    AssetDigest digest;
    std::string name;
    WorkspaceId workspace;
  };
  std::optional<Now> now(AssetKind kind, const Uuid& id) const {
    const auto of_brief = [](const auto& briefs, const auto& key) -> std::optional<Now> {
      const auto found = briefs.find(key);
      if (found == briefs.end()) return std::nullopt;
      return Now{found->second.digest, found->second.name, found->second.workspace};
    };
    if (kind == AssetKind::kReport) return of_brief(live_.reports, ReportId(id));
    if (kind == AssetKind::kAlert) return of_brief(live_.alerts, AlertId(id));
    if (kind == AssetKind::kDataset) {
      const auto found = live_.datasets.find(DatasetId(id));
      if (found == live_.datasets.end()) return std::nullopt;
      const auto& record = found->second.record;
      return Now{found->second.digest, record.name, record.workspace_id};
    }
    const auto found = live_.workspaces.find(WorkspaceId(id));
    if (found == live_.workspaces.end()) return std::nullopt;
    return Now{asset_digest(found->second), found->second.name, found->first};
  }

  static PlanItem new_item(const PlanItem& applied, const std::optional<Now>& live) {
    PlanItem item;
    item.source = {applied.source.kind, applied.target_id};
    item.target_id = applied.target_id;
    item.target_workspace = live.has_value() ? live->workspace : applied.target_workspace;
    item.name = live.has_value() ? live->name : applied.name;
    if (live.has_value()) item.before = live->digest;
    return item;
  }

  static void block(PlanItem& item, std::string reason) {
    item.action = Action::kBlocked;
    item.reason = std::move(reason);
    item.rows = RowsAction::kNone;
  }

  void check_rights(PlanItem& item) const {
    if (item.action == Action::kBlocked || item.action == Action::kIdentical) return;
    if (item.source.kind == AssetKind::kWorkspace) {
      const bool may = item.action == Action::kOverwrite
                           ? rights_.has(item.target_workspace, catalog::Role::kAdmin)
                           : rights_.everything();
      if (!may) block(item, "needs more rights in it");
      return;
    }
    const auto live = now(item.source.kind, item.target_id);
    if (!rights_.has(item.target_workspace, catalog::Role::kEditor) ||
        (live.has_value() && !rights_.has(live->workspace, catalog::Role::kEditor))) {
      block(item, "needs the Editor role in its workspace");
    } else if (changes_shares(item) && !plan_.roles_restored.contains(item.target_workspace)) {
      block(item, "needs the Admin role in its workspace, because it changes who shares it");
    }
  }

  bool changes_shares(const PlanItem& item) const {
    if (item.source.kind != AssetKind::kReport || !writes(item)) return false;
    const ReportId id(item.source.id);
    const auto live = live_.reports.find(id);
    const auto& before = before_.reports.at(id).grants;
    return live == live_.reports.end() ? !before.empty() : before != live->second.grants;
  }

  // What the restore made goes.
  void take_away(const PlanItem& applied) {
    const auto live = now(applied.source.kind, applied.target_id);
    PlanItem item = new_item(applied, live);
    if (!live.has_value()) {
      item.action = Action::kIdentical;
      item.reason = "is gone already";
    } else {
      item.action = Action::kRemove;
      item.reason = "made by the restore";
      if (live->digest != applied.after) edited(item, "edited since the restore made it");
    }
    add(std::move(item));
  }

  void edited(PlanItem& item, const std::string& reason) const {
    item.newer_here = true;
    if (request_.discard_edits) {
      item.reason = reason;
    } else {
      block(item, reason);
    }
  }

  // What the restore overwrote or removed comes back.
  void bring_back(const PlanItem& applied) {
    const auto live = now(applied.source.kind, applied.target_id);
    PlanItem item = new_item(applied, live);
    const Uuid& id = applied.target_id;
    const bool was_removed = applied.action == Action::kRemove;
    item.action = live.has_value() ? Action::kOverwrite : Action::kCreate;
    item.reason = was_removed ? "removed by the restore" : "overwritten by the restore";
    describe_before(item);
    const bool as_left =
        was_removed ? !live.has_value() : live.has_value() && live->digest == applied.after;
    // Whoever brought back by hand what was there before is not in the way.
    const bool as_before = live.has_value() && applied.before == live->digest;
    if (!as_left && !as_before) {
      edited(item, was_removed        ? "made again since the restore"
                   : live.has_value() ? "edited since the restore"
                                      : "deleted since the restore");
    }
    if (item.source.kind == AssetKind::kDataset && writes(item)) {
      const auto found = live_.datasets.find(DatasetId(id));
      const auto& before = before_.datasets.at(DatasetId(id));
      plan_rows(item, before, found == live_.datasets.end() ? nullptr : &found->second);
      // The undo archive has all rows that there were, but for those that the restore left where
      // they were and those that could not be read; in their place what is there now stays.
      if (!before.rows.has_value() && applied.rows != RowsAction::kKeepLive &&
          applied.rows_version.empty()) {
        item.rows = RowsAction::kNone;
        item.rows_after = before.record.row_count;
      }
      if (item.rows == RowsAction::kKeepLive && !before.rows.has_value() &&
          other_columns(before.record, found->second.record))
        block(item, "its rows have other columns by now, and those before are in no archive");
    }
    add(std::move(item));
  }

  static bool other_columns(const catalog::Dataset& before, const catalog::Dataset& live) {
    if (before.versions.empty() || live.versions.empty())
      return before.versions.empty() != live.versions.empty();
    return before.versions.back().columns != live.versions.back().columns;
  }

  // Name and place as they will be.
  void describe_before(PlanItem& item) const {
    const Uuid& id = item.source.id;
    if (item.source.kind == AssetKind::kWorkspace) {
      item.name = before_.workspaces.at(WorkspaceId(id)).name;
      return;
    }
    if (item.source.kind == AssetKind::kDataset) {
      const auto& record = before_.datasets.at(DatasetId(id)).record;
      item.name = record.name;
      item.target_workspace = record.workspace_id;
      return;
    }
    const auto& brief = item.source.kind == AssetKind::kReport ? before_.reports.at(ReportId(id))
                                                               : before_.alerts.at(AlertId(id));
    item.name = brief.name;
    item.target_workspace = brief.workspace;
  }

  void add(PlanItem item) {
    check_rights(item);
    index_[item.source] = plan_.items.size();
    plan_.items.push_back(std::move(item));
  }

  const PlanItem* planned(const AssetRef& asset) const {
    const auto found = index_.find(asset);
    return found == index_.end() ? nullptr : &plan_.items[found->second];
  }

  // Whether a report or an alert reads the dataset when all is done.
  bool will_need(const AssetRef& asset, DatasetId dataset) const {
    const PlanItem* item = planned(asset);
    if (item == nullptr) return true;
    if (item->action == Action::kRemove) return false;
    if (!writes(*item)) return true;
    const auto& brief = asset.kind == AssetKind::kReport ? before_.reports.at(ReportId(asset.id))
                                                         : before_.alerts.at(AlertId(asset.id));
    return std::ranges::binary_search(brief.datasets, dataset);
  }

  // Whether an asset is in the workspace when all is done.
  bool will_be_in(const AssetRef& asset, WorkspaceId workspace) const {
    const PlanItem* item = planned(asset);
    if (item == nullptr) return true;
    if (item->action == Action::kRemove) return false;
    return !writes(*item) || item->target_workspace == workspace;
  }

  static void keep(PlanItem& item, const AssetRef& asset, const char* why) {
    item.action = Action::kSkip;
    item.reason =
        "the " + std::string(to_text(asset.kind)) + " " + asset.id.str() + " made since " + why;
  }

  // A dataset that something made since reads stays, and a workspace that something is in.
  void keep_what_is_needed() {
    for (auto& item : plan_.items) {
      if (item.action != Action::kRemove || item.source.kind != AssetKind::kDataset) continue;
      const DatasetId id(item.source.id);
      const auto needed_by = live_.needed_by.find(id);
      if (needed_by == live_.needed_by.end()) continue;
      const auto in_need = std::ranges::find_if(
          needed_by->second, [&](const AssetRef& asset) { return will_need(asset, id); });
      if (in_need != needed_by->second.end()) keep(item, *in_need, "needs it");
    }
    for (auto& item : plan_.items) {
      if (item.action == Action::kRemove && item.source.kind == AssetKind::kWorkspace)
        keep_if_used(item);
    }
  }

  void keep_if_used(PlanItem& item) const {
    const WorkspaceId id(item.source.id);
    const auto stays = [&](const AssetRef& asset) {
      if (!will_be_in(asset, id)) return false;
      keep(item, asset, "is in it");
      return true;
    };
    for (const auto& [dataset, live] : live_.datasets) {
      if (live.record.workspace_id == id && stays({AssetKind::kDataset, dataset.uuid()})) return;
    }
    for (const auto& [kind, names] : {std::pair{AssetKind::kReport, &live_.report_names},
                                      std::pair{AssetKind::kAlert, &live_.alert_names}}) {
      const auto in_it = names->find(id);
      if (in_it == names->end()) continue;
      for (const auto& [name, asset] : in_it->second) {
        if (stays({kind, asset})) return;
      }
    }
  }

  bool dataset_will_be(DatasetId id) const {
    const PlanItem* item = planned({AssetKind::kDataset, id.uuid()});
    if (item == nullptr || item->action == Action::kBlocked) return live_.datasets.contains(id);
    return item->action != Action::kRemove;
  }

  bool workspace_will_be(WorkspaceId id) const {
    const PlanItem* item = planned({AssetKind::kWorkspace, id.uuid()});
    if (item == nullptr || item->action == Action::kBlocked) return live_.workspaces.contains(id);
    return item->action != Action::kRemove;
  }

  // What comes back needs its place and its datasets.
  void block_what_would_dangle() {
    for (auto& item : plan_.items) {
      if (!writes(item) || item.source.kind == AssetKind::kWorkspace) continue;
      if (!workspace_will_be(item.target_workspace))
        block(item, "its workspace " + item.target_workspace.str() + " was deleted since");
    }
    for (auto& item : plan_.items) {
      const bool reads =
          item.source.kind == AssetKind::kReport || item.source.kind == AssetKind::kAlert;
      if (!writes(item) || !reads) continue;
      const auto& datasets = item.source.kind == AssetKind::kReport
                                 ? before_.reports.at(ReportId(item.source.id)).datasets
                                 : before_.alerts.at(AlertId(item.source.id)).datasets;
      const auto missing =
          std::ranges::find_if(datasets, [&](const DatasetId id) { return !dataset_will_be(id); });
      if (missing != datasets.end())
        block(item, "its dataset " + missing->str() + " was deleted since");
    }
  }

  // Placeholders and teams that only the restore needed.
  void remove_people() {
    for (const auto& mapping : applied_.users) {
      const auto user = live_.users.find(mapping.target);
      if (!mapping.create || user == live_.users.end()) continue;
      if (mapping.digest == person_digest(user->second))
        plan_.remove_users.push_back(mapping.target);
    }
    for (const auto& mapping : applied_.teams) {
      const auto team = live_.teams.find(mapping.target);
      if (!mapping.create || team == live_.teams.end()) continue;
      if (mapping.digest == team_digest(team->second)) plan_.remove_teams.push_back(mapping.target);
    }
  }

  const Plan& applied_;
  const Contents& before_;
  const LiveState& live_;
  const UndoRequest& request_;
  const People people_;
  const Rights rights_;
  Plan plan_;
  std::map<AssetRef, std::size_t> index_;  // of the items, by asset
};

}  // namespace

Interest undo_interest(const Plan& applied, const Contents& before) {
  Interest interest;
  for (const auto& item : applied.items) {
    if (!writes(item) && item.action != Action::kRemove) continue;
    const Uuid& id = item.target_id;
    if (item.source.kind == AssetKind::kReport) interest.reports.insert(ReportId(id));
    if (item.source.kind == AssetKind::kAlert) interest.alerts.insert(AlertId(id));
    if (item.source.kind == AssetKind::kDataset && made(item))
      interest.removals.insert(DatasetId(id));
    if (item.source.kind == AssetKind::kWorkspace && made(item))
      interest.names.insert(WorkspaceId(id));
  }
  for (const auto& [id, dataset] : before.datasets) {
    if (dataset.rows.has_value()) interest.rows[id] = dataset.rows->size_bytes;
  }
  return interest;
}

Result<Plan> make_undo_plan(const Plan& applied, const Contents& before, const LiveState& live,
                            const UndoRequest& request) {
  return UndoPlanner(applied, before, live, request).make();
}

}  // namespace oa::restore
