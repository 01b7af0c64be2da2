// Requests and responses of HTTP/1.1 (RFC 9110, RFC 9112) as handlers see them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "oa/base/bytes.h"
#include "oa/base/result.h"

namespace oa::http {

/// The head of a request. The target was checked: it is in origin-form, holds no control
/// characters, and its path, percent-decoded once, is valid UTF-8 without "." or ".." segments and
/// without an encoded slash or backslash. Headers that decide something (host, content-type,
/// authorization, range, ...) came once; all values are UTF-8 without control characters but tabs.
struct Request {
  std::string id;                               // 32 random lower-case hexadecimal digits
  std::string method;                           // GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
  std::vector<std::string> path;                // decoded: /v1/jobs is {"v1", "jobs"}, / is {}
  std::string target;                           // as sent, for logs; holds the query
  std::map<std::string, std::string> query;     // decoded; a name that comes twice is refused
  std::string peer_address;                     // textual IP address
  bool secure = false;                          // came over TLS
  std::optional<std::uint64_t> content_length;  // none: chunked, or no body
  bool has_body = false;

  /// A header's value without surrounding white space, by name in any case; of one that came
  /// several times the values joined by ", " (RFC 9110, 5.2), a cookie's by "; ".
  std::optional<std::string_view> header(std::string_view name) const;
  std::map<std::string, std::string> headers;  // by lower-case name
};

/// Produces a body piece by piece. Called on worker threads, one call at a time, at most
/// one piece ahead of what the client takes; destroyed when the response ended or its connection
/// broke.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Fills some of `out` (at most 256 KiB) and says how much; 0 ends the body. An error ends the
  /// connection, so that the client sees a body that is too short.
  virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;
};

/// Writes one stream of server-sent events (WHATWG HTML, 9.2). Thread-safe; may outlive its
/// connection.
class EventSender {
 public:
  virtual ~EventSender() = default;
  /// One event. False when the connection is gone, or was ended because its client is too slow to
  /// take what is waiting for it (more than 64 events or 1 MiB).
  /// `id` and `event` may be empty and hold no line end; a line end in `data` arrives as "\n".
  virtual bool send(std::string_view id, std::string_view event, std::string_view data) = 0;
  /// Ends the stream after what was sent.
  virtual void close() = 0;
  virtual bool open() const = 0;
};
/// Called once, on a worker thread, when the head of the response was sent; returns soon.
using EventStream = std::function<void(std::shared_ptr<EventSender>)>;

struct KnownBody {  // a body whose length is known before it is read
  std::uint64_t length = 0;
  std::unique_ptr<BodySource> source;
};

/// Bytes that outlive the server, as the pages in the program.
struct StaticBody {
  ByteView bytes;
};

struct Response {
  int status = 200;
  /// Names and values are checked when sent: one with a control character is a defect (500),
  /// and so are those that the server writes: connection, content-length, date, transfer-encoding.
  std::vector<std::pair<std::string, std::string>> headers;
  std::variant<std::string, StaticBody, KnownBody, EventStream> body;
  bool close = false;  // end the connection after it
};

/// Takes a request's body piece by piece, on worker threads, one call at a time. Dropped without
/// finish() when the connection broke, the body was cut or came too slowly, or too many others are
/// being taken.
class BodyTarget {
 public:
  virtual ~BodyTarget() = default;
  /// An error ends the reading; the handler's failed() makes the response of it.
  virtual Status write(ByteView bytes) = 0;
  virtual Response finish() = 0;
  virtual Response failed(const Error& error) = 0;
};

/// The body wanted whole, in memory.
struct SmallBody {
  std::size_t max_bytes = 0;
  std::function<Response(std::string body)> respond;
};

/// What becomes of a request whose head was read: an answer at once (a body that comes all the same
/// is read and dropped when it is small, else the connection ends), or taking its body first.
using Reaction = std::variant<Response, SmallBody, std::unique_ptr<BodyTarget>>;

class Handler {
 public:
  virtual ~Handler() = default;
  /// Asked first, on a thread of the connections: an answer that waits for nothing and takes no time,
  /// though all workers be busy. None: handle() is asked. Must not throw.
  virtual std::optional<Response> at_once(const Request& request) {
    (void)request;
    return std::nullopt;
  }
  /// On a worker thread; may block. Must not throw.
  virtual Reaction handle(const Request& request) = 0;
  /// The response to a request that the server refuses, before handle() or while its body comes:
  /// kInvalidArgument, kHeadersTooLarge, kLimitExceeded (a SmallBody too large), kTimeout (its head
  /// or body comes too slowly), kMethodNotAllowed, kOverloaded.
  virtual Response refuse(const Error& error) = 0;
  /// After each response, on some thread; returns soon. `request` is the one that handle() got; of
  /// one that was refused before, it may hold no more than `id`, `peer_address` and `secure`.
  virtual void done(const Request& request, int status, std::uint64_t received_bytes,
                    std::uint64_t sent_bytes, double seconds) {
    (void)request, (void)status, (void)received_bytes, (void)sent_bytes, (void)seconds;
  }
};

}  // namespace oa::http
