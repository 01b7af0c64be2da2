#include "oa/accounts/accounts.h"

#include <boost/json.hpp>
#include <thread>

#include "attempt.h"
#include "audit_note.h"
#include "bearer.h"
#include "oa/catalog/repositories.h"
#include "passwords.h"

namespace oa::accounts {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

constexpr microseconds kIdle = hours(12), kLongest = hours(7 * 24);
constexpr microseconds kTouchEvery = std::chrono::minutes(1);
constexpr microseconds kKeepEnded = hours(24);  // so that they can be told from unknown ones
constexpr std::size_t kMostSessions = 50;       // of one person; the oldest go

Timestamp after(Timestamp moment, microseconds time) { return {moment.unix_us + time.count()}; }

Error refused() {
  return make_error(ErrorCode::kSignInRefused, "accounts.sign_in",
                    "the organisation, the e-mail address or the password is wrong")
      .with_hint(
          "check all three; somebody who has forgotten the password gets another from the "
          "operator");
}

Error invalid() {
  return make_error(ErrorCode::kTokenInvalid, "accounts.identify",
                    "the token or the sign-in is not known, or was ended")
      .with_hint("sign in again, or use another token");
}

Error expired() {
  return make_error(ErrorCode::kTokenExpired, "accounts.identify",
                    "the token or the sign-in is too old")
      .with_hint("sign in again, or make another token");
}

Result<std::optional<TenantId>> tenant_named(catalog::Database& database, const std::string& name) {
  const auto tenant = database.find_tenant(name);
  if (tenant.ok()) return std::optional(tenant->id);
  if (tenant.error().code == ErrorCode::kNotFound) return std::optional<TenantId>();
  return tenant.error();
}

struct Proof {
  std::optional<catalog::Credential> credential;
  bool holds = false;
};

// Always costs one hash.
Result<Proof> prove(catalog::Database& database, const std::optional<TenantId>& tenant,
                    const SignIn& request) {
  Proof proof;
  // What could not be anybody's address is not looked up.
  if (tenant.has_value() && is_utf8(request.email) &&
      request.email.find('\0') == std::string::npos) {
    OA_ASSIGN(auto transaction, database.begin(*tenant));
    OA_ASSIGN(proof.credential, catalog::find_credential(transaction, request.email));
  }
  const bool usable = proof.credential.has_value() && proof.credential->person.active;
  OA_ASSIGN(
      const bool matches,
      verify_bounded(PasswordWork::kSignIn,
                     usable ? proof.credential->password_hash : std::nullopt, request.password));
  proof.holds = usable && matches;
  return proof;
}

// What was typed as an address may be a password; so it is kept only when it is somebody's.
Status record_failure(catalog::Database& database, TenantId tenant, const SignIn& request,
                      const std::optional<catalog::Credential>& credential) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  AuditNote note{"auth.login.failure", "user", "", {}, {}, request.trace_id};
  std::optional<UserId> user;
  std::string_view reason = "unknown";
  if (credential.has_value()) {
    user = credential->person.id;
    note.resource_id = user->str();
    note.personal["actor.email"] = credential->person.email;
    reason = !credential->person.active               ? "inactive"
             : !credential->password_hash.has_value() ? "no_password"
                                                      : "password";
  }
  note.detail["reason"] = reason;
  if (!request.peer_address.empty()) note.personal["actor.ip"] = request.peer_address;
  OA_TRY(record(transaction, "user", user, std::move(note)));
  return transaction.commit();
}

Result<SignedIn> open_session(catalog::Database& database, TenantId tenant,
                              const catalog::Credential& proved, const SignIn& request) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  // The password may have been changed since, and every session ended.
  OA_ASSIGN(auto credential, catalog::find_credential(transaction, proved.person.id));
  if (!credential.has_value() || credential->password_hash != proved.password_hash)
    return refused();
  catalog::Person& person = credential->person;
  const Timestamp now = transaction.started_at();
  const NewBearer cookie = make_cookie(tenant);
  catalog::SessionRecord session;
  session.id = SessionId::random();
  session.user = person.id;
  session.created_at = session.last_used_at = now;
  session.expires_at = after(now, kLongest);
  catalog::Sessions sessions(transaction);
  OA_TRY(sessions.remove_old(person.id, after(now, -kKeepEnded), kMostSessions - 1));
  OA_TRY(sessions.add(session, cookie.secret_hash));
  SignedIn signed_in{identity_of(tenant, std::move(person)), cookie.text, session.expires_at};
  signed_in.identity.session = session.id;
  signed_in.identity.csrf_token = cookie.csrf_token;
  AuditNote note{"auth.login.success", "user", signed_in.identity.user.str(), {}, {},
                 request.trace_id};
  if (!request.peer_address.empty()) note.personal["actor.ip"] = request.peer_address;
  OA_TRY(record(transaction, signed_in.identity, std::move(note)));
  OA_TRY(transaction.commit());
  return signed_in;
}

// True when a use should be written down: not each of them.
bool worth_touching(const std::optional<Timestamp>& last_used_at, Timestamp now) {
  return !last_used_at.has_value() || after(*last_used_at, kTouchEvery) <= now;
}

}  // namespace

Result<SignedIn> Accounts::sign_in(const SignIn& request) {
  const auto earliest_refusal = std::chrono::steady_clock::now() + rules_.refusal;
  OA_ASSIGN(const auto tenant, tenant_named(database_, request.organisation));
  OA_ASSIGN(auto attempt, Attempt::begin(database_, rules_,
                                         account_key(tenant, request.organisation, request.email),
                                         address_key(request.peer_address)));
  auto proof = prove(database_, tenant, request);
  if (!proof.ok()) {
    OA_TRY(attempt.withdrawn());
    return std::move(proof).error();
  }
  if (!proof->holds) {
    if (tenant.has_value()) OA_TRY(record_failure(database_, *tenant, request, proof->credential));
    std::this_thread::sleep_until(earliest_refusal);
    return refused();
  }
  OA_TRY(attempt.succeeded());
  return open_session(database_, *tenant, *proof->credential, request);
}

Result<Identity> Accounts::from_cookie(std::string_view cookie, Timestamp now) {
  OA_ASSIGN(const Bearer bearer, read_cookie(cookie));
  OA_ASSIGN(auto transaction, database_.begin(bearer.tenant));
  catalog::Sessions sessions(transaction);
  OA_ASSIGN(auto found, sessions.find(bearer.secret_hash));
  if (!found.has_value()) return invalid();
  auto& [session, person] = *found;
  if (session.revoked_at.has_value() || !person.active) return invalid();
  if (session.expires_at <= now || after(session.last_used_at, kIdle) <= now) return expired();
  if (worth_touching(session.last_used_at, now)) {
    OA_TRY(sessions.touch(session.id, now));
    OA_TRY(transaction.commit());
  }
  Identity identity = identity_of(bearer.tenant, std::move(person));
  identity.session = session.id;
  identity.csrf_token = bearer.csrf_token;
  return identity;
}

Result<Identity> Accounts::from_token(std::string_view token, Timestamp now) {
  OA_ASSIGN(const Bearer bearer, read_token(token));
  OA_ASSIGN(auto transaction, database_.begin(bearer.tenant));
  catalog::Tokens tokens(transaction);
  OA_ASSIGN(auto found, tokens.find(bearer.secret_hash));
  if (!found.has_value()) return invalid();
  auto& [record, person] = *found;
  if (record.revoked_at.has_value() || !person.active) return invalid();
  if (record.expires_at.has_value() && *record.expires_at <= now) return expired();
  if (worth_touching(record.last_used_at, now)) {
    OA_TRY(tokens.touch(record.id, now));
    OA_TRY(transaction.commit());
  }
  Identity identity = identity_of(bearer.tenant, std::move(person));
  identity.token = record.id;
  identity.scopes.emplace();
  for (const auto& text : record.scopes) {
    OA_ASSIGN(const Scope scope, parse_scope(text));
    identity.scopes->insert(scope);
  }
  return identity;
}

Result<std::map<Uuid, bool>> Accounts::holding(TenantId tenant,
                                               const std::vector<SessionId>& sessions,
                                               const std::vector<TokenId>& tokens, Timestamp now) {
  OA_ASSIGN(auto transaction, database_.begin(tenant));
  OA_ASSIGN(const auto found, catalog::standings(transaction, sessions, tokens));
  std::map<Uuid, bool> held;
  for (const auto& each : found) {
    const bool ended = each.revoked_at.has_value() || !each.active;
    const bool old = each.expires_at.has_value() && *each.expires_at <= now;
    const bool idle = each.last_used_at.has_value() && after(*each.last_used_at, kIdle) <= now;
    if (!ended && !old && !idle) held.emplace(each.id, each.owner);
  }
  return held;
}

Status Accounts::sign_out(const Identity& identity, const std::string& trace_id) {
  if (!identity.session.has_value()) {
    return make_error(ErrorCode::kInvalidArgument, "accounts.sign_out", "a token is not signed in")
        .with_hint("revoke the token instead");
  }
  OA_ASSIGN(auto transaction, database_.begin(identity.tenant));
  OA_TRY(catalog::Sessions(transaction)
             .end(identity.user, transaction.started_at(), identity.session));
  OA_TRY(record(transaction, identity,
                {"auth.logout", "user", identity.user.str(), {{"sessions", 1}}, {}, trace_id}));
  return transaction.commit();
}

Status Accounts::sign_out_everywhere(const Identity& identity, const std::string& trace_id) {
  OA_ASSIGN(auto transaction, database_.begin(identity.tenant));
  OA_ASSIGN(const auto ended,
            catalog::Sessions(transaction).end(identity.user, transaction.started_at()));
  OA_TRY(record(transaction, identity,
                {"auth.logout", "user", identity.user.str(), {{"sessions", ended}}, {}, trace_id}));
  return transaction.commit();
}

}  // namespace oa::accounts
