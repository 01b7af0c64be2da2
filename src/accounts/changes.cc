// What people change about their access: tokens and passwords.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "attempt.h"
#include "audit_note.h"
#include "bearer.h"
#include "oa/catalog/repositories.h"
#include "passwords.h"

namespace oa::accounts {
namespace {

constexpr std::size_t kMostTokens = 100;
constexpr std::size_t kMadeBytes = 15;  // 20 characters

Error bad_token(std::string what) {
  return make_error(ErrorCode::kInvalidArgument, "accounts.make_token", std::move(what));
}

Status check_token(const Identity& identity, const NewToken& token, Timestamp now) {
  // One that could make others would live on in them once it is revoked or has expired.
  if (!identity.session.has_value()) {
    return make_error(ErrorCode::kPermissionDenied, "accounts.make_token",
                      "a token cannot make tokens")
        .with_hint("sign in with the password and make it there");
  }
  if (token.name.empty())
    return bad_token("the token has no name").with_hint("name what it is for");
  if (token.scopes.empty()) return bad_token("the token has no scope").with_hint("give it one");
  if (token.expires_at.has_value() && *token.expires_at <= now)
    return bad_token("the token would have expired already");
  return {};
}

Result<std::optional<catalog::Credential>> credential_of(catalog::Database& database,
                                                         TenantId tenant, UserId user) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  return catalog::find_credential(transaction, user);
}

// Whoever knew the old password may have signed in with it or made tokens.
Status end_access(catalog::TenantTransaction& transaction, UserId user,
                  std::optional<SessionId> but_this) {
  const Timestamp now = transaction.started_at();
  OA_TRY(catalog::Sessions(transaction).end(user, now, std::nullopt, but_this));
  OA_TRY(catalog::Tokens(transaction).revoke_all(user, now));
  return {};
}

Error wrong_password() {
  return make_error(ErrorCode::kPermissionDenied, "accounts.change_password",
                    "the present password is wrong");
}

Status record_wrong_password(catalog::Database& database, const Identity& identity,
                             const std::string& trace_id) {
  OA_ASSIGN(auto transaction, database.begin(identity.tenant));
  OA_TRY(record(transaction, identity,
                {"auth.login.failure",
                 "user",
                 identity.user.str(),
                 {{"reason", "password"}, {"at", "password_change"}},
                 {},
                 trace_id}));
  return transaction.commit();
}

}  // namespace

std::string make_password() {
  const SecretBytes random = SecretBytes::random(kMadeBytes);
  std::string text = to_base64(random.view());
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

Result<Accounts::MadeToken> Accounts::make_token(const Identity& identity, const NewToken& token,
                                                 const std::string& trace_id) {
  OA_ASSIGN(auto transaction, database_.begin(identity.tenant));
  const Timestamp now = transaction.started_at();
  OA_TRY(check_token(identity, token, now));
  catalog::Tokens tokens(transaction);
  OA_ASSIGN(const auto present, tokens.list(identity.user));
  const auto in_use = std::ranges::count_if(present, [&](const catalog::TokenRecord& each) {
    return !each.revoked_at.has_value() && (!each.expires_at.has_value() || *each.expires_at > now);
  });
  if (static_cast<std::size_t>(in_use) >= kMostTokens) {
    return make_error(ErrorCode::kLimitExceeded, "accounts.make_token",
                      fmt::format("{} tokens are in use", kMostTokens))
        .with_hint("revoke some that are not needed any more");
  }
  const NewBearer bearer = accounts::make_token(identity.tenant);
  MadeToken made;
  made.token = bearer.text;
  made.record.id = TokenId::random();
  made.record.user = identity.user;
  made.record.name = token.name;
  for (const Scope scope : token.scopes) made.record.scopes.emplace_back(to_text(scope));
  made.record.created_at = now;
  made.record.expires_at = token.expires_at;
  OA_TRY(tokens.add(made.record, bearer.secret_hash));
  json::object detail{{"scopes", fmt::format("{}", fmt::join(made.record.scopes, " "))}};
  if (token.expires_at.has_value()) detail["expires_at"] = token.expires_at->rfc3339();
  OA_TRY(record(transaction, identity,
                {"admin.token.create", "token", made.record.id.str(), detail, {}, trace_id}));
  OA_TRY(transaction.commit());
  return made;
}

Result<std::vector<catalog::TokenRecord>> Accounts::tokens(const Identity& identity) {
  OA_ASSIGN(auto transaction, database_.begin(identity.tenant));
  return catalog::Tokens(transaction).list(identity.user);
}

Status Accounts::revoke_token(const Identity& identity, TokenId id, const std::string& trace_id) {
  OA_ASSIGN(auto transaction, database_.begin(identity.tenant));
  OA_TRY(catalog::Tokens(transaction).revoke(id, identity.user, transaction.started_at()));
  OA_TRY(
      record(transaction, identity, {"admin.token.revoke", "token", id.str(), {}, {}, trace_id}));
  return transaction.commit();
}

Status Accounts::set_password(TenantId tenant, UserId user, const SecretBytes& password) {
  OA_ASSIGN(const auto credential, credential_of(database_, tenant, user));
  if (!credential.has_value())
    return make_error(ErrorCode::kNotFound, "accounts.set_password", "no user has this id");
  OA_TRY(check_password(password, credential->person.email));
  OA_ASSIGN(const std::string hash, hash_bounded(password));
  OA_ASSIGN(auto transaction, database_.begin(tenant));
  OA_TRY(catalog::Users(transaction).set_password_hash(user, hash));
  OA_TRY(end_access(transaction, user, std::nullopt));
  OA_TRY(
      record(transaction, "operator", std::nullopt, {"user.password.change", "user", user.str()}));
  OA_TRY(transaction.commit());
  return catalog::SignInAttempts(database_).forget(
      account_key(tenant, {}, credential->person.email));
}

Status Accounts::change_password(const Identity& identity, const SecretBytes& present,
                                 const SecretBytes& next, const std::string& trace_id) {
  if (!identity.session.has_value()) {
    return make_error(ErrorCode::kPermissionDenied, "accounts.change_password",
                      "only who is signed in changes a password");
  }
  OA_TRY(check_password(next, identity.email));
  OA_ASSIGN(auto attempt,
            Attempt::begin(database_, rules_, account_key(identity.tenant, {}, identity.email),
                           std::nullopt));
  OA_ASSIGN(const auto credential, credential_of(database_, identity.tenant, identity.user));
  const auto hash_now = credential.has_value() ? credential->password_hash : std::nullopt;
  const auto holds = verify_bounded(PasswordWork::kChange, hash_now, present);
  if (!holds.ok()) {
    OA_TRY(attempt.withdrawn());
    return holds.error();
  }
  if (!*holds) {
    OA_TRY(record_wrong_password(database_, identity, trace_id));
    return wrong_password();
  }
  OA_TRY(attempt.succeeded());
  OA_ASSIGN(const std::string hash, hash_bounded(next));
  OA_ASSIGN(auto transaction, database_.begin(identity.tenant));
  OA_ASSIGN(const bool replaced,
            catalog::replace_password_hash(transaction, identity.user, *hash_now, hash));
  if (!replaced) return wrong_password();  // changed by somebody else meanwhile
  OA_TRY(end_access(transaction, identity.user, identity.session));
  OA_TRY(record(transaction, identity,
                {"user.password.change", "user", identity.user.str(), {}, {}, trace_id}));
  return transaction.commit();
}

}  // namespace oa::accounts
