// What somebody may do with a restore.
#pragma once

#include "oa/restore/live_state.h"

namespace oa::restore {

/// The rights of who asks; of the operator, when nobody does. An Owner has Admin rights everywhere;
/// an Admin manages a workspace's members, an Editor changes and shares what is in it.
class Rights {
 public:
  Rights(const LiveState& live, const std::optional<UserId>& user);
  bool everything() const { return everything_; }
  /// At least `role` in that workspace of the tenant.
  bool has(WorkspaceId workspace, catalog::Role role) const;

 private:
  bool everything_ = false;
  std::map<WorkspaceId, catalog::Role> roles_;
};

/// kPermissionDenied when `user` is no active user of the tenant.
Status check_person(const LiveState& live, const std::optional<UserId>& user);

}  // namespace oa::restore
