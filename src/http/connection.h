// One connection: reads requests, has them handled on worker threads, writes the responses, in the
// order in which the requests came.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "event_queue.h"
#include "oa/http/server.h"
#include "pace.h"
#include "request_parser.h"
#include "stream.h"
#include "worker_pool.h"

namespace oa::http {

/// kOverloaded with a hint.
Error overloaded(std::string message);

/// What the connections of a server share.
struct Service {
  const ServerSettings settings;
  Handler& handler;
  WorkerPool workers;
  std::atomic<std::uint64_t> event_streams_open = 0, refused_total = 0;
  Budget small_body_bytes{settings.max_small_body_bytes};
  Budget body_targets{settings.max_body_targets};
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// A surplus connection is one more than there may be: its first request is refused.
  Connection(std::unique_ptr<Stream> stream, Service& service, std::string peer_address,
             bool secure, bool surplus);

  const asio::any_io_executor& executor() { return stream_->executor(); }
  /// Returns when the connection is closed and nothing of it runs. Called once, on the stream's
  /// executor.
  asio::awaitable<void> run();
  /// Ends it now when it waits for a request, else after the one that is running. Any thread.
  void finish();
  /// Breaks it. Any thread.
  void abandon();

 private:
  // One request and its response.
  struct Exchange {
    explicit Exchange(const ServerSettings& settings)
        : request_pace(settings.min_bytes_per_second, settings.pace_window),
          response_pace(request_pace) {}
    RequestParser parser;
    RequestHead head;
    bool head_read = false;    // else `head` is empty: the request is refused
    bool body_wanted = false;  // by the handler; a client that waits for that was told
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    // When a body that is taken whole must have come.
    std::chrono::steady_clock::time_point body_ends = std::chrono::steady_clock::time_point::max();
    Pace request_pace, response_pace;
    std::uint64_t received = 0, sent = 0;
  };
  struct Filled {
    std::size_t bytes = 0;
    std::optional<Error> refused;
    bool gone = false;  // the client
  };
  enum class Sent { kWhole, kBroken };

  asio::awaitable<bool> serve_one();
  /// The length of the head at the front of input_; 0 when the connection ended before one came.
  asio::awaitable<Result<std::size_t>> read_head();
  asio::awaitable<std::optional<Response>> react(Exchange& exchange);
  asio::awaitable<void> farewell();

  // request_body.cc. No response: the client is gone.
  asio::awaitable<std::optional<Response>> take_small_body(Exchange& exchange, SmallBody wanted);
  asio::awaitable<std::optional<Response>> take_body(Exchange& exchange,
                                                     std::unique_ptr<BodyTarget> target);
  asio::awaitable<bool> ask_for_body(Exchange& exchange);
  asio::awaitable<Filled> fill(Exchange& exchange, std::span<std::uint8_t> out);
  asio::awaitable<bool> drop_body(Exchange& exchange);

  // response.cc
  asio::awaitable<bool> answer(Exchange& exchange, Response response);
  asio::awaitable<Sent> write_body(Exchange& exchange, Response& response);
  asio::awaitable<Sent> write_known(Exchange& exchange, KnownBody& body);
  asio::awaitable<Sent> write_events(Exchange& exchange, EventStream& begin);
  asio::awaitable<Sent> write_all(Exchange& exchange, ByteView bytes);
  std::string head_of(Exchange& exchange, Response& response, bool& keep_alive);
  bool may_follow(const Exchange& exchange, const Response& response) const;
  Response refusal(const Error& error);
  asio::awaitable<void> watch_peer();
  void wake();

  const std::unique_ptr<Stream> stream_;
  Service& service_;
  const ServerSettings& settings_;
  const std::string peer_address_;
  const bool secure_, surplus_;
  boost::beast::flat_buffer input_;  // read and not yet used
  asio::steady_timer quiet_;         // ends when there is something to do for a stream of events
  std::shared_ptr<EventQueue> events_;
  bool idle_ = false;       // waits for the first byte of a request
  bool finishing_ = false;  // no request after this one
  bool broken_ = false;     // nothing more can be said to the client
  bool lingers_ = false;    // the client may still send, and is to see the last response
  bool gone_ = false;       // the client of a stream of events
};

}  // namespace oa::http
