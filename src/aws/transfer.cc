#include "transfer.h"

#include <curl/curl.h>
#include <string.h>

#include <algorithm>

#include "retry.h"

namespace oa::aws {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kOp = "aws.request";
constexpr std::size_t kMaxHeadBytes = 64 << 10;
constexpr std::size_t kMaxErrorBody = 64 << 10;
constexpr std::size_t kMaxIdle = 16;
constexpr long kSendBuffer = 512 << 10;
constexpr long kReceiveBuffer = 256 << 10;  // fits a core's cache
constexpr std::size_t kCallbackFailed = 0;  // of a write callback that was given something

// A list of headers; what is signed in it is wiped.
class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList() {
    for (curl_slist* line = list_; line != nullptr; line = line->next)
      explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(list_);
  }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  bool add(std::string line) {
    curl_slist* const longer = curl_slist_append(list_, line.c_str());
    explicit_bzero(line.data(), line.size());
    if (longer != nullptr) list_ = longer;
    return longer != nullptr;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What the callbacks of one attempt know.
struct Attempt {
  const Request& request;
  const ClientSettings& settings;
  Response answer = {};
  std::size_t head_bytes = 0;
  bool head_ended = false;
  bool sink_begun = false;
  std::size_t sent = 0;  // of request.body
  std::optional<Error> error = {};
  std::string aborted = {};  // why, when the progress callback ended it
  curl_off_t moved = -1;
  Clock::time_point moved_at = Clock::now();

  bool fail(Error why) {
    error = std::move(why);
    return false;
  }
  bool begin_sink();
  bool take_body(ByteView bytes);
  bool take_header(std::string_view line);
};

bool Attempt::begin_sink() {
  if (sink_begun || request.sink == nullptr || !answer.ok()) return true;
  sink_begun = true;
  const Status begun = request.sink->begin(answer.head);
  return begun.ok() || fail(begun.error());
}

bool Attempt::take_body(ByteView bytes) {
  if (!answer.ok()) {
    const std::size_t room = kMaxErrorBody - std::min(kMaxErrorBody, answer.body.size());
    const ByteView taken = bytes.first(std::min(room, bytes.size()));
    answer.body.insert(answer.body.end(), taken.begin(), taken.end());
    return true;
  }
  if (request.sink != nullptr) {
    if (!begin_sink()) return false;
    const Status written = request.sink->write(bytes);
    return written.ok() || fail(written.error());
  }
  if (bytes.size() > request.max_body_bytes - answer.body.size()) {
    return fail(make_error(ErrorCode::kLimitExceeded, kOp, "the server's answer is too long"));
  }
  answer.body.insert(answer.body.end(), bytes.begin(), bytes.end());
  return true;
}

// A status line begins a head: that of an interim answer (100) is followed by another.
bool Attempt::take_header(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' '))
    line.remove_suffix(1);
  if (line.starts_with("HTTP/") && (head_ended || head_bytes == 0)) {
    answer.head = {};
    head_bytes = line.size();
    head_ended = false;
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.size() < space + 4) return true;
    for (const char c : line.substr(space + 1, 3)) {
      if (c < '0' || c > '9') return true;
      answer.head.status = 10 * answer.head.status + (c - '0');
    }
    return true;
  }
  head_bytes += line.size();
  if (head_bytes > kMaxHeadBytes)
    return fail(make_error(ErrorCode::kLimitExceeded, kOp, "the server's header is too long"));
  head_ended = head_ended || line.empty();
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  std::string name(line.substr(0, colon));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  answer.head.headers.emplace_back(std::move(name), value);
  return true;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* of) {
  return static_cast<Attempt*>(of)->take_header({bytes, size * count}) ? size * count
                                                                       : kCallbackFailed;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* of) {
  return static_cast<Attempt*>(of)->take_body(as_bytes({bytes, size * count})) ? size * count
                                                                               : kCallbackFailed;
}

std::size_t on_read(char* out, std::size_t size, std::size_t count, void* of) {
  auto& attempt = *static_cast<Attempt*>(of);
  if (attempt.request.streamed != nullptr) {
    auto read =
        attempt.request.streamed->read({reinterpret_cast<std::uint8_t*>(out), size * count});
    if (read.ok()) return *read;
    attempt.error = std::move(read).error();
    return CURL_READFUNC_ABORT;
  }
  const ByteView left = attempt.request.body.subspan(attempt.sent);
  const ByteView now = left.first(std::min(left.size(), size * count));
  std::ranges::copy(now, reinterpret_cast<std::uint8_t*>(out));
  attempt.sent += now.size();
  return now.size();
}

// libcurl begins anew by itself when a connection that it used again turns out to be closed.
int on_seek(void* of, curl_off_t offset, int origin) {
  auto& attempt = *static_cast<Attempt*>(of);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  attempt.sent = 0;
  if (attempt.request.streamed == nullptr) return CURL_SEEKFUNC_OK;
  return attempt.request.streamed->restart().ok() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

int on_progress(void* of, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
  auto& attempt = *static_cast<Attempt*>(of);
  if (attempt.request.cancelled != nullptr && attempt.request.cancelled->load()) {
    attempt.error = make_error(ErrorCode::kCancelled, kOp, "cancelled");
    return 1;
  }
  const auto now = Clock::now();
  if (down + up != attempt.moved) {
    attempt.moved = down + up;
    attempt.moved_at = now;
  } else if (now - attempt.moved_at > attempt.settings.idle_timeout) {
    attempt.aborted = "nothing moved until the idle timeout";
    return 1;
  }
  return 0;
}

// The body's length; nullopt when there is none, not even an empty one.
std::optional<curl_off_t> body_size(const Request& request) {
  if (request.streamed != nullptr) return static_cast<curl_off_t>(request.streamed->size());
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST")
    return static_cast<curl_off_t>(request.body.size());
  return std::nullopt;
}

bool configure(CURL* curl, const Transfer& transfer, const HeaderList& headers,
               const ClientSettings& settings, Attempt& attempt) {
  const Request& request = transfer.request;
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(curl, option, value) == CURLE_OK;
  };
  set(CURLOPT_URL, transfer.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, transfer.url.starts_with("https") ? "https" : "http");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.ca_file.empty()) {
    set(CURLOPT_CAINFO, settings.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // of the system, which would be trusted, too
  }
  set(CURLOPT_PROXY, "");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_USERAGENT, "oa-backup");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kSendBuffer);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings.total_timeout.count()));
  set(CURLOPT_FRESH_CONNECT, request.repeatable ? 0L : 1L);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &attempt);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &attempt);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, &attempt);
  if (const auto size = body_size(request)) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, *size);
    set(CURLOPT_READFUNCTION, &on_read);
    set(CURLOPT_READDATA, &attempt);
    set(CURLOPT_SEEKFUNCTION, &on_seek);
    set(CURLOPT_SEEKDATA, &attempt);
  }
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  return good;
}

Outcome::End end_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return Outcome::End::kAnswered;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
      return Outcome::End::kNotSent;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer that is no HTTP
    case CURLE_HTTP2:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_ABORTED_BY_CALLBACK:
      return Outcome::End::kBroken;
    default:
      return Outcome::End::kFailed;
  }
}

Error broken_for_good(CURLcode code, ErrorCode as) {
  const bool certificate = code == CURLE_PEER_FAILED_VERIFICATION ||
                           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR;
  return make_error(
             as, kOp,
             certificate ? "the server's certificate is not trusted" : "the request cannot be made")
      .with_hint(certificate ? "name the CA that signed it, or check the address" : "")
      .with_cause(curl_easy_strerror(code));
}

Outcome outcome_of(CURLcode code, Attempt& attempt) {
  Outcome outcome;
  if (code == CURLE_OK && attempt.head_ended && !attempt.begin_sink()) code = CURLE_WRITE_ERROR;
  if (attempt.error) {
    outcome.error = std::move(attempt.error);
    return outcome;
  }
  outcome.end = end_of(code);
  // libcurl takes a head that breaks off for the whole of it.
  if (code == CURLE_OK && (!attempt.head_ended || attempt.answer.head.status == 0)) {
    outcome.end = Outcome::End::kBroken;
    attempt.aborted = "the server's header breaks off";
  }
  if (outcome.end == Outcome::End::kFailed) {
    outcome.error = broken_for_good(code, attempt.settings.unavailable);
  } else if (outcome.end == Outcome::End::kAnswered) {
    outcome.answer = std::move(attempt.answer);
    if (!outcome.answer.ok())
      outcome.answer.error_code = error_code_of(outcome.answer.head, outcome.answer.body);
  } else {
    outcome.cause = attempt.aborted.empty() ? curl_easy_strerror(code) : attempt.aborted;
  }
  return outcome;
}

}  // namespace

Connections::Connections(const ClientSettings& settings) : settings_(settings) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Connections::~Connections() {
  for (void* handle : idle_) curl_easy_cleanup(handle);
}

void* Connections::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return curl_easy_init();
  void* const handle = idle_.back();
  idle_.pop_back();
  return handle;
}

void Connections::give_back(void* handle) {
  curl_easy_reset(handle);
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) {
    idle_.push_back(handle);
  } else {
    curl_easy_cleanup(handle);
  }
}

Outcome Connections::perform(const Transfer& transfer) {
  Attempt attempt{.request = transfer.request, .settings = settings_};
  HeaderList headers;
  bool good = headers.add("Expect:") && headers.add("Accept:");
  for (const auto& [name, value] : transfer.headers)
    good = good && headers.add(value.empty() ? name + ";" : name + ": " + value);
  CURL* const curl = take();
  if (!good || curl == nullptr || !configure(curl, transfer, headers, settings_, attempt)) {
    if (curl != nullptr) curl_easy_cleanup(curl);
    Outcome outcome;
    outcome.error = make_error(ErrorCode::kInternal, kOp, "libcurl refuses a setting");
    return outcome;
  }
  const CURLcode code = curl_easy_perform(curl);
  long connections = 0;
  if (curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK)
    opened_ += static_cast<std::uint64_t>(connections);
  give_back(curl);
  return outcome_of(code, attempt);
}

}  // namespace oa::aws
