// HTTP/1.1 requests to a service of AWS, or to a server that speaks as one does, over libcurl:
// signed, with connections that are used again, and with a timeout on every wait.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "oa/aws/credentials.h"
#include "oa/aws/sigv4.h"
#include "oa/base/io.h"

namespace oa::aws {

/// How often what failed is tried again, and how long it waits: before retry n a random part of
/// min(longest_wait, first_wait · 2ⁿ), and at least what Retry-After says ("full jitter").
struct RetrySettings {
  int attempts = 5;  // with the first; 1 to 20
  std::chrono::milliseconds first_wait{100};
  std::chrono::milliseconds longest_wait{20'000};  // a longer Retry-After ends the request
  /// Retries that all requests of a client have together; each request that succeeds gives a tenth
  /// of one back. So a server that is down is not asked several times as often as one that is up.
  int budget = 100;
};

struct ClientSettings {
  std::string endpoint;  // "https://HOST[:PORT]"; http:// for addresses of this machine alone
  SigningScope scope;
  std::shared_ptr<CredentialProvider> credentials = {};  // shared with other clients
  std::string ca_file = {};                              // PEM, for https; empty: the system's
  std::chrono::milliseconds connect_timeout{10'000};
  /// No byte in either direction, the server's thinking included.
  std::chrono::milliseconds idle_timeout{30'000};
  std::chrono::milliseconds total_timeout{600'000};  // of one attempt
  RetrySettings retries = {};
  /// The code of the error when there is no answer, or only ones that say "try again".
  ErrorCode unavailable = ErrorCode::kObjectStoreUnavailable;
};

/// A body that is longer than what should be in memory. Not thread-safe.
class RequestBody {
 public:
  virtual ~RequestBody() = default;
  virtual std::uint64_t size() const = 0;
  /// Of all of it, in hex.
  virtual std::string sha256() const = 0;
  /// Goes to the first byte; called before each attempt.
  virtual Status restart() = 0;
  /// Fills some of `out`, at least a byte while size() is not reached.
  virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;
};

/// Status line and headers of an answer.
struct ResponseHead {
  int status = 0;
  Fields headers;  // names in lower case; at most 64 KiB in all

  /// The first one's value; empty when there is none.
  std::string_view header(std::string_view name) const;
};

/// Takes the body of a 2xx answer. Not thread-safe.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// An answer begins. Called again when the one before broke off and the request is sent again:
  /// what came of that one is no part of the answer. An error ends the request with it.
  virtual Status begin(const ResponseHead& head) = 0;
  virtual Status write(ByteView bytes) = 0;
};

struct Request {
  std::string method = "GET";
  std::string bucket = {};  // in the host name; empty: the endpoint's own
  std::string path = "/";   // not encoded
  Fields query = {};
  Fields headers = {};              // names in lower case, values in printable ASCII
  ByteView body = {};               // borrowed
  std::string body_sha256 = {};     // of `body`, in hex, when the caller knows it
  RequestBody* streamed = nullptr;  // instead of `body`; borrowed
  /// Whether it may be sent again when it is not known if the server carried it out. When the
  /// server says that it did not, it is sent again in any case.
  bool repeatable = true;
  ResponseSink* sink = nullptr;                       // takes the body of a 2xx answer; borrowed
  std::size_t max_body_bytes = std::size_t{1} << 20;  // of Response::body, else kLimitExceeded
  const std::atomic<bool>* cancelled = nullptr;       // looked at about once a second; borrowed
};

struct Response {
  ResponseHead head;
  Bytes body;              // empty when `sink` took it
  std::string error_code;  // of an answer that is not 2xx: "NoSuchKey"; may be empty
  bool ok() const { return head.status >= 200 && head.status < 300; }
};

/// What a client has done since it was made, for tests and metrics.
struct ClientCounts {
  std::uint64_t requests = 0;     // send()
  std::uint64_t attempts = 0;     // what went over the network for them
  std::uint64_t connections = 0;  // opened
};

/// Thread-safe; a request occupies the thread that calls. May be used in a child process only when
/// it was made there.
class Client {
 public:
  /// kInvalidArgument for settings that cannot be: another scheme, http to another machine, a path
  /// in the endpoint, timeouts or retries of zero.
  static Result<std::unique_ptr<Client>> open(ClientSettings settings);
  ~Client();

  /// Whatever the server answers in the end, also 4xx. Before that: waits and tries again what may
  /// succeed then (5xx, 429, SlowDown and their like, connections that break off); sets its clock
  /// by the server's when that calls it wrong; fetches credentials after ExpiredToken; follows a
  /// redirect to another region of the same service. The last three once for a request.
  /// Errors: `unavailable` (no answer, no whole answer, or "try again" to the end), kCancelled,
  /// kLimitExceeded, kInvalidArgument, what credentials, body and sink fail with. Their texts hold
  /// no address that is signed, no header and no secret.
  Result<Response> send(const Request& request);

  /// A GET that needs no credentials but the URL itself. A secret.
  Result<std::string> presign_get(const Request& request, std::chrono::seconds lifetime);

  ClientCounts counts() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::aws
