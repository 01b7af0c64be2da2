#include "restore_model.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

#include "oa/crypto/uuid5.h"

namespace oa::testkit {
namespace {

using catalog::PrincipalKind;
using catalog::RoleGrant;
using restore::Action;
using restore::AssetKind;
using restore::AssetRef;
using restore::Mode;

std::string ascii_lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// What datasets, reports and alerts have in common.
struct Asset {
  AssetRef ref;
  WorkspaceId home;
  std::string name;
  UserId author;
  std::set<DatasetId> needs;
};

std::vector<Asset> assets_of(const TenantState& state) {
  std::vector<Asset> assets;
  for (const auto& [id, d] : state.datasets)
    assets.push_back({{AssetKind::kDataset, id.uuid()}, d.workspace_id, d.name, d.created_by, {}});
  for (const auto& [id, r] : state.reports) {
    std::set<DatasetId> needs;
    for (const auto& visual : r.visuals) needs.insert(visual.dataset_id);
    assets.push_back(
        {{AssetKind::kReport, id.uuid()}, r.workspace_id, r.name, r.created_by, needs});
  }
  for (const auto& [id, a] : state.alerts)
    assets.push_back(
        {{AssetKind::kAlert, id.uuid()}, a.workspace_id, a.name, a.created_by, {a.dataset_id}});
  return assets;
}

bool has(const TenantState& state, const AssetRef& ref) {
  switch (ref.kind) {
    case AssetKind::kWorkspace:
      return state.workspaces.contains(WorkspaceId(ref.id));
    case AssetKind::kDataset:
      return state.datasets.contains(DatasetId(ref.id));
    case AssetKind::kReport:
      return state.reports.contains(ReportId(ref.id));
    case AssetKind::kAlert:
      return state.alerts.contains(AlertId(ref.id));
  }
  return false;
}

// Replaces ids in the text of a document, where they stand as words.
JsonText with_new_ids(const JsonText& document, const std::map<Uuid, Uuid>& ids) {
  const auto in_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  std::string text = document.str();
  for (const auto& [before, after] : ids) {
    const std::string id = before.str();
    for (std::size_t at = 0; (at = text.find(id, at)) != std::string::npos; ++at) {
      if (!in_word(text[at - 1]) && !in_word(text[at + id.size()]))
        text.replace(at, id.size(), after.str());
    }
  }
  return *JsonText::parse(text);
}

class Model {
 public:
  Model(const TenantState& archived, const TenantState& live, const restore::Request& request)
      : archived_(archived), live_(live), request_(request), assets_(assets_of(archived)) {}

  Prediction predict() {
    select();
    decide_workspaces();
    for (const auto& asset : assets_) {
      if (selected_.contains(asset.ref)) actions_[asset.ref] = action_of(asset);
    }
    for (const auto& asset : assets_) look_for_datasets(asset);
    for (const auto& asset : assets_) look_for_workspace(asset);
    for (const auto& [ref, action] : actions_) {
      const bool forks = action == Action::kFork;
      targets_[ref] = forks ? new_id(ref.id) : ref.id;
      if (forks) moved_[ref.id] = targets_[ref];
    }
    map_people();
    choose_names();
    out_.after = live_;
    write();
    for (const auto& [ref, action] : actions_) {
      out_.items[ref] = {action, targets_[ref], names_[ref]};
      out_.blocked |= action == Action::kBlocked;
    }
    return std::move(out_);
  }

 private:
  static bool writes(Action action) {
    return action == Action::kCreate || action == Action::kOverwrite || action == Action::kFork;
  }
  bool writes(const AssetRef& ref) const {
    const auto found = actions_.find(ref);
    return found != actions_.end() && writes(found->second);
  }
  Uuid new_id(const Uuid& old) const { return uuid5(request_.id.uuid(), old.str()); }
  static AssetRef ref_of(WorkspaceId id) { return {AssetKind::kWorkspace, id.uuid()}; }
  static AssetRef ref_of(DatasetId id) { return {AssetKind::kDataset, id.uuid()}; }

  void select() {
    for (const auto& [id, workspace] : archived_.workspaces) {
      if (request_.selection.everything || request_.selection.assets.contains(ref_of(id)))
        selected_.insert(ref_of(id));
    }
    for (const auto& asset : assets_) {
      if (selected_.contains(ref_of(asset.home)) || request_.selection.assets.contains(asset.ref))
        selected_.insert(asset.ref);
    }
  }

  Mode mode_of(const AssetRef& ref, WorkspaceId home) const {
    if (const auto own = request_.choices.find(ref); own != request_.choices.end())
      return own->second;
    const auto of_home = request_.choices.find(ref_of(home));
    return of_home == request_.choices.end() ? request_.mode : of_home->second;
  }

  static Action action_for(Mode mode) {
    return mode == Mode::kFork ? Action::kFork
                               : (mode == Mode::kSkip ? Action::kSkip : Action::kOverwrite);
  }

  void decide_workspaces() {
    for (const auto& [id, workspace] : archived_.workspaces) {
      if (!selected_.contains(ref_of(id))) continue;
      const bool live = live_.workspaces.contains(id);
      actions_[ref_of(id)] = live ? action_for(mode_of(ref_of(id), id)) : Action::kCreate;
    }
  }

  // A whole workspace forks with what is in it, but for what was chosen to be treated otherwise.
  bool moves(const Asset& asset) const {
    const auto home = actions_.find(ref_of(asset.home));
    if (home == actions_.end() || home->second != Action::kFork) return false;
    const auto own = request_.choices.find(asset.ref);
    return own == request_.choices.end() || own->second == Mode::kFork;
  }

  Action action_of(const Asset& asset) const {
    if (moves(asset)) return Action::kFork;
    return has(live_, asset.ref) ? action_for(mode_of(asset.ref, asset.home)) : Action::kCreate;
  }

  // What is neither here nor selected comes along, or blocks when the archive has it not.
  void look_for_datasets(const Asset& asset) {
    if (!writes(asset.ref)) return;
    std::set<DatasetId> absent;
    for (const auto id : asset.needs) {
      if (!live_.datasets.contains(id) && !selected_.contains(ref_of(id))) absent.insert(id);
    }
    for (const auto id : absent) {
      if (!archived_.datasets.contains(id)) actions_[asset.ref] = Action::kBlocked;
    }
    if (!writes(asset.ref)) return;
    for (const auto id : absent) actions_[ref_of(id)] = Action::kCreate;
  }

  void look_for_workspace(const Asset& asset) {
    if (!writes(asset.ref) || live_.workspaces.contains(asset.home)) return;
    actions_.emplace(ref_of(asset.home), Action::kCreate);
  }

  void map_people() {
    for (const auto& [id, user] : archived_.users) {
      users_[id] = id;
      if (live_.users.contains(id)) continue;
      for (const auto& [other, here] : live_.users) {
        if (ascii_lower(here.email) == ascii_lower(user.email)) users_[id] = other;
      }
    }
    for (const auto& [id, team] : archived_.teams) {
      teams_[id] = id;
      if (live_.teams.contains(id)) continue;
      for (const auto& [other, here] : live_.teams) {
        if (here.name == team.name) teams_[id] = other;
      }
    }
  }

  // Who stands for an archived user; a placeholder is made when it is the first time.
  UserId user(UserId archived) {
    const UserId target = users_.at(archived);
    if (out_.after.users.contains(target)) return target;
    catalog::User placeholder = archived_.users.at(archived);
    placeholder.active = placeholder.owner = false;
    out_.after.users[target] = placeholder;
    return target;
  }

  TeamId team(TeamId archived) {
    const TeamId target = teams_.at(archived);
    if (out_.after.teams.contains(target)) return target;
    catalog::Team made = archived_.teams.at(archived);
    std::set<UserId> members;
    for (const auto member : made.members) members.insert(user(member));
    made.members.assign(members.begin(), members.end());
    out_.after.teams[target] = made;
    return target;
  }

  // Two archived people can be one here, who then has the higher of their roles.
  std::vector<RoleGrant> grants(const std::vector<RoleGrant>& archived) {
    std::map<std::pair<PrincipalKind, Uuid>, catalog::Role> held;
    for (const auto& grant : archived) {
      const Uuid principal = grant.kind == PrincipalKind::kUser
                                 ? user(UserId(grant.principal)).uuid()
                                 : team(TeamId(grant.principal)).uuid();
      auto& role = held[{grant.kind, principal}];
      role = std::max(role, grant.role);
    }
    std::vector<RoleGrant> out;
    for (const auto& [who, role] : held) out.push_back({who.first, who.second, role});
    return out;
  }

  WorkspaceId target_home(const AssetRef& ref, WorkspaceId archived) const {
    const auto forked = moved_.find(archived.uuid());
    const bool moves = forked != moved_.end() && actions_.at(ref) == Action::kFork;
    return moves ? WorkspaceId(forked->second) : archived;
  }

  // What is new takes no name that something of its kind has here.
  void choose_names() {
    using Place = std::pair<AssetKind, WorkspaceId>;
    std::map<Place, std::set<std::string>> taken;
    for (const auto& [id, workspace] : live_.workspaces)
      taken[{AssetKind::kWorkspace, {}}].insert(workspace.name);
    for (const auto& asset : assets_of(live_))
      taken[{asset.ref.kind, asset.home}].insert(asset.name);
    const auto choose = [&](const AssetRef& ref, const Place& place, const std::string& own) {
      std::string name = own;
      auto& names = taken[place];
      for (int n = 1; names.contains(name); ++n)
        name = own + (n == 1 ? " (restored)" : " (restored " + std::to_string(n) + ")");
      if (name != own) names.insert(name);
      names_[ref] = name;
    };
    for (const auto& [id, workspace] : archived_.workspaces) {
      const auto action = actions_.find(ref_of(id));
      if (action == actions_.end()) continue;
      names_[ref_of(id)] = workspace.name;
      if (action->second == Action::kCreate || action->second == Action::kFork)
        choose(ref_of(id), {AssetKind::kWorkspace, {}}, workspace.name);
    }
    for (const auto& asset : assets_) {  // each kind by id
      const auto action = actions_.find(asset.ref);
      if (action == actions_.end()) continue;
      names_[asset.ref] = asset.name;
      const bool is_new = action->second == Action::kCreate || action->second == Action::kFork;
      if (is_new && target_home(asset.ref, asset.home) == asset.home)
        choose(asset.ref, {asset.ref.kind, asset.home}, asset.name);
    }
  }

  // Writes one record, unless the very same is there.
  template <class Key, class Record>
  void put(const AssetRef& ref, std::map<Key, Record>& records, Record record) {
    record.id = Key(targets_.at(ref));
    record.name = names_.at(ref);
    const auto live = records.find(record.id);
    if (live != records.end() && live->second == record) {
      actions_.at(ref) = Action::kIdentical;
    } else {
      records[record.id] = std::move(record);
    }
  }

  void write() {
    for (const auto& [id, workspace] : archived_.workspaces) {
      if (writes(ref_of(id))) write(workspace);
    }
    for (const auto& [id, dataset] : archived_.datasets) {
      if (writes(ref_of(id))) write(dataset);
    }
    for (const auto& [id, report] : archived_.reports) {
      if (writes({AssetKind::kReport, id.uuid()})) write(report);
    }
    for (const auto& [id, alert] : archived_.alerts) {
      if (writes({AssetKind::kAlert, id.uuid()})) write(alert);
    }
  }

  void write(catalog::Workspace workspace) {
    const AssetRef ref = ref_of(workspace.id);
    const bool overwrites = actions_.at(ref) == Action::kOverwrite;
    if (request_.with_roles) {
      workspace.roles = grants(workspace.roles);
    } else {
      workspace.roles.clear();
      if (overwrites) workspace.roles = live_.workspaces.at(workspace.id).roles;
    }
    put(ref, out_.after.workspaces, workspace);
  }

  void write(catalog::Dataset dataset) {
    const AssetRef ref = ref_of(dataset.id);
    const DatasetId target(targets_.at(ref));
    const auto rows = archived_.rows.find(dataset.id);
    const auto live_rows = live_.rows.find(target);
    bool same_rows = true;
    if (rows != archived_.rows.end()) {
      same_rows = live_rows != live_.rows.end() && live_rows->second == rows->second;
      out_.after.rows[target] = rows->second;
    } else if (live_rows != live_.rows.end()) {
      // The archive knows nothing of rows: those that are here stay.
      const auto& live = live_.datasets.at(target);
      dataset.state = live.state;
      dataset.versions = live.versions;
      dataset.row_count = live.row_count;
      dataset.size_bytes = live.size_bytes;
      dataset.last_refresh_at = live.last_refresh_at;
    } else if (dataset.mode != catalog::DatasetMode::kDirect) {
      dataset.state = catalog::DatasetState::kCreated;
      dataset.row_count = dataset.size_bytes = 0;
      dataset.last_refresh_at.reset();
    }
    dataset.workspace_id = target_home(ref, dataset.workspace_id);
    dataset.created_by = user(dataset.created_by);
    const Action action = actions_.at(ref);
    put(ref, out_.after.datasets, dataset);
    if (!same_rows) actions_.at(ref) = action;
  }

  void write(catalog::Report report) {
    const AssetRef ref{AssetKind::kReport, report.id.uuid()};
    const bool overwrites = actions_.at(ref) == Action::kOverwrite;
    std::map<Uuid, Uuid> ids = moved_;
    if (actions_.at(ref) == Action::kFork) {
      for (auto& visual : report.visuals) {
        ids[visual.id.uuid()] = new_id(visual.id.uuid());
        visual.id = VisualId(new_id(visual.id.uuid()));
      }
      for (auto& bookmark : report.bookmarks) {
        ids[bookmark.id.uuid()] = new_id(bookmark.id.uuid());
        bookmark.id = BookmarkId(new_id(bookmark.id.uuid()));
      }
    }
    report.workspace_id = target_home(ref, report.workspace_id);
    report.layout = with_new_ids(report.layout, ids);
    report.filters = with_new_ids(report.filters, ids);
    for (auto& visual : report.visuals) {
      if (const auto forked = moved_.find(visual.dataset_id.uuid()); forked != moved_.end())
        visual.dataset_id = DatasetId(forked->second);
      visual.query = with_new_ids(visual.query, ids);
      visual.options = with_new_ids(visual.options, ids);
    }
    for (auto& bookmark : report.bookmarks) bookmark.state = with_new_ids(bookmark.state, ids);
    if (request_.with_roles) {
      report.grants = grants(report.grants);
    } else {
      report.grants.clear();
      if (overwrites) report.grants = live_.reports.at(report.id).grants;
    }
    report.created_by = user(report.created_by);
    put(ref, out_.after.reports, report);
  }

  void write(catalog::Alert alert) {
    const AssetRef ref{AssetKind::kAlert, alert.id.uuid()};
    alert.workspace_id = target_home(ref, alert.workspace_id);
    if (const auto forked = moved_.find(alert.dataset_id.uuid()); forked != moved_.end())
      alert.dataset_id = DatasetId(forked->second);
    alert.condition = with_new_ids(alert.condition, moved_);
    alert.channels = with_new_ids(alert.channels, moved_);
    alert.created_by = user(alert.created_by);
    put(ref, out_.after.alerts, alert);
  }

  const TenantState& archived_;
  const TenantState& live_;
  const restore::Request& request_;
  const std::vector<Asset> assets_;  // archived
  std::set<AssetRef> selected_;
  std::map<AssetRef, Action> actions_;
  std::map<AssetRef, Uuid> targets_;
  std::map<AssetRef, std::string> names_;
  std::map<Uuid, Uuid> moved_;  // forks: archived id to new id
  std::map<UserId, UserId> users_;
  std::map<TeamId, TeamId> teams_;
  Prediction out_;
};

}  // namespace

TenantState archived_part(const TenantState& state, const std::set<WorkspaceId>& workspaces,
                          bool with_rows) {
  TenantState part = state;
  if (!with_rows) part.rows.clear();
  if (workspaces.empty()) return part;
  const auto elsewhere = [&](const auto& entry) {
    return !workspaces.contains(entry.second.workspace_id);
  };
  std::erase_if(part.workspaces,
                [&](const auto& entry) { return !workspaces.contains(entry.first); });
  std::erase_if(part.datasets, elsewhere);
  std::erase_if(part.reports, elsewhere);
  std::erase_if(part.alerts, elsewhere);
  std::erase_if(part.rows, [&](const auto& entry) { return !part.datasets.contains(entry.first); });
  std::set<Uuid> people;  // who made something or holds a role, by themselves or in a team
  const auto add = [&](const std::vector<RoleGrant>& grants) {
    for (const auto& grant : grants) people.insert(grant.principal);
  };
  for (const auto& [id, workspace] : part.workspaces) add(workspace.roles);
  for (const auto& [id, report] : part.reports) add(report.grants);
  for (const auto& asset : assets_of(part)) people.insert(asset.author.uuid());
  std::erase_if(part.teams,
                [&](const auto& entry) { return !people.contains(entry.first.uuid()); });
  for (const auto& [id, team] : part.teams) {
    for (const auto member : team.members) people.insert(member.uuid());
  }
  std::erase_if(part.users,
                [&](const auto& entry) { return !people.contains(entry.first.uuid()); });
  return part;
}

Prediction predict(const TenantState& archived, const TenantState& live,
                   const restore::Request& request) {
  return Model(archived, live, request).predict();
}

}  // namespace oa::testkit
