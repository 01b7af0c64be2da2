// A client for tests that writes what it is told, byte for byte, and the handlers it speaks to.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "oa/http/server.h"

namespace oa::http {

/// A connection to a port of this machine. A read that waits for ten seconds fails the test.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const char* source_address = nullptr);
  ~RawClient();
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawClient(const RawClient&) = delete;

  /// False when the server has closed.
  bool send(std::string_view bytes);
  /// Until `size` bytes came, or the server closed.
  std::string read(std::size_t size);
  /// Until `end` came or the server closed.
  std::string read_until(std::string_view end);
  std::string read_all();
  /// One whole response with its Content-Length.
  std::string read_response();
  /// True when the server closed in order, false when it reset the connection or is still there.
  bool closed();
  void half_close();

 private:
  int fd_;
  std::string buffer_;
  bool fill();
};

/// A handler made of a function; keeps what done() was told.
class TestHandler : public Handler {
 public:
  using Function = std::function<Reaction(const Request&)>;
  explicit TestHandler(Function function) : function_(std::move(function)) {}
  /// The path /at-once says so.
  std::optional<Response> at_once(const Request& request) override;
  Reaction handle(const Request& request) override { return function_(request); }
  /// The error's name is the body.
  Response refuse(const Error& error) override;
  void done(const Request& request, int status, std::uint64_t received, std::uint64_t sent,
            double seconds) override;

  struct Done {
    std::string target;
    int status;
    std::uint64_t received, sent;
    std::string id;
  };
  std::vector<Done> finished() const;
  /// Waits until `count` responses were reported.
  bool wait_finished(std::size_t count) const;

 private:
  Function function_;
  mutable std::mutex mutex_;
  std::vector<Done> done_;
};

/// A handler and a server that runs it, stopped at the end.
struct Running {
  explicit Running(TestHandler::Function function, ServerSettings settings = {});
  TestHandler handler;
  std::unique_ptr<Server> server;
  RawClient connect() const { return RawClient(server->port()); }
  /// What the server answers to these bytes, until it closes.
  std::string exchange(std::string_view bytes) const;
};

inline Response text_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

/// Waits for something that is to come about soon.
bool eventually(const std::function<bool()>& holds);

/// Resident memory of this process.
std::uint64_t resident_bytes();

}  // namespace oa::http
