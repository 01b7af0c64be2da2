// Who is asking: people who sign in with a password and keep a cookie, programs with a token.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "oa/catalog/accounts.h"
#include "oa/crypto/secret.h"

namespace oa::accounts {

/// What a token may do; a person who signed in may do all that their roles allow.
enum class Scope { kRead, kReports, kDatasets, kBackup, kRestore, kAdmin };
std::string_view to_text(Scope);  // "read", "reports", "datasets", "backup", "restore", "admin"
Result<Scope> parse_scope(std::string_view text);

/// Somebody who proved who they are. Rights are read anew with each request.
struct Identity {
  TenantId tenant;
  UserId user;
  std::string email;
  std::string first_name, last_name;
  bool owner = false;
  /// Where they are Admin, by themselves or through a team. An Owner is so everywhere, listed or
  /// not.
  std::set<WorkspaceId> admin_of;
  std::set<WorkspaceId> member_of;        // with any role
  std::optional<SessionId> session;       // of a browser
  std::optional<TokenId> token;           // of a program
  std::optional<std::set<Scope>> scopes;  // of a token; none: no limit
  std::string csrf_token;                 // of a session
  bool admin_in(WorkspaceId workspace) const { return owner || admin_of.contains(workspace); }
  bool may_back_up() const { return owner || !admin_of.empty(); }
};

struct SignIn {
  std::string organisation;  // the tenant's name
  std::string email;
  SecretBytes password;
  std::string peer_address;
  std::string trace_id;
};

struct SignedIn {
  Identity identity;
  std::string cookie;  // the secret of the session; only its hash is kept
  Timestamp expires_at;
};

/// How often one may try to sign in, and what it costs to be refused.
struct SignInRules {
  catalog::AttemptLimit account{5}, address{50};
  /// No refusal comes sooner: the time tells nothing of what was wrong.
  std::chrono::milliseconds refusal{200};
};

struct NewToken {
  std::string name;
  std::set<Scope> scopes;
  std::optional<Timestamp> expires_at;
};

/// A random password of 20 characters, to be shown once.
std::string make_password();

/// Thread-safe. What signing in and out does is in the audit chain (auth.login.success,
/// auth.login.failure, auth.logout, user.password.change, admin.token.create, admin.token.revoke)
/// without addresses or secrets in clear fields.
class Accounts {
 public:
  /// `database` is borrowed.
  explicit Accounts(catalog::Database& database, SignInRules rules = {})
      : database_(database), rules_(rules) {}

  /// kSignInRefused for anything that is wrong, in the same time whatever it is; kLockedOut with
  /// the seconds to wait in the hint after 5 failures for one account or 50 from one address (of
  /// IPv6: one /64) within 15 minutes: the wait doubles from 30 s to 15 min, counted in the
  /// database so that all processes and restarts share it. At most two passwords are hashed at a
  /// time (memory); kOverloaded when many wait for it.
  Result<SignedIn> sign_in(const SignIn& request);
  /// Of the cookie's value. A session ends 12 h after its last use, and 7 days after signing in.
  /// kTokenInvalid (unknown, ended, inactive user), kTokenExpired.
  Result<Identity> from_cookie(std::string_view cookie, Timestamp now);
  /// Of a bearer token "oab_<tenant>_<secret>". kTokenInvalid (unknown, revoked, inactive user),
  /// kTokenExpired.
  Result<Identity> from_token(std::string_view token, Timestamp now);
  /// Which of sessions and tokens still hold at `now`, by id, and whether their person is an Owner
  /// now; writes down no use. For what lasts longer than a request.
  Result<std::map<Uuid, bool>> holding(TenantId tenant, const std::vector<SessionId>& sessions,
                                       const std::vector<TokenId>& tokens, Timestamp now);
  Status sign_out(const Identity& identity, const std::string& trace_id);
  /// Every session of this person, this one too.
  Status sign_out_everywhere(const Identity& identity, const std::string& trace_id);

  struct MadeToken {
    catalog::TokenRecord record;
    std::string token;  // shown once
  };
  /// kInvalidArgument; kPermissionDenied for a token, which could outlive itself in others;
  /// kLimitExceeded past 100 tokens in use.
  Result<MadeToken> make_token(const Identity& identity, const NewToken& token,
                               const std::string& trace_id);
  /// Of this person, those in use first, then newest first.
  Result<std::vector<catalog::TokenRecord>> tokens(const Identity& identity);
  /// Of this person. kNotFound.
  Status revoke_token(const Identity& identity, TokenId id, const std::string& trace_id);

  /// Sets a password (8 to 1024 bytes; kInvalidArgument, also for one among the very common), ends
  /// every session of that user and any lock-out, and revokes every token. For the operator's
  /// command line.
  Status set_password(TenantId tenant, UserId user, const SecretBytes& password);
  /// Proves the present password again and changes it; other sessions end, and tokens are revoked.
  /// kPermissionDenied when the present one is wrong, which counts as a failure to sign in and is
  /// in the audit chain as one, or for a token.
  Status change_password(const Identity& identity, const SecretBytes& present,
                         const SecretBytes& next, const std::string& trace_id);

 private:
  catalog::Database& database_;
  const SignInRules rules_;
};

}  // namespace oa::accounts
