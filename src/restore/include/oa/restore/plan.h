// A restore is a plan first: pure data, made from an archive's contents and the tenant's state,
// shown to a person, approved by its hash and applied as it stands.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "oa/restore/contents.h"
#include "oa/restore/live_state.h"

namespace oa::restore {

enum class Mode { kOverwrite, kFork, kSkip };  // what happens to an asset whose id exists already
std::string_view to_text(Mode mode);
Result<Mode> parse_mode(std::string_view text);

/// kRemove only in an undo.
enum class Action { kCreate, kOverwrite, kFork, kSkip, kIdentical, kBlocked, kRemove };
std::string_view to_text(Action action);

struct Request {
  RestoreId id;  // new ids of a fork derive from it, so a repeat makes the same ones
  catalog::RestoreKind kind = catalog::RestoreKind::kRestore;  // kRestore or kImport
  Selection selection;
  Mode mode = Mode::kOverwrite;
  /// For one asset instead of `mode`. A workspace's holds for what is in it and has none itself.
  std::map<AssetRef, Mode> choices;
  /// Restore the archived workspace roles and the grants of reports, with the teams they need, as
  /// far as `requested_by` could give them.
  bool with_roles = false;
  /// Restore the rest when something is blocked; otherwise the restore is refused.
  bool leave_out_blocked = false;
  /// Into a tenant that was made for it: bring every user and team of the archive.
  bool all_people = false;
  std::optional<UserId> requested_by;  // none: the operator
};

enum class RowsAction { kNone, kRestore, kKeepLive, kNeedsRefresh };
std::string_view to_text(RowsAction action);

struct PlanItem {
  AssetRef source;
  Uuid target_id;
  WorkspaceId target_workspace;  // for a workspace: itself
  std::string name;              // as it will be
  std::string renamed_from;      // its own name, where something in the tenant has that already
  Action action = Action::kCreate;
  RowsAction rows = RowsAction::kNone;
  std::string reason;
  bool brought = false;               // not selected, but something that is needs it
  std::vector<AssetRef> needed_by;    // why it was brought; the first kMaxNeededBy
  bool newer_here = false;            // the tenant's was changed after the archived one
  std::optional<AssetDigest> before;  // what is at target_id now
  std::optional<AssetDigest> after;   // what will be there
  std::string rows_version;           // of the tenant's rows now: object name and version
  std::optional<std::uint64_t> rows_before, rows_after;  // how many rows a dataset has
  bool operator==(const PlanItem&) const = default;
};
inline constexpr std::size_t kMaxNeededBy = 10;

/// True when applying the plan changes something at target_id.
bool writes(const PlanItem& item);

/// kErased: the person was erased since and comes back, where something needs an author, as a
/// placeholder without name and address.
enum class UserMatch { kSameId, kSameEmail, kPlaceholder, kErased };
std::string_view to_text(UserMatch match);

struct UserMapping {
  UserId archived;
  UserId target;
  UserMatch match = UserMatch::kSameId;
  bool create = false;                // an inactive user without credentials is made
  std::optional<AssetDigest> digest;  // of who is made, to know later whether it was changed
};

struct TeamMapping {
  TeamId archived;
  TeamId target;
  bool create = false;
  std::optional<AssetDigest> digest;  // of the team that is made
};

struct Plan {
  RestoreId id;
  catalog::RestoreKind kind = catalog::RestoreKind::kRestore;
  TenantId tenant_id;
  ArchiveId archive_id;
  std::string content_hash;
  Timestamp snapshot_time;
  Mode mode = Mode::kOverwrite;
  bool with_roles = false;
  bool leave_out_blocked = false;
  std::optional<UserId> requested_by;
  std::optional<RestoreId> undoes;
  std::vector<PlanItem> items;     // workspaces, datasets, reports, alerts; each by id
  std::vector<UserMapping> users;  // those that the items need
  std::vector<TeamMapping> teams;
  std::vector<UserId> remove_users;  // of an undo: placeholders that nothing needs any more
  std::vector<TeamId> remove_teams;
  std::set<WorkspaceId> roles_restored;  // archived ids of workspaces whose roles are restored
  bool grants_restored = false;          // in those workspaces, with the reports
  std::vector<std::string> credentials;  // names of secrets that must be entered again
  std::vector<std::string> notes;        // for people: migrations, roles that stay
  /// Refused when the restore adds something and that makes it more than the quota.
  catalog::Quota usage_before, usage_after, quota;
  std::string signer;  // fingerprint of the archive's signer
};

/// Total: one item for each selected asset and for each one brought along. A function of its
/// arguments and of the documents behind `contents`; those are read only where an id or a name in
/// them changes. Errors: those of the documents.
Result<Plan> make_plan(const Contents& contents, const LiveState& live, const Request& request);

/// How many items carry each action.
std::map<Action, std::size_t> count_actions(const Plan& plan);

json::value to_json(const PlanItem& item);
Result<PlanItem> item_from_json(const json::value& value);
/// The plan without its items.
json::value header_json(const Plan& plan);
Result<Plan> plan_from_header(const json::value& header);
/// SHA-256 over the canonical JSON of the header and of each item, a line each: what a person
/// approves. The usage is left out: others may go on working.
std::string plan_hash(const Plan& plan);

json::value to_json(const Request& request);
Result<Request> request_from_json(const json::value& value);

}  // namespace oa::restore
