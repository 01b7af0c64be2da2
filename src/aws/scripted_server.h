// A server for tests that answers with recorded bytes, one answer after the other, for what no real
// server here can be made to say.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace oa::aws {

/// The answer to hang up without an answer, and to say nothing until the test is over.
inline constexpr std::string_view kHangUp = "";
inline constexpr std::string_view kSilence = "\x01silence";

/// A head with Content-Length, and a body.
inline std::string http_answer(int status, std::string_view headers, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    stopping_ = true;
    acceptor_.join();
    for (auto& connection : connections_) connection.join();
    close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  /// What is answered from now on: these, then what `rest` makes of each request.
  void go_on_with(std::vector<std::string> answers,
                  std::function<std::string(const std::string& request)> rest) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
    rest_ = std::move(rest);
    next_ = 0;
  }
  /// The requests so far, whole.
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
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

  // False when the peer has gone or the test is over.
  bool read_request(int fd, std::string& request) const {
    std::size_t wanted = 0;
    for (;;) {
      const auto head = request.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto length = request.find("Content-Length: ");
        wanted = head + 4 + (length < head ? std::stoul(request.substr(length + 16)) : 0);
        if (request.size() >= wanted) return true;
      }
      char bytes[65536];
      if (!wait_for(fd)) return false;
      const ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
      if (n <= 0) return false;
      request.append(bytes, static_cast<std::size_t>(n));
    }
  }

  void serve(int fd) {
    for (std::string request; read_request(fd, request); request.clear()) {
      std::string answer;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        if (next_ < answers_.size()) {
          answer = answers_[next_];
        } else if (rest_) {
          answer = rest_(request);
        }
        ++next_;
      }
      if (answer == kSilence) {
        while (!stopping_) usleep(10'000);
        break;
      }
      if (answer.empty() || send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) !=
                                static_cast<ssize_t>(answer.size()))
        break;
      if (answer.find("Connection: close") != std::string::npos) break;
    }
    close(fd);
  }

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::vector<std::string> answers_;                     // guarded by mutex_
  std::vector<std::string> requests_;                    // guarded by mutex_
  std::size_t next_ = 0;                                 // guarded by mutex_
  std::function<std::string(const std::string&)> rest_;  // guarded by mutex_
  std::list<std::thread> connections_;                   // touched by acceptor_ until it has ended
  std::thread acceptor_;
};

}  // namespace oa::aws
