#include "operator.h"

#include <boost/json.hpp>

#include "documents.h"
#include "oa/crypto/secret.h"
#include "problem.h"

namespace oa::api {
namespace {

constexpr std::size_t kBody = 16 << 10;
constexpr std::size_t kTokenBytes = 32;

json::object tenant_document(const catalog::Tenant& tenant) {
  return {{"id", tenant.id.str()},
          {"name", tenant.name},
          {"plan", catalog::to_text(tenant.plan)},
          {"created_at", tenant.created_at.rfc3339()}};
}

bool is(const http::Request& request, const char* method, std::vector<std::string> path) {
  return (request.method == method || (request.method == "HEAD" && std::string_view(method) == "GET")) &&
         request.path == path;
}

}  // namespace

Result<std::string> operator_token(const std::string& path) {
  auto found = read_file(path, 1024);
  if (found.ok()) {
    std::string token(as_text(*found));
    while (!token.empty() && token.back() == '\n') token.pop_back();
    if (token.starts_with("oao_") && token.size() == 4 + 2 * kTokenBytes) return token;
    return make_error(ErrorCode::kInvalidArgument, "serve", "there is no operator's token in " + path)
        .with_hint("remove the file; a new one is made");
  }
  if (found.error().code != ErrorCode::kNotFound) return found.error();
  const auto secret = SecretBytes::random(kTokenBytes);
  const std::string token = "oao_" + to_hex(secret.view());
  OA_ASSIGN(auto file, AtomicFileSink::create(path, false, 0600));
  OA_TRY(file->write(as_bytes(token + "\n")));
  OA_TRY(file->commit());
  return token;
}

Status OperatorApi::check(const http::Request& request) const {
  const auto header = request.header("authorization");
  if (!header.has_value()) {
    return make_error(ErrorCode::kUnauthenticated, "operator", "the operator's token is missing")
        .with_hint("send `Authorization: Bearer oao_…`");
  }
  const bool bearer = header->starts_with("Bearer ");
  const auto digest = Sha256::of(as_bytes(bearer ? header->substr(7) : std::string_view()));
  if (bearer && constant_time_equal(digest, credential_)) return {};
  return make_error(ErrorCode::kTokenInvalid, "operator", "this is not the operator's token");
}

http::Reaction OperatorApi::handle(const http::Request& request) {
  const std::string trace_id = request.id;
  if (is(request, "GET", {"healthz"}))
    return json_response(200, json::object{{"status", "ok"}});
  const Status admitted = check(request);
  if (!admitted.ok()) return problem_response(admitted.error(), request.target, trace_id);
  if (is(request, "GET", {"metrics"})) {
    http::Response response;
    response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
    response.body = metrics_();
    return response;
  }
  if (is(request, "GET", {"v1", "operator", "tenants"})) return list_tenants(request, trace_id);
  if (is(request, "POST", {"v1", "operator", "tenants"})) {
    return http::SmallBody{kBody, [this, target = request.target, trace_id](const std::string& body) {
                             return create_tenant(body, target, trace_id);
                           }};
  }
  return problem_response(
      make_error(ErrorCode::kNotFound, "operator", "there is nothing at this address"),
      request.target, trace_id);
}

http::Response OperatorApi::list_tenants(const http::Request& request,
                                         const std::string& trace_id) {
  const auto tenants = instance_.database().list_tenants();
  if (!tenants.ok()) return problem_response(tenants.error(), request.target, trace_id);
  json::array data;
  for (const auto& tenant : *tenants) data.push_back(tenant_document(tenant));
  return json_response(200, json::object{{"data", std::move(data)}});
}

http::Response OperatorApi::create_tenant(const std::string& body, const std::string& target,
                                          const std::string& trace_id) {
  const auto create = [&]() -> Result<catalog::Tenant> {
    OA_ASSIGN(const auto document, parse_json(body, {kBody, 4}));
    ObjectReader reader(document, "body");
    const auto name = reader.text("name");
    const auto plan = catalog::parse_text<catalog::Plan>(reader.text("plan"));
    if (!plan.ok()) reader.fail("plan", "is starter, growth or scale");
    OA_TRY(reader.finish());
    return instance_.provision_tenant(name, *plan);
  };
  const auto made = create();
  if (!made.ok()) return problem_response(made.error(), target, trace_id);
  return json_response(201, tenant_document(*made));
}

http::Response OperatorApi::refuse(const Error& error) {
  return refusal_response(error, to_hex(ByteView(Uuid::random().raw())));
}

void OperatorApi::done(const http::Request& request, int status, std::uint64_t, std::uint64_t,
                       double seconds) {
  if (!log_) return;
  log_(json::serialize(json::object{{"level", "info"},
                                    {"ts", Timestamp::now().rfc3339()},
                                    {"trace_id", request.id},
                                    {"operation", "operator"},
                                    {"method", request.method},
                                    {"status", status},
                                    {"seconds", seconds}}));
}

}  // namespace oa::api
