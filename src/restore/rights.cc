#include "rights.h"

#include <algorithm>

namespace oa::restore {

Rights::Rights(const LiveState& live, const std::optional<UserId>& user) {
  everything_ = !user.has_value();
  if (everything_) return;
  const auto person = live.users.find(*user);
  if (person == live.users.end() || !person->second.active) return;
  everything_ = person->second.owner;
  std::set<Uuid> principals{user->uuid()};
  for (const auto& [id, team] : live.teams) {
    if (std::ranges::binary_search(team.members, *user)) principals.insert(id.uuid());
  }
  for (const auto& [id, workspace] : live.workspaces) {
    for (const auto& grant : workspace.roles) {
      if (!principals.contains(grant.principal)) continue;
      const auto [role, is_new] = roles_.emplace(id, grant.role);
      if (!is_new) role->second = std::max(role->second, grant.role);
    }
  }
}

bool Rights::has(WorkspaceId workspace, catalog::Role role) const {
  if (everything_) return true;
  const auto found = roles_.find(workspace);
  return found != roles_.end() && found->second >= role;
}

Status check_person(const LiveState& live, const std::optional<UserId>& user) {
  if (!user.has_value()) return {};
  const auto person = live.users.find(*user);
  if (person != live.users.end() && person->second.active) return {};
  return make_error(ErrorCode::kPermissionDenied, "restore",
                    "who asks for the restore is no active user of the tenant")
      .with_hint("an Owner, or an Editor or Admin of the workspace, can restore");
}

}  // namespace oa::restore
