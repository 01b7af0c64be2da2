// A proxy for tests between a client and a real HTTP server, which does damage to chosen requests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace oa {

enum class Fault {
  kNone,
  kResetBefore,  // the server never gets it
  kResetAfter,   // the server has done it, the client never hears of it
  kStall,        // no answer
  kCut,          // half of the answer
  kError500,
  kSlowDown,
  kWrongRequest,  // the server gets other bytes than were sent; requests with a body alone
  kWrongAnswer,   // 200 with other bytes; for a request with a body: 200, and the server never gets
                  // it
};

class FaultProxy {
 public:
  explicit FaultProxy(int upstream_port) : upstream_port_(upstream_port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FaultProxy() {
    stopping_ = true;
    acceptor_.join();
    for (auto& connection : connections_) connection.join();
    close(listener_);
  }
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// From now on: requests are counted from 0, and number `at`, with `lasting` also every later
  /// one, meets the fault.
  void arm(Fault fault, int at, bool lasting) {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    at_ = at;
    lasting_ = lasting;
    seen_ = hits_ = 0;
  }
  int seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  int hits() {
    const std::lock_guard lock(mutex_);
    return hits_;
  }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  bool wait_for(int fd) const {
    while (!stopping_) {
      pollfd polled{fd, POLLIN, 0};
      if (poll(&polled, 1, 20) > 0) return true;
    }
    return false;
  }

  void accept_all() {
    while (wait_for(listener_)) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) connections_.emplace_back([this, fd] { serve(fd); });
    }
  }

  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  // A request or an answer with its body. False when the peer has gone.
  bool read_message(int fd, std::string& message) const {
    for (message.clear();;) {
      const auto end = message.find("\r\n\r\n");
      if (end != std::string::npos && message.size() >= end + 4 + body_size(message, end))
        return true;
      char bytes[65536];
      if (!wait_for(fd)) return false;
      const ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
      if (n <= 0) return false;
      message.append(bytes, static_cast<std::size_t>(n));
    }
  }

  // Of a chunked body: 0 once its end is there.
  static std::size_t body_size(const std::string& message, std::size_t head_end) {
    std::string head = message.substr(0, head_end);
    for (char& c : head) c = static_cast<char>(tolower(c));
    if (head.find("transfer-encoding: chunked") != std::string::npos)
      return message.ends_with("0\r\n\r\n") && message.size() > head_end + 4 ? 0 : message.size();
    const auto length = head.find("content-length: ");
    return length == std::string::npos ? 0 : std::stoul(head.substr(length + 16));
  }

  Fault next_fault(bool has_body) {
    const std::lock_guard lock(mutex_);
    const int number = seen_++;
    if (fault_ == Fault::kNone || number < at_ || (!lasting_ && number > at_)) return Fault::kNone;
    if (fault_ == Fault::kWrongRequest && !has_body) return Fault::kNone;
    ++hits_;
    return fault_;
  }

  static void damage_body(std::string& message) {
    for (std::size_t i = message.find("\r\n\r\n") + 4; i < message.size(); i += 97)
      message[i] = static_cast<char>(message[i] ^ 0x15);
  }

  static void reset(int fd) {
    const linger now{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }

  // False when the connection is over.
  bool answer(int client, int server, std::string request) {
    const bool has_body = request.size() > request.find("\r\n\r\n") + 4;
    const Fault fault = next_fault(has_body);
    const auto instead = [&](std::string_view status, std::string_view body) {
      return send_all(client, "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " +
                                  std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    };
    switch (fault) {
      case Fault::kResetBefore:
        reset(client);
        return false;
      case Fault::kStall:
        while (!stopping_ && recv(client, nullptr, 0, MSG_DONTWAIT) != 0) usleep(5'000);
        return false;
      case Fault::kError500:
        return instead("500 X", "<Error><Code>InternalError</Code></Error>");
      case Fault::kSlowDown:
        return instead("503 X", "<Error><Code>SlowDown</Code></Error>");
      case Fault::kWrongAnswer:
        if (has_body) return instead("200 OK", "something else");
        break;
      case Fault::kWrongRequest:
        damage_body(request);
        break;
      default:
        break;
    }
    std::string message;
    if (!send_all(server, request) || !read_message(server, message)) return false;
    if (fault == Fault::kResetAfter) reset(client);
    if (fault == Fault::kCut) (void)send_all(client, message.substr(0, message.size() / 2));
    if (fault == Fault::kResetAfter || fault == Fault::kCut) return false;
    if (fault == Fault::kWrongAnswer) damage_body(message);
    return send_all(client, message);
  }

  void serve(int client) {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(upstream_port_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      std::string request;
      while (read_message(client, request) && answer(client, server, request)) {
      }
    }
    close(server);
    close(client);
  }

  const int upstream_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  Fault fault_ = Fault::kNone;  // guarded by mutex_, like those below
  int at_ = 0;
  bool lasting_ = false;
  int seen_ = 0;
  int hits_ = 0;
  std::list<std::thread> connections_;  // touched by acceptor_ until it has ended
  std::thread acceptor_;
};

}  // namespace oa
