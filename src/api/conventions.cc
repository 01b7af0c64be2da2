#include "conventions.h"

#include "documents.h"
#include "oa/base/json.h"

namespace oa::api {
namespace {

constexpr std::size_t kMaxDepth = 16;

bool is_json(const http::Request& request) {
  const auto type = request.header("content-type");
  if (!type.has_value()) return false;
  const auto media = type->substr(0, type->find(';'));
  return media.substr(0, media.find_last_not_of(' ') + 1) == "application/json";
}

}  // namespace

std::string trace_id_of(const http::Request& request) {
  const auto header = request.header("traceparent");
  if (header.has_value() && header->size() == 55 && header->starts_with("00-")) {
    const std::string id(header->substr(3, 32));
    if (from_hex(id).ok() && id.find_first_not_of('0') != std::string::npos) return id;
  }
  return request.id;
}

std::optional<http::Response> health(const http::Request& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads || request.path != std::vector<std::string>{"healthz"}) return std::nullopt;
  auto response = json_response(200, json::object{{"status", "ok"}});
  add_standard_headers(response, &request, trace_id_of(request));
  return response;
}

void add_standard_headers(http::Response& response, const http::Request* request,
                          const std::string& trace_id) {
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("X-Frame-Options", "DENY");
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.emplace_back("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
      "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
      "frame-ancestors 'none'");
  if (request != nullptr && request->secure)
    response.headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
  response.headers.emplace_back("X-Trace-Id", trace_id);
}

Status check_media_type(const http::Request& request) {
  if (!request.has_body || is_json(request)) return {};
  return make_error(ErrorCode::kUnsupportedMediaType, "request",
                    "the body must be application/json")
      .with_hint("send `Content-Type: application/json`");
}

Result<boost::json::value> parse_body(const std::string& body) {
  if (!body.empty()) return parse_json(body, {body.size(), kMaxDepth});
  return make_error(ErrorCode::kInvalidArgument, "request", "the request has no body")
      .with_hint("send a JSON object; `{}` where nothing is to be said");
}

}  // namespace oa::api
