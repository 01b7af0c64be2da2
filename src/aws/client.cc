#include "oa/aws/client.h"

#include <string.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <thread>

#include "endpoint.h"
#include "oa/crypto/hash.h"
#include "retry.h"
#include "transfer.h"

namespace oa::aws {
namespace {

using std::chrono::milliseconds;

constexpr const char* kOp = "aws.request";
constexpr int kMostAttempts = 20;
constexpr int kMostBudget = 1'000'000;
constexpr milliseconds kLookForCancel{50};

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

Status check(const Request& request) {
  const bool good_bucket = std::ranges::all_of(request.bucket, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  const bool good_headers = std::ranges::all_of(request.headers, [](const auto& header) {
    return !header.first.empty() && printable(header.first) && printable(header.second) &&
           header.first.find(':') == std::string::npos;
  });
  if (!good_bucket || !good_headers || !request.path.starts_with('/') ||
      request.path.find('\0') != std::string::npos) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      "a bucket, path or header cannot be sent as it is");
  }
  return {};
}

double random_part() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

std::string_view ResponseHead::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Fields::value_type::first);
  return found == headers.end() ? std::string_view() : found->second;
}

namespace {

// What of a request's attempts the next one depends on.
struct Course {
  int retries = 0;  // after a wait
  bool clock_set = false;
  bool credentials_renewed = false;
  bool redirected = false;
  std::optional<Endpoint> elsewhere;  // of a redirect for this request alone
};

enum class Next { kReturn, kAtOnce, kWait };

}  // namespace

struct Client::State {
  State(ClientSettings given, Endpoint place)
      : settings(std::move(given)),
        connections(settings),
        budget(settings.retries.budget),
        endpoint(std::move(place)) {}

  Result<Response> send(const Request& request);
  Result<std::string> presign_get(const Request& request, std::chrono::seconds lifetime);

  Endpoint current_endpoint() {
    const std::lock_guard lock(mutex);
    return endpoint;
  }
  Timestamp now() const { return {Timestamp::now().unix_us + clock_ahead_us.load()}; }
  Error unavailable(std::string cause) const;
  Outcome attempt(const Request& request, RequestToSign& to_sign, const Credentials& credentials,
                  const Endpoint& place);
  Next judge_answer(const Request& request, const Response& answer, const Endpoint& place,
                    const Credentials& credentials, Course& course);
  bool set_clock(const ResponseHead& head);
  Status wait(const Request& request, const Outcome& outcome, Course& course);

  const ClientSettings settings;
  Connections connections;
  RetryBudget budget;
  std::atomic<std::int64_t> clock_ahead_us = 0;  // the server's clock, of ours
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> attempts = 0;
  std::mutex mutex;
  Endpoint endpoint;  // guarded by mutex; another region's after a redirect
};

Error Client::State::unavailable(std::string cause) const {
  return make_error(settings.unavailable, kOp, "the service does not answer")
      .with_hint("check that it runs and can be reached from here, then try again")
      .with_cause(std::move(cause));
}

Outcome Client::State::attempt(const Request& request, RequestToSign& to_sign,
                               const Credentials& credentials, const Endpoint& place) {
  to_sign.host = host_of(place, request.bucket);
  Fields headers = request.headers;
  SigningScope scope = settings.scope;
  scope.region = place.region;
  for (auto& added : sign_headers(to_sign, credentials, scope, now()))
    headers.push_back(std::move(added));
  const std::string query = canonical_query(request.query);
  ++attempts;
  Outcome outcome = connections.perform({.request = request,
                                         .url = place.scheme + "://" + to_sign.host +
                                                uri_encode(request.path, true) +
                                                (query.empty() ? "" : "?" + query),
                                         .headers = headers});
  for (auto& [name, value] : headers)
    if (name == "authorization" || name == "x-amz-security-token")
      explicit_bzero(value.data(), value.size());
  return outcome;
}

// By the Date of an answer, which has whole seconds. False when it says nothing new.
bool Client::State::set_clock(const ResponseHead& head) {
  const auto date = date_of(head);
  if (!date) return false;
  clock_ahead_us = date->unix_us - Timestamp::now().unix_us;
  return true;
}

Next Client::State::judge_answer(const Request& request, const Response& answer,
                                 const Endpoint& place, const Credentials& credentials,
                                 Course& course) {
  if (const auto to = redirected(place, request.bucket, answer); to && !course.redirected) {
    course.redirected = true;
    course.elsewhere = to;
    if (to->region != place.region) {  // else the address is for this once
      const std::lock_guard lock(mutex);
      endpoint = *to;
    }
    return Next::kAtOnce;
  }
  switch (judge(answer)) {
    case Verdict::kDone:
      return Next::kReturn;
    case Verdict::kAgain:
      return Next::kWait;
    case Verdict::kAgainMaybe:
      return request.repeatable ? Next::kWait : Next::kReturn;
    case Verdict::kSetClock:
      if (std::exchange(course.clock_set, true) || !set_clock(answer.head)) return Next::kReturn;
      return Next::kAtOnce;
    case Verdict::kNewCredentials:
      if (std::exchange(course.credentials_renewed, true)) return Next::kReturn;
      return settings.credentials->refused(credentials) ? Next::kAtOnce : Next::kReturn;
  }
  OA_ASSERT(false);
}

// Waits for the next attempt, or says why there is none.
Status Client::State::wait(const Request& request, const Outcome& outcome, Course& course) {
  const bool answered = outcome.end == Outcome::End::kAnswered;
  const std::string why = answered ? "HTTP " + std::to_string(outcome.answer.head.status) + " " +
                                         outcome.answer.error_code
                                   : outcome.cause;
  milliseconds left = wait_before(settings.retries, course.retries, random_part());
  if (const auto told = answered ? retry_after(outcome.answer.head) : std::nullopt; told) {
    if (*told > settings.retries.longest_wait)
      return unavailable(why + ", to be asked again in " + std::to_string(told->count()) + " ms");
    left = std::max(left, *told);
  }
  if (++course.retries >= settings.retries.attempts) return unavailable(why);
  if (!budget.take()) return unavailable(why + "; no retries left for now");
  for (; left.count() > 0; left -= kLookForCancel) {
    if (request.cancelled != nullptr && request.cancelled->load())
      return make_error(ErrorCode::kCancelled, kOp, "cancelled");
    std::this_thread::sleep_for(std::min(left, kLookForCancel));
  }
  return {};
}

Result<Response> Client::State::send(const Request& request) {
  OA_TRY(check(request));
  ++requests;
  RequestToSign to_sign{.method = request.method,
                        .host = {},
                        .path = request.path,
                        .query = request.query,
                        .headers = request.headers,
                        .payload_sha256 = std::string(kEmptyPayload)};
  if (request.streamed != nullptr) {
    to_sign.payload_sha256 = request.streamed->sha256();
  } else if (!request.body_sha256.empty()) {
    to_sign.payload_sha256 = request.body_sha256;
  } else if (!request.body.empty()) {
    to_sign.payload_sha256 = to_hex(Sha256::of(request.body));
  }
  for (Course course;;) {
    if (request.streamed != nullptr) OA_TRY(request.streamed->restart());
    OA_ASSIGN(const auto credentials, settings.credentials->current());
    const Endpoint place = course.elsewhere.value_or(current_endpoint());
    Outcome outcome = attempt(request, to_sign, *credentials, place);
    Next next = Next::kWait;
    switch (outcome.end) {
      case Outcome::End::kFailed:
        return *std::move(outcome.error);
      case Outcome::End::kAnswered:
        next = judge_answer(request, outcome.answer, place, *credentials, course);
        break;
      case Outcome::End::kBroken:
        if (!request.repeatable) return unavailable(outcome.cause);
        break;
      case Outcome::End::kNotSent:
        break;
    }
    if (next == Next::kReturn) {
      if (outcome.answer.ok()) budget.give_back_a_tenth();
      return std::move(outcome.answer);
    }
    if (next == Next::kWait) OA_TRY(wait(request, outcome, course));
  }
}

Result<std::string> Client::State::presign_get(const Request& request,
                                               std::chrono::seconds lifetime) {
  OA_TRY(check(request));
  OA_ASSIGN(const auto credentials, settings.credentials->current());
  const Endpoint place = current_endpoint();
  SigningScope scope = settings.scope;
  scope.region = place.region;
  return presign(place.scheme,
                 {.method = "GET",
                  .host = host_of(place, request.bucket),
                  .path = request.path,
                  .query = request.query,
                  .headers = {},
                  .payload_sha256 = {}},
                 *credentials, scope, now(), lifetime);
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::open(ClientSettings settings) {
  OA_ASSIGN(Endpoint endpoint, parse_endpoint(settings.endpoint, settings.scope.region));
  const RetrySettings& retries = settings.retries;
  if (settings.credentials == nullptr || settings.scope.service.empty() ||
      settings.connect_timeout.count() < 1 || settings.idle_timeout.count() < 1 ||
      settings.total_timeout.count() < 1 || retries.attempts < 1 ||
      retries.attempts > kMostAttempts || retries.first_wait.count() < 0 ||
      retries.longest_wait.count() < 0 || retries.budget < 0 || retries.budget > kMostBudget) {
    return make_error(ErrorCode::kInvalidArgument, "aws.open",
                      "the settings of a service need credentials, a service's name, timeouts and "
                      "1 to 20 attempts");
  }
  return std::unique_ptr<Client>(
      new Client(std::make_unique<State>(std::move(settings), std::move(endpoint))));
}

Result<Response> Client::send(const Request& request) { return state_->send(request); }

Result<std::string> Client::presign_get(const Request& request, std::chrono::seconds lifetime) {
  return state_->presign_get(request, lifetime);
}

ClientCounts Client::counts() const {
  return {.requests = state_->requests,
          .attempts = state_->attempts,
          .connections = state_->connections.opened()};
}

}  // namespace oa::aws
