// A server that speaks just enough of Postgres' protocol to be believed, and then misbehaves.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "oa/base/assert.h"

namespace oa::sources {

/// Serves one connection on loopback in a thread of its own. No TLS, no password.
class FakeServer {
 public:
  struct Reply {
    std::string bytes;
    bool close = false;  // the connection, behind the bytes
  };
  using Answer = std::function<Reply(const std::string& query)>;

  /// `greeting` answers the startup message.
  explicit FakeServer(Answer answer, std::string greeting = message('R', be32(0)) + ready())
      : answer_(std::move(answer)), greeting_(std::move(greeting)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    OA_ASSERT(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    OA_ASSERT(listen(listener_, 1) == 0);
    OA_ASSERT(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  std::uint16_t port() const { return port_; }

  static std::string be32(std::size_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
    return out;
  }
  static std::string be16(std::size_t value) { return be32(value).substr(2); }
  static std::string message(char type, const std::string& body) {
    return type + be32(body.size() + 4) + body;
  }
  static std::string nothing() { return table(1, {}); }
  static std::string ready() { return message('Z', "I"); }
  static std::string begun() {
    return message('1', "") + message('2', "") + message('n', "") +
           message('C', std::string("BEGIN\0", 6)) + ready();
  }
  /// Rows of texts, as the extended protocol gives them.
  static std::string table(std::size_t columns, const std::vector<std::vector<std::string>>& rows) {
    std::string description = be16(columns);
    for (std::size_t i = 0; i < columns; ++i)
      description += std::string("c\0", 2) + be32(0) + be16(0) + be32(25) + be16(0xFFFF) +
                     be32(0xFFFFFFFF) + be16(0);
    std::string out = message('1', "") + message('2', "") + message('T', description);
    for (const auto& row : rows) {
      std::string body = be16(row.size());
      for (const auto& cell : row) body += be32(cell.size()) + cell;
      out += message('D', body);
    }
    return out + message('C', std::string("SELECT 1\0", 9)) + ready();
  }
  static std::string copy_out(std::size_t columns) {
    std::string body = "\1" + be16(columns);
    for (std::size_t i = 0; i < columns; ++i) body += be16(1);
    return message('H', body);
  }

 private:
  bool receive(int fd, std::size_t size, std::string& out) const {
    out.assign(size, '\0');
    for (std::size_t at = 0; at < size;) {
      const ssize_t n = recv(fd, out.data() + at, size - at, 0);
      if (n <= 0) return false;
      at += static_cast<std::size_t>(n);
    }
    return true;
  }
  static std::size_t length_of(const std::string& bytes) {
    std::size_t length = 0;
    for (std::size_t i = bytes.size() - 4; i < bytes.size(); ++i)
      length = length << 8 | static_cast<unsigned char>(bytes[i]);
    return length - 4;
  }
  static bool give(int fd, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t n = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return false;
      at += static_cast<std::size_t>(n);
    }
    return true;
  }
  void serve() const {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    std::string head, body;
    bool on = receive(fd, 4, head) && receive(fd, length_of(head), body) && give(fd, greeting_);
    std::string query;
    while (on && receive(fd, 5, head) && receive(fd, length_of(head), body)) {
      if (head[0] == 'P') query = body.c_str() + 1;  // behind the empty name of the statement
      if (head[0] == 'Q') query = body.c_str();
      if (head[0] != 'S' && head[0] != 'Q') continue;
      const Reply reply = answer_(query);
      on = give(fd, reply.bytes) && !reply.close;
    }
    close(fd);
  }

  const Answer answer_;
  const std::string greeting_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace oa::sources
