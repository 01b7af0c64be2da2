// A server for HTTP/1.1, in the clear or over TLS 1.2 and 1.3: connections are coroutines on few
// threads, handlers run on worker threads, bodies stream in both directions in bounded memory.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "oa/http/message.h"

namespace oa::http {

struct TlsFiles {
  std::string certificate_chain;  // PEM file
  std::string private_key;        // PEM file
};

struct ServerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: one that is free
  std::optional<TlsFiles> tls;
  unsigned io_threads = 1;
  unsigned workers = 8;
  std::size_t max_requests_waiting = 1'024;  // for a worker, beyond them kOverloaded
  std::size_t max_connections = 10'000;
  // Of one address. Behind a proxy all are the proxy's, which then is to limit its clients.
  std::size_t max_connections_per_peer = 1'024;
  std::size_t max_header_bytes = 16 << 10;         // request line and headers
  std::chrono::milliseconds head_timeout{10'000};  // from its first byte to the end of the head
  std::chrono::milliseconds idle_timeout{60'000};  // between requests of a connection
  std::chrono::milliseconds body_timeout{30'000};  // without a byte of a body, either way
  std::chrono::milliseconds small_body_timeout{60'000};  // for all of a body taken whole
  // Whoever took part of a body or response that streams slower than this, on the average of
  // `pace_window` of waiting for them, is cut off: kTimeout, or a response that ends early. Time
  // that the handler takes does not count.
  std::size_t min_bytes_per_second = 1 << 10;
  std::chrono::milliseconds pace_window{60'000};
  std::size_t max_small_body_bytes = 256 << 20;  // of all SmallBody in memory, else kOverloaded
  std::size_t max_body_targets = 64;             // at a time, beyond them kOverloaded
  std::chrono::milliseconds event_heartbeat{15'000};  // a comment on a quiet stream of events
};

struct ServerCounters {
  std::uint64_t connections_open = 0, connections_total = 0, event_streams_open = 0;
  std::uint64_t refused_total = 0;  // before a handler saw them
};

/// Runs from start() until it is destroyed. Thread-safe.
class Server {
 public:
  /// Binds, listens and serves; `handler` is borrowed. Errors: kInvalidArgument (address,
  /// certificate, key), kBusy (the port is taken), kPermissionDenied, kIo.
  static Result<std::unique_ptr<Server>> start(const ServerSettings& settings, Handler& handler);
  /// As stop() with no patience.
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual ServerCounters counters() const = 0;
  /// Reads certificate and key again, for connections from now on; those there were stay when it
  /// fails.
  virtual Status reload_certificate() = 0;
  /// Takes no new connection, ends idle ones and streams of events, lets requests that are running
  /// come to their end for `patience`, then breaks them. Returns when none is left, handlers that
  /// block included; so it is not for a handler to call.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

}  // namespace oa::http
