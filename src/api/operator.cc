#include "operator.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "conventions.h"
#include "documents.h"
#include "oa/crypto/secret.h"
#include "once.h"
#include "problem.h"

namespace oa::api {
namespace {

constexpr std::size_t kTokenBytes = 32;

const RouteTable& table() {
  static const RouteTable made = [] {
    std::vector<RouteTable::Line> lines;
    for (const auto& route : operator_routes()) lines.push_back({route.method, route.path});
    return RouteTable(lines);
  }();
  return made;
}

bool reads(const http::Request& request, const char* page) {
  return (request.method == "GET" || request.method == "HEAD") &&
         request.path == std::vector<std::string>{page};
}

}  // namespace

std::span<const OperatorRoute> operator_routes() {
  static const std::vector<OperatorRoute> all = [] {
    std::vector<OperatorRoute> made;
    for (const auto group : {tenant_routes(), continuity_routes(), replica_routes(), storage_routes(), drill_routes()}) made.insert(made.end(), group.begin(), group.end());
    return made;
  }();
  return all;
}

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

// One request on its way; lives until its answer is made.
struct OperatorApi::Exchange {
  http::Request request;
  Arrived arrived;
  const OperatorRoute* route = nullptr;
};

std::optional<http::Response> OperatorApi::at_once(const http::Request& request) {
  return health(request);
}

http::Reaction OperatorApi::handle(const http::Request& request) {
  auto exchange = std::make_shared<Exchange>();
  exchange->request = request;
  exchange->arrived.request = &exchange->request;
  exchange->arrived.trace_id = trace_id_of(request);
  exchange->arrived.secrets = &secrets_;
  auto reaction = dispatch(exchange);
  if (auto* response = std::get_if<http::Response>(&reaction))
    add_standard_headers(*response, &exchange->request, exchange->arrived.trace_id);
  return reaction;
}

http::Reaction OperatorApi::dispatch(const std::shared_ptr<Exchange>& exchange) {
  const auto& request = exchange->request;
  const auto problem = [&](const Error& error) {
    return problem_response(error, request.target, exchange->arrived.trace_id);
  };
  if (const Status admitted = check(request); !admitted.ok()) return problem(admitted.error());
  if (reads(request, "metrics")) {
    http::Response response;
    response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
    response.body = metrics_();
    return response;
  }
  auto found = table().find(request.method, request.path);
  if (!found.ok()) {
    auto response = problem(found.error());
    if (found.error().code == ErrorCode::kMethodNotAllowed)
      response.headers.emplace_back("Allow", found.error().cause);
    return response;
  }
  exchange->route = &operator_routes()[found->line];
  exchange->arrived.path = std::move(found->path);
  if (exchange->route->max_body_bytes == 0) return answer(*exchange);
  if (const Status media = check_media_type(request); !media.ok()) return problem(media.error());
  return http::SmallBody{
      exchange->route->max_body_bytes, [this, exchange](const std::string& body) {
        const auto parsed = parse_body(body);
        http::Response response;
        if (parsed.ok()) {
          exchange->arrived.body = *parsed;
          response = answer(*exchange);
        } else {
          response = problem_response(parsed.error(), exchange->request.target,
                                      exchange->arrived.trace_id);
        }
        add_standard_headers(response, &exchange->request, exchange->arrived.trace_id);
        return response;
      }};
}

http::Response OperatorApi::answer(const Exchange& exchange) const {
  auto response = call(exchange);
  if (response.ok()) return std::move(*response);
  return problem_response(response.error(), exchange.request.target, exchange.arrived.trace_id);
}

Result<http::Response> OperatorApi::call(const Exchange& exchange) const {
  const OperatorCall call{instance_, cell_, storage_, drills_, exchange.arrived};
  const auto handler = exchange.route->handler;
  if (exchange.route->method != "POST") return handler(call);
  OA_ASSIGN(const auto key, idempotency_key(exchange.request));
  if (!key.has_value()) return handler(call);
  const auto remembered = remembered_of_operator(instance_.database(), *key);
  return answer_once(*remembered, digest_of(exchange.arrived), true, [&] { return handler(call); });
}

http::Response OperatorApi::refuse(const Error& error) {
  const std::string trace_id = to_hex(ByteView(Uuid::random().raw()));
  auto response = refusal_response(error, trace_id);
  add_standard_headers(response, nullptr, trace_id);
  return response;
}

void OperatorApi::done(const http::Request& request, int status, std::uint64_t, std::uint64_t,
                       double seconds) {
  if (!log_) return;
  const auto found = table().find(request.method, request.path);
  const auto operation = found.ok() ? operator_routes()[found->line].id : "page";
  log_(json::serialize(json::object{{"level", "info"},
                                    {"ts", Timestamp::now().rfc3339()},
                                    {"trace_id", trace_id_of(request)},
                                    {"operation", fmt::format("operator.{}", operation)},
                                    {"method", request.method},
                                    {"status", status},
                                    {"seconds", seconds}}));
}

}  // namespace oa::api
