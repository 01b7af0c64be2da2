#include "people.h"

#include "oa/privacy/erased_user.h"

#include <boost/json.hpp>

#include "oa/crypto/hash.h"

namespace oa::restore {
namespace {

AssetDigest digest_of(const json::object& object) {
  return Sha256::of(as_bytes(canonical_json(object)));
}

class NeededPeople {
 public:
  NeededPeople(const Contents& contents, const LiveState& live, const Plan& plan)
      : contents_(contents), live_(live), plan_(plan) {}

  void add(const PlanItem& item) {
    const Uuid& id = item.source.id;
    if (item.source.kind == AssetKind::kWorkspace) {
      if (plan_.roles_restored.contains(WorkspaceId(id)))
        add_grantees(contents_.workspaces.at(WorkspaceId(id)).roles);
    } else if (item.source.kind == AssetKind::kDataset) {
      const auto& record = contents_.datasets.at(DatasetId(id)).record;
      users.insert(record.created_by);
      if (record.source_ref.has_value() && !live_.secret_names.contains(*record.source_ref))
        credentials.insert(*record.source_ref);
    } else if (item.source.kind == AssetKind::kReport) {
      const auto& brief = contents_.reports.at(ReportId(id));
      users.insert(brief.created_by);
      if (plan_.grants_restored && plan_.roles_restored.contains(brief.workspace))
        add_grantees(brief.grants);
    } else {
      users.insert(contents_.alerts.at(AlertId(id)).created_by);
    }
  }

  void add_members_of_new_teams(const People& people) {
    for (const auto id : teams) {
      const auto team = people.teams().find(id);
      if (team == people.teams().end() || !team->second.create) continue;
      for (const auto member : contents_.teams.at(id).members) add_person(member);
    }
  }

  std::set<UserId> users;
  std::set<TeamId> teams;
  std::set<std::string> credentials;

 private:
  void add_grantees(const std::vector<catalog::RoleGrant>& grants) {
    for (const auto& grant : grants) {
      if (grant.kind == catalog::PrincipalKind::kUser) add_person(UserId(grant.principal));
      if (grant.kind == catalog::PrincipalKind::kTeam) teams.insert(TeamId(grant.principal));
    }
  }

  // Who was erased gets no role and no membership back.
  void add_person(UserId id) {
    if (!live_.erased.contains(id)) users.insert(id);
  }

  const Contents& contents_;
  const LiveState& live_;
  const Plan& plan_;
};

}  // namespace

void keep_needed_people(const Contents& contents, const LiveState& live, const People& people,
                        bool everybody, Plan& plan) {
  NeededPeople needed(contents, live, plan);
  for (const auto& item : plan.items) {
    if (writes(item)) needed.add(item);
  }
  if (everybody) {
    for (const auto& [id, team] : contents.teams) needed.teams.insert(id);
    for (const auto& [id, user] : contents.users) {
      if (!live.erased.contains(id)) needed.users.insert(id);
    }
  }
  needed.add_members_of_new_teams(people);
  const auto targets = people.user_targets();
  for (const auto id : needed.teams) {
    const auto team = people.teams().find(id);
    if (team == people.teams().end()) continue;
    auto& mapping = plan.teams.emplace_back(team->second);
    if (mapping.create)
      mapping.digest = team_digest(new_team(contents.teams.at(id), targets, live.erased));
  }
  for (const auto id : needed.users) {
    const auto user = people.users().find(id);
    if (user == people.users().end()) continue;
    auto& mapping = plan.users.emplace_back(user->second);
    if (mapping.create) mapping.digest = person_digest(placeholder(mapping, contents.users.at(id)));
  }
  plan.credentials.assign(needed.credentials.begin(), needed.credentials.end());
}

People::People(const Contents& contents, const LiveState& live) {
  std::map<std::string, UserId> by_email;
  for (const auto& [id, user] : live.users) by_email[catalog::email_key(user.email)] = id;
  for (const auto& [id, user] : contents.users) {
    const bool is_here = live.users.contains(id);
    const auto same_email = by_email.find(catalog::email_key(user.email));
    if (live.erased.contains(id)) {
      users_[id] = {id, id, UserMatch::kErased, !is_here, {}};
    } else if (is_here) {
      users_[id] = {id, id, UserMatch::kSameId, false, {}};
    } else if (same_email != by_email.end()) {
      users_[id] = {id, same_email->second, UserMatch::kSameEmail, false, {}};
    } else {
      users_[id] = {id, id, UserMatch::kPlaceholder, true, {}};
    }
  }
  // By name only where that leaves no choice.
  std::map<std::string, std::vector<TeamId>> here, archived;
  for (const auto& [id, team] : live.teams) {
    if (!contents.teams.contains(id)) here[team.name].push_back(id);
  }
  for (const auto& [id, team] : contents.teams) {
    if (!live.teams.contains(id)) archived[team.name].push_back(id);
  }
  for (const auto& [id, team] : contents.teams) {
    const auto same_name = here.find(team.name);
    if (live.teams.contains(id)) {
      teams_[id] = {id, id, false, {}};
    } else if (same_name != here.end() && same_name->second.size() == 1 &&
               archived[team.name].size() == 1) {
      teams_[id] = {id, same_name->second.front(), false, {}};
    } else {
      teams_[id] = {id, id, true, {}};
    }
  }
}

std::map<UserId, UserId> People::user_targets() const {
  std::map<UserId, UserId> targets;
  for (const auto& [id, mapping] : users_) targets[id] = mapping.target;
  return targets;
}

std::map<TeamId, TeamId> People::team_targets() const {
  std::map<TeamId, TeamId> targets;
  for (const auto& [id, mapping] : teams_) targets[id] = mapping.target;
  return targets;
}

AssetDigest person_digest(const catalog::User& user) {
  return digest_of(json::object{{"id", user.id.str()},
                                {"email", user.email},
                                {"first_name", user.first_name},
                                {"last_name", user.last_name},
                                {"attributes", user.attributes.value()},
                                {"active", user.active},
                                {"owner", user.owner}});
}

AssetDigest team_digest(const catalog::Team& team) {
  json::array members;
  for (const auto member : team.members) members.emplace_back(member.str());
  return digest_of(
      json::object{{"id", team.id.str()}, {"name", team.name}, {"members", std::move(members)}});
}

catalog::Team new_team(const catalog::Team& archived, const std::map<UserId, UserId>& targets,
                       const std::set<UserId>& erased) {
  catalog::Team team = archived;
  std::set<UserId> members;
  for (const auto member : archived.members) {
    const auto target = targets.find(member);
    if (target != targets.end() && !erased.contains(member)) members.insert(target->second);
  }
  team.members.assign(members.begin(), members.end());
  return team;
}

catalog::User placeholder(const UserMapping& mapping, const catalog::User& archived) {
  catalog::User user = archived;
  user.active = false;
  user.owner = false;
  if (mapping.match != UserMatch::kErased) return user;
  return privacy::erased_user(user.id, archived.created_at);
}

}  // namespace oa::restore
