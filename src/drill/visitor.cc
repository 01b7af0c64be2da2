#include "visitor.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <chrono>
#include <thread>

namespace oa::drill {
namespace {

constexpr const char* kOp = "drill.visit";
constexpr std::size_t kMaxAnswer = std::size_t{64} << 20, kMaxUrl = 512;
constexpr long kConnectSeconds = 10, kQuietSeconds = 60;
constexpr auto kPoll = std::chrono::milliseconds(200);
constexpr std::string_view kCookie = "__Host-oa-session=";

bool on_this_machine(std::string_view url) {
  for (const char* start : {"http://127.0.0.1:", "http://[::1]:", "http://localhost:"})
    if (url.starts_with(start)) return true;
  return false;
}

struct Taken {
  std::string body;
  std::size_t limit = kMaxAnswer;
  bool too_large = false;
  std::string cookie;
};

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& taken = *static_cast<Taken*>(into);
  if (taken.body.size() + size * count > taken.limit) {
    taken.too_large = true;
    return 0;  // ends the request
  }
  taken.body.append(bytes, size * count);
  return size * count;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* into) {
  std::string line(bytes, size * count);
  std::string name = line.substr(0, line.find(':'));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto at = line.find(kCookie);
  if (name == "set-cookie" && at != std::string::npos) {
    const auto begin = at + kCookie.size();
    static_cast<Taken*>(into)->cookie = line.substr(begin, line.find(';', begin) - begin);
  }
  return size * count;
}

int watch(void* progress, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Progress*>(progress)->cancelled() ? 1 : 0;
}

struct EndHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, EndHeaders>;

void add(Headers& headers, const std::string& line) {
  headers.reset(curl_slist_append(headers.release(), line.c_str()));
}

std::string text_of(const json::value& value, const char* member) {
  const auto* object = value.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(member);
  return found == nullptr || !found->is_string() ? "" : std::string(found->as_string());
}

}  // namespace

struct Visitor::Request {
  std::string method = "GET";
  std::string path;
  std::optional<std::string> body = {};
  std::string range = {};
  std::size_t limit = kMaxAnswer;
};

struct Visitor::Answer {
  long status = 0;
  std::string body;
  std::string cookie;
};

struct Visitor::State {
  Address address;
  const Progress& progress;
  CURL* curl = nullptr;
  std::mutex mutex;
  std::string cookie, csrf;

  State(Address where, const Progress& asked) : address(std::move(where)), progress(asked) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (curl != nullptr) curl_easy_cleanup(curl);
  }
};

Visitor::Visitor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Visitor::~Visitor() = default;

Result<std::unique_ptr<Visitor>> Visitor::open(const Address& address, const Progress& progress) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::string& url = address.url;
  const bool fine = (url.starts_with("https://") || on_this_machine(url)) && url.size() <= kMaxUrl &&
                    !url.ends_with('/') && url.find('@') == url.npos;
  if (!fine) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "that is not where a service can be: " + url)
        .with_hint("write it as https://HOST:PORT; http goes to this machine alone");
  }
  auto state = std::make_unique<State>(address, progress);
  state->curl = curl_easy_init();
  if (state->curl == nullptr) return make_error(ErrorCode::kInternal, kOp, "curl does not start");
  return std::unique_ptr<Visitor>(new Visitor(std::move(state)));
}

Result<Visitor::Answer> Visitor::send(const Request& request) {
  const std::lock_guard lock(state_->mutex);
  CURL* const curl = state_->curl;
  curl_easy_reset(curl);
  Headers headers;
  add(headers, "Accept: application/json");
  if (!state_->cookie.empty())
    add(headers, "Cookie: " + std::string(kCookie) + state_->cookie);
  if (request.method != "GET") {
    if (!state_->csrf.empty()) {
      add(headers, "X-CSRF-Token: " + state_->csrf);
      add(headers, "Idempotency-Key: " + Uuid::random().str());
    }
    if (request.body.has_value()) add(headers, "Content-Type: application/json");
    add(headers, "Expect:");
  }
  Taken taken;
  taken.limit = request.limit;
  const std::string url = state_->address.url + request.path;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // a proxy of the environment would be asked otherwise
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kQuietSeconds);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &taken);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &taken);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &state_->progress);
  if (!state_->address.ca_file.empty())
    curl_easy_setopt(curl, CURLOPT_CAINFO, state_->address.ca_file.c_str());
  if (!request.range.empty()) curl_easy_setopt(curl, CURLOPT_RANGE, request.range.c_str());
  if (request.method == "POST") {
    const std::string& body = request.body.has_value() ? *request.body : std::string();
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_ABORTED_BY_CALLBACK) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
  if (taken.too_large)
    return make_error(ErrorCode::kLimitExceeded, kOp, "an answer of the service is too large");
  if (code == CURLE_OPERATION_TIMEDOUT)
    return make_error(ErrorCode::kTimeout, kOp, "the service does not answer in time");
  if (code != CURLE_OK) {
    return make_error(ErrorCode::kIo, kOp, "the service cannot be reached")
        .with_hint("see that it serves under the address that the drill was given")
        .with_cause(curl_easy_strerror(code));
  }
  Answer answer;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  answer.body = std::move(taken.body);
  answer.cookie = std::move(taken.cookie);
  return answer;
}

Result<json::value> Visitor::document(const Request& request) {
  OA_ASSIGN(const auto answer, send(request));
  const auto parsed = parse_json(answer.body);
  if (answer.status < 200 || answer.status > 299) {
    const std::string code = parsed.ok() ? text_of(*parsed, "code") : "";
    return make_error(ErrorCode::kDrillFailed, kOp,
                      fmt::format("the service answers {} {}with {}", request.method,
                                  code.empty() ? "" : code + " ", answer.status))
        .with_cause(request.path);
  }
  if (parsed.ok()) return parsed;
  return make_error(ErrorCode::kDrillFailed, kOp, "an answer of the service is no JSON document")
      .with_cause(request.path);
}

Status Visitor::sign_in(const std::string& organisation, const std::string& email,
                        const std::string& password) {
  const json::object body{
      {"organisation", organisation}, {"email", email}, {"password", password}};
  OA_ASSIGN(const auto answer, send({"POST", "/v1/auth/sign-in", json::serialize(body)}));
  const auto parsed = parse_json(answer.body);
  const auto csrf = parsed.ok() ? text_of(*parsed, "csrf_token") : "";
  if (answer.status != 200 || answer.cookie.empty() || csrf.empty()) {
    return make_error(ErrorCode::kDrillFailed, kOp,
                      fmt::format("signing in is answered with {}", answer.status));
  }
  state_->cookie = answer.cookie;
  state_->csrf = csrf;
  return {};
}

Result<json::value> Visitor::get(const std::string& path) { return document({"GET", path}); }

Result<json::value> Visitor::post(const std::string& path, const json::object& body) {
  return document({"POST", path, json::serialize(body)});
}

Result<json::value> Visitor::post(const std::string& path) { return document({"POST", path}); }

Result<json::value> Visitor::finish(const json::value& job) {
  const std::string id = text_of(job, "id");
  for (json::value now = job;;) {
    const std::string state = text_of(now, "state");
    if (state == "succeeded") {
      const auto* result = now.as_object().if_contains("result");
      return result == nullptr ? json::value(nullptr) : *result;
    }
    if (state != "queued" && state != "running") {
      const auto* error = now.is_object() ? now.as_object().if_contains("error") : nullptr;
      return make_error(ErrorCode::kDrillFailed, kOp,
                        fmt::format("the job is {} {}", state.empty() ? "unknown" : state,
                                    error == nullptr ? "" : text_of(*error, "code")));
    }
    if (state_->progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
    std::this_thread::sleep_for(kPoll);
    OA_ASSIGN(now, get("/v1/jobs/" + id));
  }
}

Status Visitor::read(const std::string& path, std::uint64_t offset, std::span<std::uint8_t> out) {
  if (out.empty()) return {};
  OA_ASSIGN(const auto answer,
            send({"GET", path, std::nullopt,
                  fmt::format("{}-{}", offset, offset + out.size() - 1), out.size()}));
  if (answer.status != 206 || answer.body.size() != out.size()) {
    return make_error(ErrorCode::kDrillFailed, kOp,
                      fmt::format("a download is answered with {} and {} of {} bytes",
                                  answer.status, answer.body.size(), out.size()));
  }
  std::copy(answer.body.begin(), answer.body.end(), out.begin());
  return {};
}

}  // namespace oa::drill
