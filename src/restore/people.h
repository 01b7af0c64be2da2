// Whom the people of an archive are in the tenant.
#pragma once

#include "oa/restore/plan.h"

namespace oa::restore {

/// By id, then by address; who was erased since by id alone.
class People {
 public:
  People(const Contents& contents, const LiveState& live);
  const std::map<UserId, UserMapping>& users() const { return users_; }
  const std::map<TeamId, TeamMapping>& teams() const { return teams_; }
  std::map<UserId, UserId> user_targets() const;
  std::map<TeamId, TeamId> team_targets() const;

 private:
  std::map<UserId, UserMapping> users_;
  std::map<TeamId, TeamMapping> teams_;
};

/// Puts into the plan whom its items need, and which credentials; all of the archive's people when
/// `everybody`.
void keep_needed_people(const Contents& contents, const LiveState& live, const People& people,
                        bool everybody, Plan& plan);

/// Tells one state of a person or a team from another.
AssetDigest person_digest(const catalog::User& user);
AssetDigest team_digest(const catalog::Team& team);

/// The team that a restore makes, its members those whom the archived ones are here.
catalog::Team new_team(const catalog::Team& archived, const std::map<UserId, UserId>& targets,
                       const std::set<UserId>& erased);

/// The inactive user that a restore makes where something needs one: never an Owner, never with
/// credentials; of an erased person only the id.
catalog::User placeholder(const UserMapping& mapping, const catalog::User& archived);

}  // namespace oa::restore
