#include "pipeline.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "conventions.h"
#include "documents.h"
#include "oa/crypto/hash.h"
#include "oa/http/conditional.h"
#include "oa/http/cookies.h"
#include "oa/pages/pages.h"
#include "once.h"
#include "problem.h"

namespace oa::api {
namespace {

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool changes_something(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

constexpr double kStrangersPerSecond = 20, kStrangersBurst = 500;
constexpr auto kReadyFor = std::chrono::seconds(1);

// Who asked, when one of our own proxies passed the request on (the last address that none of them
// added), and whether they used TLS.
void look_behind_proxies(http::Request& request, const std::set<std::string>& proxies) {
  if (!proxies.contains(request.peer_address)) return;
  if (request.header("x-forwarded-proto") == std::string_view("https")) request.secure = true;
  std::string_view chain = request.header("x-forwarded-for").value_or("");
  while (!chain.empty()) {
    const auto comma = chain.rfind(',');
    std::string_view last = comma == std::string_view::npos ? chain : chain.substr(comma + 1);
    chain = comma == std::string_view::npos ? std::string_view() : chain.substr(0, comma);
    while (!last.empty() && last.front() == ' ') last.remove_prefix(1);
    while (!last.empty() && last.back() == ' ') last.remove_suffix(1);
    if (last.empty() || last.size() > 64) return;
    request.peer_address = last;
    if (!proxies.contains(request.peer_address)) return;
  }
}

// One of few at a time; the rest are asked to come again.
class Turn {
 public:
  Turn(std::atomic<int>& taken, int limit) : taken_(taken), has_(++taken_ <= limit) {}
  ~Turn() { --taken_; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool has() const { return has_; }

 private:
  std::atomic<int>& taken_;
  const bool has_;
};

Error overloaded(std::string_view what) {
  return make_error(ErrorCode::kOverloaded, "request", fmt::format("too many {} at once", what))
      .with_hint("try again in a second");
}

// From another site: a page of somebody else's makes the browser send it. Programs send neither
// header.
Status check_origin(const http::Request& request) {
  const auto site = request.header("sec-fetch-site");
  const auto origin = request.header("origin");
  const auto host = request.header("host");
  const bool foreign_site = site.has_value() && *site != "same-origin" && *site != "none";
  const bool foreign_origin =
      origin.has_value() && host.has_value() && !origin->ends_with("//" + std::string(*host));
  if (!foreign_site && !foreign_origin) return {};
  return make_error(ErrorCode::kForged, "request", "the request comes from another site")
      .with_hint("use the pages of this service");
}

}  // namespace

RateLimit::Bucket& RateLimit::filled(const std::string& caller) {
  const double now = monotonic_seconds();
  if (now - swept_at_ > 60) {
    std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.at_seconds > 60; });
    swept_at_ = now;
  }
  Bucket& bucket = buckets_.try_emplace(caller, Bucket{burst_, now}).first->second;
  bucket.tokens = std::min(burst_, bucket.tokens + (now - bucket.at_seconds) * per_second_);
  bucket.at_seconds = now;
  return bucket;
}

bool RateLimit::allows(const std::string& caller) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = filled(caller);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

bool RateLimit::has_room(const std::string& caller) {
  const std::lock_guard lock(mutex_);
  return filled(caller).tokens >= 1;
}

// One request on its way; lives until its answer is made.
struct Pipeline::Exchange {
  http::Request request;
  Arrived arrived;
  const Operation* operation = nullptr;
  accounts::Identity who;
};

// A body that the handler takes itself; its answer gets what every answer has.
class Pipeline::StreamedBody final : public http::BodyTarget {
 public:
  StreamedBody(std::unique_ptr<http::BodyTarget> target, std::shared_ptr<Exchange> exchange)
      : target_(std::move(target)), exchange_(std::move(exchange)) {}
  Status write(ByteView bytes) override { return target_->write(bytes); }
  http::Response finish() override { return completed(target_->finish()); }
  http::Response failed(const Error& error) override { return completed(target_->failed(error)); }

 private:
  http::Response completed(http::Response response) const {
    add_standard_headers(response, &exchange_->request, exchange_->arrived.trace_id);
    return response;
  }
  std::unique_ptr<http::BodyTarget> target_;
  std::shared_ptr<Exchange> exchange_;
};

Pipeline::Pipeline(Parts& parts, const ServiceSettings& settings, Measures& measures)
    : parts_(parts),
      settings_(settings),
      measures_(measures),
      callers_(settings.requests_per_second, settings.burst),
      strangers_(kStrangersPerSecond, kStrangersBurst) {}

// Of failures of the service itself the log has what a tenant does not see.
http::Response Pipeline::problem(const Error& error, const Exchange& exchange) {
  const ErrorInfo& info = error_info(error.code);
  if (info.http_status >= 500 && info.code != ErrorCode::kReplayPending && settings_.log) {
    settings_.log(json::serialize(
        json::object{{"level", "error"},
                     {"ts", Timestamp::now().rfc3339()},
                     {"trace_id", exchange.arrived.trace_id},
                     {"operation", exchange.operation == nullptr ? "" : exchange.operation->id},
                     {"code", info.name},
                     {"op", error.op},
                     {"cause", error.cause}}));
  }
  return problem_response(error, exchange.request.target, exchange.arrived.trace_id);
}

Result<accounts::Identity> Pipeline::identify(const http::Request& request) {
  const Timestamp now = Timestamp::now();
  if (const auto header = request.header("authorization")) {
    if (!header->starts_with("Bearer ")) {
      return make_error(ErrorCode::kTokenInvalid, "request",
                        "the Authorization header holds no bearer token")
          .with_hint("send `Authorization: Bearer oab_…`");
    }
    return parts_.accounts.from_token(header->substr(7), now);
  }
  if (const auto cookie = http::cookie(request, kCookieName)) {
    OA_ASSIGN(auto who, parts_.accounts.from_cookie(*cookie, now));
    if (!changes_something(request.method)) return who;
    OA_TRY(check_origin(request));
    if (request.header("x-csrf-token") == std::string_view(who.csrf_token)) return who;
    return make_error(ErrorCode::kForged, "request", "the request lacks its X-CSRF-Token")
        .with_hint("load the page again");
  }
  return make_error(ErrorCode::kUnauthenticated, "request", "nobody is signed in")
      .with_hint("sign in, or send an API token");
}

Status Pipeline::admit(const Operation& operation, const accounts::Identity& who,
                       const http::Request& request) {
  if (!callers_.allows(who.user.str())) {
    return make_error(ErrorCode::kRateLimited, "request", "too many requests at once")
        .with_hint("wait a second");
  }
  if (request.header("x-tenant-id").has_value() &&
      *request.header("x-tenant-id") != who.tenant.str()) {
    return make_error(ErrorCode::kTenantMismatch, "request",
                      "X-Tenant-Id is not the tenant of this sign-in");
  }
  if (who.scopes.has_value() && !who.scopes->contains(operation.scope)) {
    return make_error(ErrorCode::kScopeDenied, "request",
                      fmt::format("this needs a token with the scope \"{}\"",
                                  accounts::to_text(operation.scope)))
        .with_hint("make another token");
  }
  const bool allowed = operation.right == Right::kAnybody ||
                       (operation.right == Right::kBackup && who.may_back_up()) || who.owner;
  if (allowed) return parts_.instance.check_key(who.tenant);
  return make_error(ErrorCode::kPermissionDenied, "request",
                    operation.right == Right::kOwner
                        ? "only an Owner may do this"
                        : "only an Owner or an Admin of a workspace may do this")
      .with_hint("ask an Owner of your organisation");
}

// A probe is to hear that the process runs while every worker waits for the database.
std::optional<http::Response> Pipeline::at_once(const http::Request& request) {
  return health(request);
}

http::Reaction Pipeline::handle(const http::Request& request) {
  auto exchange = std::make_shared<Exchange>();
  exchange->request = request;
  look_behind_proxies(exchange->request, settings_.trusted_proxies);
  exchange->arrived.request = &exchange->request;
  exchange->arrived.trace_id = trace_id_of(request);
  exchange->arrived.secrets = &parts_.secrets;
  auto reaction = dispatch(exchange);
  if (auto* response = std::get_if<http::Response>(&reaction))
    add_standard_headers(*response, &exchange->request, exchange->arrived.trace_id);
  if (auto* target = std::get_if<std::unique_ptr<http::BodyTarget>>(&reaction))
    *target = std::make_unique<StreamedBody>(std::move(*target), exchange);
  return reaction;
}

http::Reaction Pipeline::dispatch(const std::shared_ptr<Exchange>& exchange) {
  const auto& request = exchange->request;
  const auto problem = [&](const Error& error) { return this->problem(error, *exchange); };
  if (auto page = service_page(request, exchange->arrived.trace_id)) return std::move(*page);
  auto route = find_operation(request.method, request.path);
  if (!route.ok()) {
    auto response = problem(route.error());
    if (route.error().code == ErrorCode::kMethodNotAllowed)
      response.headers.emplace_back("Allow", route.error().cause);
    return response;
  }
  exchange->operation = route->operation;
  exchange->arrived.path = std::move(route->path);
  const Status complete = parts_.instance.erasures().check();
  if (!complete.ok()) return problem(complete.error());
  const Operation& operation = *exchange->operation;
  if (!std::holds_alternative<PublicHandler>(operation.handler)) {
    const std::string peer = "stranger " + request.peer_address;
    if (!strangers_.has_room(peer)) {
      return problem(make_error(ErrorCode::kRateLimited, "request",
                                "too many requests with wrong credentials")
                         .with_hint("wait some seconds, and use valid credentials"));
    }
    auto who = identify(request);
    if (!who.ok()) {
      // Of what costs a look into the database and belongs to nobody.
      if (who.error().code == ErrorCode::kTokenInvalid) strangers_.allows(peer);
      return problem(who.error());
    }
    exchange->who = std::move(*who);
    const Status admitted = admit(operation, exchange->who, request);
    if (!admitted.ok()) return problem(admitted.error());
  } else if (!callers_.allows("peer " + request.peer_address)) {
    return problem(make_error(ErrorCode::kRateLimited, "request", "too many requests at once")
                       .with_hint("wait a second"));
  } else if (changes_something(request.method)) {
    const Status own = check_origin(request);
    if (!own.ok()) return problem(own.error());
  }
  if (const auto* stream = std::get_if<StreamHandler>(&operation.handler)) {
    TenantCall call(parts_, exchange->arrived, exchange->who);
    auto reaction = (*stream)(call);
    if (reaction.ok()) return std::move(*reaction);
    return problem(reaction.error());
  }
  if (operation.max_body_bytes == 0) return answer(exchange);
  if (const Status media = check_media_type(request); !media.ok()) return problem(media.error());
  return http::SmallBody{operation.max_body_bytes, [this, exchange](std::string body) {
                           const auto parsed = parse_body(body);
                           auto response = http::Response{};
                           if (parsed.ok()) {
                             exchange->arrived.body = *parsed;
                             response = answer(exchange);
                           } else {
                             response = this->problem(parsed.error(), *exchange);
                           }
                           add_standard_headers(response, &exchange->request,
                                                exchange->arrived.trace_id);
                           return response;
                         }};
}

http::Response Pipeline::answer(const std::shared_ptr<Exchange>& exchange) {
  auto response = call(*exchange);
  if (response.ok()) return std::move(*response);
  return problem(response.error(), *exchange);
}

Result<http::Response> Pipeline::call(Exchange& exchange) {
  const Operation& operation = *exchange.operation;
  if (const auto* handler = std::get_if<PublicHandler>(&operation.handler)) {
    // Passwords take time and memory, and must not take every worker.
    const Turn turn(signing_in_, settings_.sign_ins_at_once);
    if (operation.max_body_bytes > 0 && !turn.has()) return overloaded("sign-ins");
    PublicCall call(parts_, exchange.arrived);
    return (*handler)(call);
  }
  if (operation.takes_key()) {
    OA_ASSIGN(const auto key, idempotency_key(exchange.request));
    if (key.has_value()) return call_once(exchange, *key);
  }
  TenantCall call(parts_, exchange.arrived, exchange.who);
  if (!operation.heavy) return std::get<TenantHandler>(operation.handler)(call);
  const Turn turn(asking_much_, settings_.heavy_at_once);
  if (!turn.has()) return overloaded("requests that take long");
  return std::get<TenantHandler>(operation.handler)(call);
}

Result<http::Response> Pipeline::call_once(Exchange& exchange, const std::string& key) {
  TenantCall call(parts_, exchange.arrived, exchange.who);
  const Operation& operation = *exchange.operation;
  const auto request = digest_of(exchange.arrived);
  const auto answer = [&] { return std::get<TenantHandler>(operation.handler)(call); };
  const UserId user = exchange.who.user;
  if (operation.repeats != Repeats::kRememberedInside) {
    const auto remembered =
        remembered_beside(parts_.instance.database(), exchange.who.tenant, user, key);
    return answer_once(*remembered, request, operation.repeats != Repeats::kRefused, answer);
  }
  OA_ASSIGN(auto transaction, call.transaction());
  call.answer_is_remembered_in(&transaction);
  const auto remembered = remembered_in(transaction, user, key);
  OA_ASSIGN(auto response, answer_once(*remembered, request, true, answer));
  call.wake_workers();
  return response;
}

namespace {

// A page of the program, if there is one there.
std::optional<http::Response> page_of(const http::Request& request) {
  std::string path;
  for (const auto& segment : request.path) path += "/" + segment;
  const auto* page = pages::find_page(path.empty() ? "/" : path);
  if (page == nullptr) return std::nullopt;
  http::Response response;
  response.headers = {{"Content-Type", std::string(page->content_type)},
                      {"ETag", std::string(page->etag)},
                      {"Vary", "Accept-Encoding"},
                      {"Cache-Control", page->immutable ? "public, max-age=31536000, immutable"
                                                        : "no-cache"}};
  if (http::is_unchanged(request, page->etag)) {
    response.status = 304;
    return response;
  }
  const auto encodings = request.header("accept-encoding").value_or("");
  const bool gzip = !page->gzip_body.empty() && encodings.find("gzip") != std::string_view::npos;
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = http::StaticBody{gzip ? page->gzip_body : page->body};
  return response;
}

}  // namespace

std::optional<http::Response> Pipeline::service_page(const http::Request& request,
                                                     const std::string& trace_id) {
  const auto& path = request.path;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!path.empty() && path[0] == "v1") return std::nullopt;
  if (!reads) return std::nullopt;
  if (path == std::vector<std::string>{"trust", "report.json"}) return std::nullopt;  // an operation
  if (path == std::vector<std::string>{"readyz"}) {
    Status ready = check_ready();
    if (ready.ok()) ready = parts_.instance.erasures().check();
    if (ready.ok()) return json_response(200, json::object{{"status", "ok"}});
    return problem_response(ready.error(), request.target, trace_id);
  }
  if (path == std::vector<std::string>{"docs", "errors"}) {
    http::Response response;
    response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
    response.body = error_page();
    return response;
  }
  return page_of(request);
}

Status Pipeline::check_ready() {
  if (!ready_)
    return make_error(ErrorCode::kOverloaded, "service", "the service is shutting down");
  const std::lock_guard lock(ready_mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - ready_checked_at_ < kReadyFor) return ready_result_;
  ready_checked_at_ = now;
  const Status found = parts_.instance.check();
  log_readiness(found);
  ready_result_ = found;
  if (!found.ok()) {
    ready_result_ = make_error(ErrorCode::kOverloaded, "service",
                               "the database or the object store does not answer");
  }
  return ready_result_;
}

// Once for each change, not for each probe.
void Pipeline::log_readiness(const Status& found) {
  const auto code = found.ok() ? std::string_view() : error_info(found.error().code).name;
  if (code == ready_logged_) return;
  ready_logged_ = code;
  if (!settings_.log) return;
  json::object line{{"level", found.ok() ? "info" : "error"},
                    {"ts", Timestamp::now().rfc3339()},
                    {"operation", "readiness"},
                    {"ready", found.ok()}};
  if (!found.ok()) {
    const Error& error = found.error();
    line["code"] = code;
    line["op"] = error.op;
    line["cause"] = error.cause.empty() ? error.message : error.cause;
  }
  settings_.log(json::serialize(line));
}

http::Response Pipeline::refuse(const Error& error) {
  const std::string trace_id = to_hex(ByteView(Uuid::random().raw()));
  auto response = refusal_response(error, trace_id);
  add_standard_headers(response, nullptr, trace_id);
  return response;
}

void Pipeline::done(const http::Request& request, int status, std::uint64_t received_bytes,
                    std::uint64_t sent_bytes, double seconds) {
  const auto route = find_operation(request.method, request.path);
  const std::string operation =
      route.ok() ? std::string(route->operation->id) : std::string("page");
  measures_.add(operation, status, seconds);
  if (!settings_.log) return;
  settings_.log(json::serialize(json::object{{"level", "info"},
                                             {"ts", Timestamp::now().rfc3339()},
                                             {"trace_id", trace_id_of(request)},
                                             {"operation", operation},
                                             {"method", request.method},
                                             {"status", status},
                                             {"received_bytes", received_bytes},
                                             {"sent_bytes", sent_bytes},
                                             {"seconds", seconds}}));
}

}  // namespace oa::api
