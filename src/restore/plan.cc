#include "oa/restore/plan.h"

#include <algorithm>

#include "oa/crypto/uuid5.h"
#include "people.h"
#include "rewrite.h"
#include "rights.h"
#include "written.h"

namespace oa::restore {
namespace {

using Names = std::multimap<std::string, Uuid>;

// "Name (restored)", "Name (restored 2)" …, the first that is free; it is `id`'s from then on.
std::string unique_name(const std::string& name, const Uuid& id, Names& taken) {
  for (int n = 1;; ++n) {
    const std::string suffix = n == 1 ? " (restored)" : " (restored " + std::to_string(n) + ")";
    std::size_t length = std::min(name.size(), kMaxNameBytes - suffix.size());
    while (length < name.size() && (static_cast<unsigned char>(name[length]) & 0xC0) == 0x80)
      --length;  // not within a character
    std::string candidate = name.substr(0, length) + suffix;
    if (taken.contains(candidate)) continue;
    taken.emplace(candidate, id);
    return candidate;
  }
}

std::string quoted(std::string_view kind, const std::string& name) {
  return std::string(kind) + " \"" + name + "\"";
}

// First what becomes of each asset, then what exactly is written, then who is needed for it.
class Planner {
 public:
  Planner(const Contents& contents, const LiveState& live, const Request& request)
      : contents_(contents),
        live_(live),
        request_(request),
        people_(contents, live),
        rights_(live, request.requested_by) {}

  Result<Plan> make() {
    begin_plan();
    collect_names();
    collect_dependencies();
    collect_workspaces();
    plan_workspaces();
    plan_datasets();
    plan_briefs(AssetKind::kReport, contents_.reports, live_.reports);
    plan_briefs(AssetKind::kAlert, contents_.alerts, live_.alerts);
    solve_clashes();
    const Rewriter rewriter(new_ids(request_.id, plan_.items, contents_), people_.user_targets(),
                            live_.erased, people_.team_targets(), plan_.roles_restored,
                            plan_.grants_restored);
    OA_TRY(write_digests(contents_, live_, rewriter, plan_.items));
    for (auto& item : plan_.items) {
      const auto forbidden = forbidden_.find(item.source);
      if (forbidden == forbidden_.end()) continue;
      // That nothing has changed, too, is told to members alone.
      const bool unseen = !rights_.has(item.target_workspace, catalog::Role::kViewer);
      if (item.action == Action::kOverwrite || (item.action == Action::kIdentical && unseen))
        block(item, forbidden->second);
    }
    add_notes();
    keep_needed_people(contents_, live_, people_, request_.all_people, plan_);
    count_usage();
    return std::move(plan_);
  }

 private:
  void begin_plan() {
    plan_.id = request_.id;
    plan_.kind = request_.kind;
    plan_.archive_id = contents_.archive_id;
    plan_.content_hash = contents_.content_hash;
    plan_.signer = contents_.signer;
    plan_.snapshot_time = contents_.snapshot_time;
    plan_.tenant_id = live_.tenant_id;
    plan_.mode = request_.mode;
    plan_.with_roles = request_.with_roles;
    plan_.leave_out_blocked = request_.leave_out_blocked;
    plan_.requested_by = request_.requested_by;
    plan_.grants_restored = request_.with_roles && contents_.knows_grants;
    plan_.notes = contents_.migrations;
    if (request_.kind == catalog::RestoreKind::kRestore && contents_.tenant_id != live_.tenant_id)
      plan_.notes.push_back("the archive is another tenant's");
    plan_.quota = catalog::quota_of(live_.plan);
  }

  bool selected(AssetKind kind, const Uuid& id) const {
    return contents_.selected.contains({kind, id});
  }

  Mode mode_of(const AssetRef& asset, WorkspaceId workspace) const {
    auto choice = request_.choices.find(asset);
    if (choice == request_.choices.end())
      choice = request_.choices.find({AssetKind::kWorkspace, workspace.uuid()});
    return choice == request_.choices.end() ? request_.mode : choice->second;
  }

  bool workspace_forks(WorkspaceId id) const {
    const AssetRef asset{AssetKind::kWorkspace, id.uuid()};
    return contents_.selected.contains(asset) && live_.workspaces.contains(id) &&
           mode_of(asset, id) == Mode::kFork;
  }

  void collect_names() {
    for (const auto& [id, workspace] : live_.workspaces)
      workspace_names_.emplace(workspace.name, id.uuid());
    for (const auto& [id, dataset] : live_.datasets)
      dataset_names_[dataset.record.workspace_id].emplace(dataset.record.name, id.uuid());
    report_names_ = live_.report_names;
    alert_names_ = live_.alert_names;
  }

  template <class Id, class Live>
  bool stays(AssetKind kind, const Id& id, WorkspaceId workspace, const Live& live) const {
    return live.contains(id) && mode_of({kind, id.uuid()}, workspace) == Mode::kSkip;
  }

  // What is skipped, or blocked because a dataset of it is nowhere, needs nothing.
  template <class Id>
  bool needs_nothing(AssetKind kind, const Id& id, const AssetBrief& brief,
                     const std::map<Id, AssetBrief>& live) const {
    return stays(kind, id, brief.workspace, live) ||
           std::ranges::any_of(brief.datasets, [&](const DatasetId dataset) {
             return !live_.datasets.contains(dataset) && !contents_.datasets.contains(dataset);
           });
  }

  void need(DatasetId dataset, const AssetRef& by, const std::string& name) {
    if (selected(AssetKind::kDataset, dataset.uuid()) || live_.datasets.contains(dataset)) return;
    if (!contents_.datasets.contains(dataset)) return;
    brought_.emplace(AssetRef{AssetKind::kDataset, dataset.uuid()},
                     "needed by " + quoted(to_text(by.kind), name));
    note_need({AssetKind::kDataset, dataset.uuid()}, by);
  }

  void note_need(const AssetRef& asset, const AssetRef& by) {
    auto& needed_by = needed_by_[asset];
    if (needed_by.size() < kMaxNeededBy) needed_by.push_back(by);
  }

  void collect_dependencies() {
    for (const auto& [id, report] : contents_.reports) {
      if (needs_nothing(AssetKind::kReport, id, report, live_.reports)) continue;
      for (const auto dataset : report.datasets)
        need(dataset, {AssetKind::kReport, id.uuid()}, report.name);
    }
    for (const auto& [id, alert] : contents_.alerts) {
      if (needs_nothing(AssetKind::kAlert, id, alert, live_.alerts)) continue;
      for (const auto dataset : alert.datasets)
        need(dataset, {AssetKind::kAlert, id.uuid()}, alert.name);
    }
  }

  void hold(WorkspaceId workspace, const AssetRef& by, const std::string& name) {
    if (selected(AssetKind::kWorkspace, workspace.uuid()) || live_.workspaces.contains(workspace))
      return;
    const AssetRef asset{AssetKind::kWorkspace, workspace.uuid()};
    brought_.emplace(asset, "holds " + quoted(to_text(by.kind), name));
    note_need(asset, by);
  }

  void collect_workspaces() {
    for (const auto& [id, dataset] : contents_.datasets) {
      const AssetRef asset{AssetKind::kDataset, id.uuid()};
      const bool comes =
          contents_.selected.contains(asset) &&
          !stays(AssetKind::kDataset, id, dataset.record.workspace_id, live_.datasets);
      if (comes || brought_.contains(asset))
        hold(dataset.record.workspace_id, asset, dataset.record.name);
    }
    for (const auto& [id, report] : contents_.reports) {
      if (!needs_nothing(AssetKind::kReport, id, report, live_.reports))
        hold(report.workspace, {AssetKind::kReport, id.uuid()}, report.name);
    }
    for (const auto& [id, alert] : contents_.alerts) {
      if (!needs_nothing(AssetKind::kAlert, id, alert, live_.alerts))
        hold(alert.workspace, {AssetKind::kAlert, id.uuid()}, alert.name);
    }
  }

  PlanItem new_item(const AssetRef& asset, WorkspaceId target, const std::string& name) const {
    PlanItem item;
    item.source = asset;
    item.target_id = asset.id;
    item.target_workspace = target;
    item.name = name;
    item.reason = "not in the tenant";
    const auto why = brought_.find(asset);
    if (why == brought_.end()) return item;
    item.brought = true;
    item.reason = why->second;
    item.needed_by = needed_by_.at(asset);
    return item;
  }

  Uuid fork(const Uuid& id) { return fork_ids_[id] = uuid5(request_.id.uuid(), id.str()); }

  // What is new takes no name that something in the tenant has. Equal names within the archive
  // stay.
  static void solve_clash(PlanItem& item, Names& taken) {
    if (!taken.contains(item.name)) return;
    item.renamed_from = item.name;
    item.name = unique_name(item.name, item.target_id, taken);
  }

  // When it is known what is blocked: that takes no name.
  void solve_clashes() {
    for (auto& item : plan_.items) {
      if (item.action != Action::kCreate && item.action != Action::kFork) continue;
      switch (item.source.kind) {
        case AssetKind::kWorkspace:
          solve_clash(item, workspace_names_);
          break;
        case AssetKind::kDataset:
          solve_clash(item, dataset_names_[item.target_workspace]);
          break;
        case AssetKind::kReport:
          solve_clash(item, report_names_[item.target_workspace]);
          break;
        case AssetKind::kAlert:
          solve_clash(item, alert_names_[item.target_workspace]);
          break;
      }
    }
  }

  static void block(PlanItem& item, std::string reason) {
    item.action = Action::kBlocked;
    item.reason = std::move(reason);
    item.target_id = item.source.id;
    item.rows = RowsAction::kNone;
  }

  void plan_workspaces() {
    for (const auto& [id, workspace] : contents_.workspaces) {
      const AssetRef asset{AssetKind::kWorkspace, id.uuid()};
      if (!contents_.selected.contains(asset) && !brought_.contains(asset)) continue;
      PlanItem item = new_item(asset, id, workspace.name);
      const auto live = live_.workspaces.find(id);
      const Mode mode = mode_of(asset, id);
      if (live == live_.workspaces.end()) {
        if (!rights_.everything()) {
          block(item, "only an Owner can bring back a workspace");
        }
      } else if (mode == Mode::kSkip) {
        item.action = Action::kSkip;
        item.reason = "exists";
      } else if (mode == Mode::kFork && !rights_.everything()) {
        block(item, "only an Owner can make a workspace");
      } else if (mode == Mode::kFork) {
        item.action = Action::kFork;
        item.reason = "exists";
        item.target_id = fork(id.uuid());
        item.target_workspace = WorkspaceId(item.target_id);
      } else {
        item.action = Action::kOverwrite;
        item.reason = "differs";
        item.before = asset_digest(live->second);
        if (!rights_.has(id, catalog::Role::kAdmin))
          forbidden_[asset] = "needs the Admin role in it";
      }
      // What is in it can still go where it was, unless that place is what is missing.
      const bool has_place = live != live_.workspaces.end() && mode != Mode::kFork;
      if (item.action == Action::kBlocked && !has_place) blocked_workspaces_.insert(id);
      plan_roles(item, id);
      add(std::move(item));
    }
    for (const auto& [id, workspace] : contents_.workspaces) {
      // Grants of single reports go by the workspace that they are in.
      if (request_.with_roles && live_.workspaces.contains(id) &&
          rights_.has(id, catalog::Role::kAdmin))
        plan_.roles_restored.insert(id);
    }
  }

  // Whoever may not manage a workspace's members restores no roles in it.
  void plan_roles(const PlanItem& item, WorkspaceId id) {
    if (!request_.with_roles || !writes(item)) return;
    const bool may = live_.workspaces.contains(id) ? rights_.has(id, catalog::Role::kAdmin)
                                                   : rights_.everything();
    if (may) {
      plan_.roles_restored.insert(id);
    } else {
      plan_.notes.push_back("the roles in workspace " + id.str() +
                            " stay as they are: that needs the Admin role in it");
    }
  }

  // What is common to datasets, reports and alerts: whether it is there, and what the mode makes of
  // that.
  PlanItem asset_item(const AssetRef& asset, WorkspaceId workspace, const std::string& name,
                      std::optional<WorkspaceId> lives_in) {
    const auto forked = fork_ids_.find(workspace.uuid());
    const bool moves = forked != fork_ids_.end();
    PlanItem item = new_item(asset, moves ? WorkspaceId(forked->second) : workspace, name);
    const Mode mode = mode_of(asset, workspace);
    if (!contents_.workspaces.contains(workspace)) {
      block(item, "its workspace is not in the archive");
    } else if (blocked_workspaces_.contains(workspace)) {
      block(item, "its workspace cannot be restored");
    } else if (moves && (mode == Mode::kFork || !request_.choices.contains(asset))) {
      item.action = Action::kFork;
      item.reason = "its workspace is forked";
      item.target_id = fork(asset.id);
    } else if (lives_in.has_value() && mode != Mode::kFork) {
      item.target_workspace = workspace;
      item.action = mode == Mode::kSkip ? Action::kSkip : Action::kOverwrite;
      item.reason = mode == Mode::kSkip ? "exists" : "differs";
    } else {
      item.target_workspace = workspace;
      if (lives_in.has_value()) {
        item.action = Action::kFork;
        item.reason = "exists";
      }
      if (lives_in.has_value()) item.target_id = fork(asset.id);
    }
    check_rights(item, workspace, lives_in);
    return item;
  }

  void check_rights(PlanItem& item, WorkspaceId workspace, std::optional<WorkspaceId> lives_in) {
    if (rights_.everything() || !writes(item)) return;
    const bool may = rights_.has(workspace, catalog::Role::kEditor) &&
                     (!lives_in.has_value() || rights_.has(*lives_in, catalog::Role::kEditor));
    if (may) return;
    const char* reason = "needs the Editor role in its workspace";
    if (item.action == Action::kOverwrite) {
      forbidden_[item.source] = reason;  // unless there is nothing to write
      return;
    }
    fork_ids_.erase(item.source.id);
    block(item, reason);
  }

  void plan_datasets() {
    for (const auto& [id, archived] : contents_.datasets) {
      const AssetRef asset{AssetKind::kDataset, id.uuid()};
      if (!contents_.selected.contains(asset) && !brought_.contains(asset)) continue;
      const auto found = live_.datasets.find(id);
      const LiveDataset* live = found == live_.datasets.end() ? nullptr : &found->second;
      const auto& record = archived.record;
      PlanItem item =
          asset_item(asset, record.workspace_id, record.name,
                     live == nullptr ? std::nullopt : std::optional(live->record.workspace_id));
      if (live != nullptr) item.newer_here = live->record.updated_at > record.updated_at;
      plan_rows(item, archived, live);
      add(std::move(item));
    }
  }

  // A dataset that there is or that comes.
  bool dataset_missing(DatasetId id) const {
    if (live_.datasets.contains(id)) return false;
    const AssetRef asset{AssetKind::kDataset, id.uuid()};
    return !contents_.datasets.contains(id) || blocked_.contains(asset);
  }

  template <class Id>
  void plan_briefs(AssetKind kind, const std::map<Id, AssetBrief>& archived,
                   const std::map<Id, AssetBrief>& live) {
    for (const auto& [id, brief] : archived) {
      const auto found = live.find(id);
      const bool exists = found != live.end();
      PlanItem item = asset_item({kind, id.uuid()}, brief.workspace, brief.name,
                                 exists ? std::optional(found->second.workspace) : std::nullopt);
      const auto missing = std::ranges::find_if(
          brief.datasets, [&](const DatasetId dataset) { return dataset_missing(dataset); });
      if (writes(item) && missing != brief.datasets.end()) {
        fork_ids_.erase(item.source.id);
        block(item, "its dataset " + missing->str() +
                        " is neither in the tenant nor in what can be restored");
      }
      if (item.action == Action::kOverwrite) item.before = found->second.digest;
      if (exists) item.newer_here = found->second.updated_at > brief.updated_at;
      add(std::move(item));
    }
  }

  void add(PlanItem item) {
    if (item.action == Action::kBlocked) blocked_.insert(item.source);
    plan_.items.push_back(std::move(item));
  }

  // What somebody could take for restored.
  void add_notes() {
    std::size_t shares = 0, roles = 0;
    for (const auto& item : plan_.items) {
      if (item.action != Action::kCreate && item.action != Action::kFork) continue;
      if (item.source.kind == AssetKind::kReport) {
        const auto& brief = contents_.reports.at(ReportId(item.source.id));
        const bool restored =
            plan_.grants_restored && plan_.roles_restored.contains(brief.workspace);
        shares += !restored && !brief.grants.empty() ? 1 : 0;
      } else if (item.source.kind == AssetKind::kWorkspace) {
        const WorkspaceId id(item.source.id);
        roles += !plan_.roles_restored.contains(id) && !contents_.workspaces.at(id).roles.empty();
      }
    }
    const auto counted = [](std::size_t count, const char* one, const char* many) {
      return std::to_string(count) + " " + (count == 1 ? one : many);
    };
    const std::string how = request_.with_roles ? ", which only an Admin there can give"
                                                : ", because roles were not asked for";
    if (roles > 0)
      plan_.notes.push_back(counted(roles, "workspace comes", "workspaces come") +
                            " back without roles" + how);
    if (shares > 0)
      plan_.notes.push_back(counted(shares, "report comes", "reports come") +
                            " back without being shared" + how);
  }

  void count_usage() {
    plan_.usage_before = live_.usage;
    plan_.usage_after = live_.usage;
    for (const auto& item : plan_.items) {
      if (item.action == Action::kCreate || item.action == Action::kFork)
        ++plan_.usage_after.assets;
      if (item.rows != RowsAction::kRestore) continue;
      const DatasetId id(item.source.id);
      plan_.usage_after.rows_bytes += contents_.datasets.at(id).rows->size_bytes;
      if (item.action == Action::kOverwrite)
        plan_.usage_after.rows_bytes -=
            std::min(plan_.usage_after.rows_bytes, live_.datasets.at(id).record.size_bytes);
    }
  }

  const Contents& contents_;
  const LiveState& live_;
  const Request& request_;
  const People people_;
  const Rights rights_;
  Plan plan_;
  std::map<Uuid, Uuid> fork_ids_;
  std::map<AssetRef, std::string> brought_;  // what comes along, and why
  std::map<AssetRef, std::vector<AssetRef>> needed_by_;
  std::set<AssetRef> blocked_;
  std::map<AssetRef, const char*> forbidden_;  // to be overwritten by who asks, and why
  std::set<WorkspaceId> blocked_workspaces_;
  Names workspace_names_;
  std::map<WorkspaceId, Names> dataset_names_, report_names_, alert_names_;
};

}  // namespace

Result<Plan> make_plan(const Contents& contents, const LiveState& live, const Request& request) {
  return Planner(contents, live, request).make();
}

std::map<Action, std::size_t> count_actions(const Plan& plan) {
  std::map<Action, std::size_t> counts;
  for (const auto& item : plan.items) ++counts[item.action];
  return counts;
}

bool writes(const PlanItem& item) {
  return item.action == Action::kCreate || item.action == Action::kOverwrite ||
         item.action == Action::kFork;
}

}  // namespace oa::restore
