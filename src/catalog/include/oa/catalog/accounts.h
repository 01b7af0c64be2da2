// What signing in needs: sessions, tokens, password hashes, what a person may do, and how many
// attempts there were. Of the secret of a cookie or token only the SHA-256 comes here.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "oa/catalog/database.h"

namespace oa::catalog {

struct SessionRecord {
  SessionId id;
  UserId user;
  Timestamp created_at, last_used_at, expires_at;
  std::optional<Timestamp> revoked_at;
};

struct TokenRecord {
  TokenId id;
  UserId user;
  std::string name;
  std::vector<std::string> scopes;  // without blanks
  Timestamp created_at;
  std::optional<Timestamp> expires_at, revoked_at, last_used_at;
};

/// A person with what they may do in their tenant.
struct Person {
  UserId id;
  std::string email, first_name, last_name;
  bool active = false, owner = false;
  std::set<WorkspaceId> admin_of, member_of;  // directly or through a team; members with any role
};

template <class Record>
struct Holder {
  Record record;
  Person person;
};

class Sessions {
 public:
  explicit Sessions(TenantTransaction& transaction) : tx_(transaction) {}
  Status add(const SessionRecord& session, const Sha256Digest& secret_hash);
  /// In one statement, whatever state either is in; none when the hash is not known.
  Result<std::optional<Holder<SessionRecord>>> find(const Sha256Digest& secret_hash);
  Status touch(SessionId id, Timestamp used_at);
  /// Ends those of `user` that have not ended: all, or the one of `id`, or all but `except`. How
  /// many.
  Result<std::uint64_t> end(UserId user, Timestamp at, std::optional<SessionId> id = std::nullopt,
                            std::optional<SessionId> except = std::nullopt);
  /// Removes those of `user` that ended or expired before `moment`, and all but the `keep` newest.
  Status remove_old(UserId user, Timestamp moment, std::size_t keep);

 private:
  TenantTransaction& tx_;
};

class Tokens {
 public:
  explicit Tokens(TenantTransaction& transaction) : tx_(transaction) {}
  Status add(const TokenRecord& token, const Sha256Digest& secret_hash);
  /// As Sessions::find().
  Result<std::optional<Holder<TokenRecord>>> find(const Sha256Digest& secret_hash);
  /// Of one person, the newest 500: those in use first, then those that were revoked.
  Result<std::vector<TokenRecord>> list(UserId user);
  Status touch(TokenId id, Timestamp used_at);
  /// kNotFound unless `user` has one of this id that is not revoked.
  Status revoke(TokenId id, UserId user, Timestamp at);
  /// Every one of `user` that is not revoked. How many.
  Result<std::uint64_t> revoke_all(UserId user, Timestamp at);
  /// Those that were revoked or expired before `moment`. How many.
  Result<std::uint64_t> remove_ended_before(Timestamp moment);

 private:
  TenantTransaction& tx_;
};

/// What of a session or a token tells whether it still holds.
struct Standing {
  Uuid id;
  std::optional<Timestamp> expires_at, revoked_at;
  std::optional<Timestamp> last_used_at;  // of a session
  bool active = false, owner = false;     // its person
};
/// Of those that there are, in no order.
Result<std::vector<Standing>> standings(TenantTransaction& transaction,
                                        const std::vector<SessionId>& sessions,
                                        const std::vector<TokenId>& tokens);

struct Credential {
  Person person;
  std::optional<std::string> password_hash;  // PHC text
};
/// Of the person with this e-mail address, compared without case; none when there is nobody.
Result<std::optional<Credential>> find_credential(TenantTransaction& transaction,
                                                  std::string_view email);
/// The same by id.
Result<std::optional<Credential>> find_credential(TenantTransaction& transaction, UserId user);

/// False, and nothing is changed, when the hash is not `present` any more.
Result<bool> replace_password_hash(TenantTransaction& transaction, UserId user,
                                   const std::string& present, const std::string& next);

Result<std::set<UserId>> users_with_password(TenantTransaction& transaction);
/// The role that somebody holds in a workspace themselves, none to take it away. kNotFound when
/// there is no such workspace.
Status set_workspace_role(TenantTransaction& transaction, UserId user, WorkspaceId workspace,
                          std::optional<Role> role);

/// How often one may try to sign in.
struct AttemptLimit {
  std::uint64_t attempts = 5;  // at least 2; so many within `window` lock
  std::chrono::milliseconds window{15 * 60'000};
  std::chrono::milliseconds first_wait{30'000};         // of the first lock; doubles with each
  std::chrono::milliseconds longest_wait{15 * 60'000};  // further attempt that fails
};

/// Counts attempts to sign in, for all processes together, by the database's clock. `key` is a hash
/// of what is counted. An attempt counts from its beginning, so that many at once do not get past
/// the limit. Thread-safe. Borrows the database.
class SignInAttempts {
 public:
  explicit SignInAttempts(Database& database) : database_(database) {}
  /// Counts one; or, while the key is locked, counts nothing and tells how long to wait.
  Result<std::optional<std::chrono::milliseconds>> begin(const Sha256Digest& key,
                                                         const AttemptLimit& limit);
  /// The attempt that was counted last did not fail.
  Status take_back(const Sha256Digest& key, const AttemptLimit& limit);
  /// As if there had been none.
  Status forget(const Sha256Digest& key);

 private:
  Database& database_;
};

}  // namespace oa::catalog
