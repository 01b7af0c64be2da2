// Signing in and out, who one is, one's own tokens.
#include <fmt/format.h>

#include "documents.h"
#include "fields.h"
#include "operation.h"
#include "pipeline.h"

namespace oa::api {
namespace {

constexpr std::size_t kMaxName = 512, kMinPassword = 8, kMaxPassword = 1024, kMaxTokenName = 100;

SecretBytes secret_of(const std::string& text) { return SecretBytes::copy_of(as_bytes(text)); }

json::object me_document(const accounts::Identity& who, const catalog::Tenant& tenant) {
  json::object document{
      {"user",
       {{"id", who.user.str()},
        {"email", who.email},
        {"first_name", who.first_name},
        {"last_name", who.last_name}}},
      {"tenant",
       {{"id", tenant.id.str()}, {"name", tenant.name}, {"plan", catalog::to_text(tenant.plan)}}},
      {"owner", who.owner},
      {"may_back_up", who.may_back_up()},
      {"scopes", nullptr},
      {"csrf_token", nullptr}};
  if (who.session.has_value()) document["csrf_token"] = who.csrf_token;
  if (who.scopes.has_value()) {
    json::array scopes;
    for (const auto scope : *who.scopes) scopes.push_back(json::string(accounts::to_text(scope)));
    document["scopes"] = std::move(scopes);
  }
  return document;
}

std::string cookie(const std::string& value, std::int64_t max_age_seconds) {
  return fmt::format("{}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", kCookieName,
                     value, max_age_seconds);
}

http::Response signed_out() {
  auto response = no_content();
  response.headers.emplace_back("Set-Cookie", cookie("", 0));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\", \"storage\"");
  return response;
}

Result<http::Response> sign_in(PublicCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  accounts::SignIn request;
  request.organisation = bounded_text(reader, "organisation", 1, kMaxName);
  request.email = bounded_text(reader, "email", 1, kMaxName);
  request.password = secret_of(bounded_text(reader, "password", 1, kMaxPassword));
  OA_TRY(reader.finish());
  request.peer_address = call.arrived.request->peer_address;
  request.trace_id = call.arrived.trace_id;
  OA_ASSIGN(const auto signed_in, call.accounts().sign_in(request));
  OA_ASSIGN(auto snapshot, call.as(signed_in.identity).snapshot());
  OA_ASSIGN(const auto tenant, snapshot.own_tenant());
  auto response = json_response(200, me_document(signed_in.identity, tenant));
  const auto seconds = signed_in.expires_at.unix_seconds() - Timestamp::now().unix_seconds();
  response.headers.emplace_back("Set-Cookie", cookie(signed_in.cookie, seconds));
  return response;
}

Result<http::Response> sign_out(TenantCall& call) {
  OA_TRY(call.accounts().sign_out(call.who, call.trace_id()));
  return signed_out();
}

Result<http::Response> sign_out_everywhere(TenantCall& call) {
  OA_TRY(call.accounts().sign_out_everywhere(call.who, call.trace_id()));
  return signed_out();
}

Result<http::Response> change_password(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const auto present = secret_of(bounded_text(reader, "present", 1, kMaxPassword));
  const auto next = secret_of(bounded_text(reader, "next", kMinPassword, kMaxPassword));
  OA_TRY(reader.finish());
  OA_TRY(call.accounts().change_password(call.who, present, next, call.trace_id()));
  return no_content();
}

Result<http::Response> me(TenantCall& call) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto tenant, snapshot.own_tenant());
  return json_response(200, me_document(call.who, tenant));
}

Result<http::Response> list_tokens(TenantCall& call) {
  OA_ASSIGN(const auto tokens, call.accounts().tokens(call.who));
  json::array data;
  for (const auto& token : tokens) data.push_back(token_document(token));
  return json_response(200, json::object{{"data", std::move(data)}});
}

Result<http::Response> create_token(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  accounts::NewToken token;
  token.name = bounded_text(reader, "name", 1, kMaxTokenName);
  for (const auto& element : reader.array("scopes")) {
    const auto scope = element.is_string()
                           ? accounts::parse_scope(std::string_view(element.as_string()))
                           : Result<accounts::Scope>(Error{});
    if (!scope.ok())
      reader.fail("scopes", "names a scope that there is not");
    else if (!token.scopes.insert(*scope).second)
      reader.fail("scopes", "names a scope twice");
  }
  token.expires_at = reader.optional_timestamp("expires_at");
  OA_TRY(reader.finish());
  OA_ASSIGN(const auto made, call.accounts().make_token(call.who, token, call.trace_id()));
  json::object document = token_document(made.record);
  document["token"] = made.token;
  return json_response(201, document);
}

Result<http::Response> revoke_token(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<TokenId>("token_id"));
  OA_TRY(call.accounts().revoke_token(call.who, id, call.trace_id()));
  return no_content();
}

constexpr std::size_t kBody = 16 << 10;
using enum accounts::Scope;
constexpr Operation kOperations[] = {
    {"signIn", "POST", "/v1/auth/sign-in", PublicHandler(sign_in), Right::kAnybody, kRead, kBody},
    {"signOut", "POST", "/v1/auth/sign-out", TenantHandler(sign_out)},
    {"signOutEverywhere", "POST", "/v1/auth/sign-out-everywhere",
     TenantHandler(sign_out_everywhere), Right::kAnybody, kAdmin},
    {"changePassword", "POST", "/v1/auth/password", TenantHandler(change_password),
     Right::kAnybody, kAdmin, kBody},
    {"me", "GET", "/v1/me", TenantHandler(me)},
    {"listTokens", "GET", "/v1/tokens", TenantHandler(list_tokens), Right::kAnybody, kAdmin},
    {"createToken", "POST", "/v1/tokens", TenantHandler(create_token), Right::kAnybody, kAdmin,
     kBody, Repeats::kRefused},
    {"revokeToken", "DELETE", "/v1/tokens/{token_id}", TenantHandler(revoke_token),
     Right::kAnybody, kAdmin},
};

}  // namespace

std::span<const Operation> account_operations() { return kOperations; }

}  // namespace oa::api
