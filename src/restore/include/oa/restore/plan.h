// A restore is a plan first: pure data, made from an archive's contents and the tenant's state,
// shown to a person, applied as it stands.
#pragma once

#include <string>
#include <vector>

#include "oa/restore/contents.h"
#include "oa/restore/live_state.h"

namespace oa::restore {

enum class Mode { kOverwrite, kFork, kSkip };  // what happens to an asset whose id exists already
std::string_view to_text(Mode mode);
Result<Mode> parse_mode(std::string_view text);

enum class Action { kCreate, kOverwrite, kFork, kSkip, kIdentical, kBlocked };
std::string_view to_text(Action action);

struct Request {
  RestoreId id;  // new ids of a fork derive from it, so a repeat makes the same ones
  Selection selection;
  Mode mode = Mode::kOverwrite;
  bool with_roles = false;  // grant the archived workspace roles, with the teams they need
  /// Restore the rest when something is blocked; otherwise the restore is refused.
  bool leave_out_blocked = false;
  /// Into a tenant that was made for it: bring every user and team of the archive.
  bool all_people = false;
};

enum class RowsAction { kNone, kRestore, kKeepLive, kNeedsRefresh };
std::string_view to_text(RowsAction action);

struct PlanItem {
  AssetRef source;
  Uuid target_id;
  WorkspaceId target_workspace;  // for a workspace: itself
  std::string name;              // as it will be
  Action action = Action::kCreate;
  RowsAction rows = RowsAction::kNone;
  std::string reason;
};

enum class UserMatch { kSameId, kSameEmail, kPlaceholder };

struct UserMapping {
  UserId archived;
  UserId target;
  UserMatch match = UserMatch::kSameId;
};

struct TeamMapping {
  TeamId archived;
  TeamId target;
  bool create = false;
};

struct Plan {
  RestoreId id;
  ArchiveId archive_id;
  Timestamp snapshot_time;
  TenantId tenant_id;
  Mode mode = Mode::kOverwrite;
  bool with_roles = false;
  bool leave_out_blocked = false;
  std::vector<PlanItem> items;     // workspaces, datasets, reports, alerts; each by id
  std::vector<UserMapping> users;  // those that the items need
  std::vector<TeamMapping> teams;
  std::vector<std::string> credentials;  // names of secrets that must be entered again
  std::string state_digest;              // of all that the plan saw of the tenant
};

/// Pure and total: one item for each selected asset and for each one brought along.
Plan make_plan(const Contents& contents, const LiveState& live, const Request& request);

/// How many items carry each action.
std::map<Action, std::size_t> count_actions(const Plan& plan);

/// The stable JSON form, for --json, for the record and for the hash.
json::value to_json(const Plan& plan);
/// SHA-256 of the canonical JSON: what a person approves.
std::string plan_hash(const Plan& plan);

}  // namespace oa::restore
