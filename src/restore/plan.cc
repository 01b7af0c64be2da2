#include "oa/restore/plan.h"

#include <algorithm>
#include <boost/json.hpp>

#include "oa/crypto/uuid5.h"
#include "rewrite.h"

namespace oa::restore {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// "Name (restored)", "Name (restored 2)" …, the first that is free; it is taken from then on.
std::string unique_name(const std::string& name, std::set<std::string>& taken) {
  for (int n = 1;; ++n) {
    std::string candidate =
        name + (n == 1 ? " (restored)" : " (restored " + std::to_string(n) + ")");
    if (taken.insert(candidate).second) return candidate;
  }
}

class Planner {
 public:
  Planner(const Contents& contents, const LiveState& live, const Request& request)
      : contents_(contents), live_(live), request_(request) {}

  Plan make() {
    plan_.id = request_.id;
    plan_.archive_id = contents_.archive_id;
    plan_.snapshot_time = contents_.snapshot_time;
    plan_.tenant_id = live_.tenant_id;
    plan_.mode = request_.mode;
    plan_.with_roles = request_.with_roles;
    plan_.leave_out_blocked = request_.leave_out_blocked;
    plan_.state_digest = state_digest(live_);
    map_people();
    collect_names();
    collect_dependencies();
    collect_workspaces();
    plan_workspaces();
    plan_datasets();
    plan_reports();
    plan_alerts();
    keep_needed_people();
    return std::move(plan_);
  }

 private:
  using Items = std::map<AssetRef, PlanItem>;

  bool selected(AssetKind kind, const Uuid& id) const {
    return contents_.selected.contains({kind, id});
  }
  bool workspace_forks(WorkspaceId id) const {
    return request_.mode == Mode::kFork && selected(AssetKind::kWorkspace, id.uuid()) &&
           live_.workspaces.contains(id);
  }

  void map_people() {
    std::map<std::string, UserId> by_email;
    for (const auto& [id, user] : live_.users) by_email[lower(user.email)] = id;
    for (const auto& [id, user] : contents_.users) {
      UserMapping mapping{id, id, UserMatch::kPlaceholder};
      const auto same_email = by_email.find(lower(user.email));
      if (live_.users.contains(id)) {
        mapping.match = UserMatch::kSameId;
      } else if (same_email != by_email.end()) {
        mapping = {id, same_email->second, UserMatch::kSameEmail};
      }
      user_map_[id] = mapping;
    }
    std::map<std::string, TeamId> by_name;
    for (const auto& [id, team] : live_.teams) by_name[team.name] = id;
    for (const auto& [id, team] : contents_.teams) {
      const auto same_name = by_name.find(team.name);
      TeamMapping mapping{id, id, false};
      if (!live_.teams.contains(id)) {
        mapping.create = same_name == by_name.end();
        if (!mapping.create) mapping.target = same_name->second;
      }
      team_map_[id] = mapping;
    }
  }

  Rewriter rewriter() const {
    std::map<UserId, UserId> users;
    for (const auto& [id, mapping] : user_map_) users[id] = mapping.target;
    std::map<TeamId, TeamId> teams;
    for (const auto& [id, mapping] : team_map_) teams[id] = mapping.target;
    return Rewriter(request_.id, fork_ids_, std::move(users), std::move(teams));
  }

  void collect_names() {
    for (const auto& [id, workspace] : live_.workspaces) workspace_names_.insert(workspace.name);
    for (const auto& [id, dataset] : live_.datasets)
      dataset_names_[dataset.record.workspace_id].insert(dataset.record.name);
    report_names_ = live_.report_names;
  }

  void need(DatasetId dataset, const std::string& by) {
    if (selected(AssetKind::kDataset, dataset.uuid()) || live_.datasets.contains(dataset)) return;
    if (contents_.datasets.contains(dataset)) brought_.emplace(dataset, "needed by " + by);
  }

  void collect_dependencies() {
    for (const auto& [id, report] : contents_.reports) {
      for (const auto& visual : report.visuals)
        need(visual.dataset_id, "report \"" + report.name + "\"");
    }
    for (const auto& [id, alert] : contents_.alerts)
      need(alert.dataset_id, "alert \"" + alert.name + "\"");
  }

  void hold(WorkspaceId workspace, std::string_view kind, const std::string& name) {
    if (selected(AssetKind::kWorkspace, workspace.uuid()) || live_.workspaces.contains(workspace))
      return;
    holders_.emplace(workspace, "holds " + std::string(kind) + " \"" + name + "\"");
  }

  void collect_workspaces() {
    for (const auto& [id, dataset] : contents_.datasets) {
      const bool comes = selected(AssetKind::kDataset, id.uuid()) || brought_.contains(id);
      if (comes) hold(dataset.record.workspace_id, "dataset", dataset.record.name);
    }
    for (const auto& [id, report] : contents_.reports)
      hold(report.workspace_id, "report", report.name);
    for (const auto& [id, alert] : contents_.alerts) hold(alert.workspace_id, "alert", alert.name);
  }

  void plan_workspaces() {
    for (const auto& [id, workspace] : contents_.workspaces) {
      const auto holder = holders_.find(id);
      const bool is_selected = selected(AssetKind::kWorkspace, id.uuid());
      if (!is_selected && holder == holders_.end()) continue;
      PlanItem item{{AssetKind::kWorkspace, id.uuid()},
                    id.uuid(),
                    id,
                    workspace.name,
                    Action::kCreate,
                    RowsAction::kNone,
                    {}};
      const auto live = live_.workspaces.find(id);
      if (holder != holders_.end()) {
        item.reason = holder->second;
      } else if (live == live_.workspaces.end()) {
        item.reason = "not in the tenant";
      } else if (request_.mode == Mode::kSkip) {
        item.action = Action::kSkip;
        item.reason = "exists";
      } else if (request_.mode == Mode::kFork) {
        item.action = Action::kFork;
        item.reason = "exists";
        item.target_id = fork(id.uuid());
        item.target_workspace = WorkspaceId(item.target_id);
        item.name = unique_name(workspace.name, workspace_names_);
      } else {
        const auto written =
            rewriter().workspace(workspace, item, request_.with_roles, &live->second);
        item.action = written == live->second ? Action::kIdentical : Action::kOverwrite;
        item.reason = item.action == Action::kIdentical ? "unchanged" : "differs";
      }
      plan_.items.push_back(std::move(item));
    }
  }

  Uuid fork(const Uuid& id) { return fork_ids_[id] = uuid5(request_.id.uuid(), id.str()); }

  WorkspaceId target_workspace(WorkspaceId archived) const {
    const auto forked = fork_ids_.find(archived.uuid());
    return forked == fork_ids_.end() ? archived : WorkspaceId(forked->second);
  }

  // What is common to datasets, reports and alerts: whether it is there, and what the mode makes of
  // that.
  PlanItem asset_item(AssetKind kind, const Uuid& id, WorkspaceId workspace,
                      const std::string& name, bool exists, std::set<std::string>* taken) {
    PlanItem item{{kind, id},
                  id,
                  target_workspace(workspace),
                  name,
                  Action::kCreate,
                  RowsAction::kNone,
                  "not in the tenant"};
    if (!contents_.workspaces.contains(workspace)) {
      item.action = Action::kBlocked;
      item.reason = "its workspace is not in the archive";
    } else if (workspace_forks(workspace)) {
      item.action = Action::kFork;
      item.reason = "its workspace is forked";
      item.target_id = fork(id);
    } else if (exists && request_.mode == Mode::kFork) {
      item.action = Action::kFork;
      item.reason = "exists";
      item.target_id = fork(id);
      if (taken != nullptr) item.name = unique_name(name, *taken);
    } else if (exists) {
      item.action = request_.mode == Mode::kSkip ? Action::kSkip : Action::kOverwrite;
      item.reason = request_.mode == Mode::kSkip ? "exists" : "differs";
    }
    return item;
  }

  void plan_datasets() {
    for (const auto& [id, archived] : contents_.datasets) {
      const auto why = brought_.find(id);
      if (!selected(AssetKind::kDataset, id.uuid()) && why == brought_.end()) continue;
      const auto live = live_.datasets.find(id);
      const bool exists = live != live_.datasets.end();
      const auto& record = archived.record;
      PlanItem item = asset_item(AssetKind::kDataset, id.uuid(), record.workspace_id, record.name,
                                 exists, &dataset_names_[record.workspace_id]);
      if (why != brought_.end() && item.action == Action::kCreate) item.reason = why->second;
      plan_rows(item, archived, exists ? &live->second : nullptr);
      const bool writes = item.action == Action::kCreate || item.action == Action::kOverwrite ||
                          item.action == Action::kFork;
      if (writes && record.source_ref.has_value() &&
          !live_.secret_names.contains(*record.source_ref)) {
        credentials_.insert(*record.source_ref);
      }
      if (writes) users_.insert(record.created_by);
      plan_.items.push_back(std::move(item));
    }
  }

  void plan_rows(PlanItem& item, const ArchivedDataset& archived, const LiveDataset* live) {
    if (item.action == Action::kSkip || item.action == Action::kBlocked) return;
    const bool same_rows = live != nullptr && archived.rows.has_value() &&
                           live->rows_digest.has_value() &&
                           *live->rows_digest == archived.rows->digest;
    const bool overwrites = item.action == Action::kOverwrite;
    OA_ASSERT(!overwrites || live != nullptr);
    if (archived.rows.has_value()) {
      item.rows = overwrites && same_rows ? RowsAction::kKeepLive : RowsAction::kRestore;
    } else if (overwrites && live->record.rows.has_value()) {
      item.rows = RowsAction::kKeepLive;
    } else if (archived.record.mode != catalog::DatasetMode::kDirect) {
      item.rows = RowsAction::kNeedsRefresh;
    }
    if (!overwrites || item.rows == RowsAction::kRestore) return;
    auto written = rewriter().dataset(archived.record, item);
    if (!archived.rows.has_value()) keep_rows(written, &live->record);
    if (catalog::content_digest(written) != catalog::content_digest(live->record)) return;
    item.action = Action::kIdentical;
    item.reason = "unchanged";
    item.rows = RowsAction::kNone;
  }

  // The first dataset that neither the tenant nor this restore has.
  bool dataset_missing(DatasetId id) const {
    return !live_.datasets.contains(id) && !contents_.datasets.contains(id);
  }

  void plan_reports() {
    for (const auto& [id, report] : contents_.reports) {
      const auto live = live_.reports.find(id);
      PlanItem item = asset_item(AssetKind::kReport, id.uuid(), report.workspace_id, report.name,
                                 live != live_.reports.end(), &report_names_[report.workspace_id]);
      for (const auto& visual : report.visuals) {
        if (item.action == Action::kSkip || !dataset_missing(visual.dataset_id)) continue;
        item.action = Action::kBlocked;
        item.reason = "its dataset " + visual.dataset_id.str() +
                      " is neither in the tenant nor in the archive";
      }
      if (item.action == Action::kOverwrite &&
          catalog::content_digest(rewriter().report(report, item)) ==
              catalog::content_digest(live->second)) {
        item.action = Action::kIdentical;
        item.reason = "unchanged";
      }
      add_asset(std::move(item), report.created_by);
    }
  }

  void plan_alerts() {
    for (const auto& [id, alert] : contents_.alerts) {
      const auto live = live_.alerts.find(id);
      PlanItem item = asset_item(AssetKind::kAlert, id.uuid(), alert.workspace_id, alert.name,
                                 live != live_.alerts.end(), nullptr);
      if (item.action != Action::kSkip && dataset_missing(alert.dataset_id)) {
        item.action = Action::kBlocked;
        item.reason = "its dataset " + alert.dataset_id.str() +
                      " is neither in the tenant nor in the archive";
      }
      if (item.action == Action::kOverwrite &&
          catalog::content_digest(rewriter().alert(alert, item)) ==
              catalog::content_digest(live->second)) {
        item.action = Action::kIdentical;
        item.reason = "unchanged";
      }
      add_asset(std::move(item), alert.created_by);
    }
  }

  void add_asset(PlanItem item, UserId created_by) {
    if (item.action == Action::kCreate || item.action == Action::kOverwrite ||
        item.action == Action::kFork) {
      users_.insert(created_by);
    }
    plan_.items.push_back(std::move(item));
  }

  void need_team(TeamId id) {
    const auto team = team_map_.find(id);
    if (team == team_map_.end()) return;
    plan_.teams.push_back(team->second);
    if (!team->second.create) return;
    const auto& members = contents_.teams.at(id).members;
    users_.insert(members.begin(), members.end());
  }

  void keep_needed_people() {
    std::set<TeamId> teams;
    for (const auto& item : plan_.items) {
      if (!request_.with_roles || item.source.kind != AssetKind::kWorkspace ||
          item.action == Action::kSkip)
        continue;
      for (const auto& grant : contents_.workspaces.at(WorkspaceId(item.source.id)).roles) {
        if (grant.kind == catalog::PrincipalKind::kUser) users_.insert(UserId(grant.principal));
        if (grant.kind == catalog::PrincipalKind::kTeam) teams.insert(TeamId(grant.principal));
      }
    }
    if (request_.all_people) {
      for (const auto& [id, team] : contents_.teams) teams.insert(id);
      for (const auto& [id, user] : contents_.users) users_.insert(id);
    }
    for (const auto id : teams) need_team(id);
    for (const auto id : users_) {
      if (const auto mapping = user_map_.find(id); mapping != user_map_.end())
        plan_.users.push_back(mapping->second);
    }
    plan_.credentials.assign(credentials_.begin(), credentials_.end());
  }

  const Contents& contents_;
  const LiveState& live_;
  const Request& request_;
  Plan plan_;
  std::map<UserId, UserMapping> user_map_;
  std::map<TeamId, TeamMapping> team_map_;
  std::map<Uuid, Uuid> fork_ids_;
  std::map<DatasetId, std::string> brought_;    // datasets that come along, and why
  std::map<WorkspaceId, std::string> holders_;  // workspaces that come along, and why
  std::set<std::string> workspace_names_;
  std::map<WorkspaceId, std::set<std::string>> dataset_names_;
  std::map<WorkspaceId, std::set<std::string>> report_names_;
  std::set<UserId> users_;
  std::set<std::string> credentials_;
};

}  // namespace

std::string_view to_text(Mode mode) {
  switch (mode) {
    case Mode::kOverwrite:
      return "overwrite";
    case Mode::kFork:
      return "fork";
    case Mode::kSkip:
      return "skip";
  }
  return {};
}

Result<Mode> parse_mode(std::string_view text) {
  for (const Mode mode : {Mode::kOverwrite, Mode::kFork, Mode::kSkip}) {
    if (text == to_text(mode)) return mode;
  }
  return make_error(ErrorCode::kInvalidArgument, "restore.mode",
                    "the mode is overwrite, fork or skip");
}

std::string_view to_text(Action action) {
  switch (action) {
    case Action::kCreate:
      return "create";
    case Action::kOverwrite:
      return "overwrite";
    case Action::kFork:
      return "fork";
    case Action::kSkip:
      return "skip";
    case Action::kIdentical:
      return "identical";
    case Action::kBlocked:
      return "blocked";
  }
  return {};
}

std::string_view to_text(RowsAction action) {
  switch (action) {
    case RowsAction::kNone:
      return "none";
    case RowsAction::kRestore:
      return "restore";
    case RowsAction::kKeepLive:
      return "keep-live";
    case RowsAction::kNeedsRefresh:
      return "needs-refresh";
  }
  return {};
}

Plan make_plan(const Contents& contents, const LiveState& live, const Request& request) {
  return Planner(contents, live, request).make();
}

std::map<Action, std::size_t> count_actions(const Plan& plan) {
  std::map<Action, std::size_t> counts;
  for (const auto& item : plan.items) ++counts[item.action];
  return counts;
}

json::value to_json(const Plan& plan) {
  json::array items;
  for (const auto& item : plan.items) {
    items.push_back(json::object{{"kind", to_text(item.source.kind)},
                                 {"id", item.source.id.str()},
                                 {"target_id", item.target_id.str()},
                                 {"workspace_id", item.target_workspace.str()},
                                 {"name", item.name},
                                 {"action", to_text(item.action)},
                                 {"rows", to_text(item.rows)},
                                 {"reason", item.reason}});
  }
  json::array users;
  for (const auto& user : plan.users) {
    const char* how = user.match == UserMatch::kSameId      ? "same-id"
                      : user.match == UserMatch::kSameEmail ? "same-email"
                                                            : "placeholder";
    users.push_back(json::object{
        {"id", user.archived.str()}, {"target_id", user.target.str()}, {"match", how}});
  }
  json::array teams;
  for (const auto& team : plan.teams) {
    teams.push_back(json::object{
        {"id", team.archived.str()}, {"target_id", team.target.str()}, {"create", team.create}});
  }
  json::array credentials;
  for (const auto& name : plan.credentials) credentials.emplace_back(name);
  return json::object{{"restore_id", plan.id.str()},
                      {"archive_id", plan.archive_id.str()},
                      {"snapshot_time", plan.snapshot_time.rfc3339()},
                      {"tenant_id", plan.tenant_id.str()},
                      {"mode", to_text(plan.mode)},
                      {"with_roles", plan.with_roles},
                      {"leave_out_blocked", plan.leave_out_blocked},
                      {"items", std::move(items)},
                      {"users", std::move(users)},
                      {"teams", std::move(teams)},
                      {"credentials_to_enter", std::move(credentials)},
                      {"state_digest", plan.state_digest}};
}

std::string plan_hash(const Plan& plan) {
  return to_hex(Sha256::of(as_bytes(canonical_json(to_json(plan)))));
}

}  // namespace oa::restore
