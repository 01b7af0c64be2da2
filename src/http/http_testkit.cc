#include "http_testkit.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <thread>

namespace oa::http {
namespace {

using std::chrono::milliseconds;

sockaddr_in address_of(const char* address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  OA_ASSERT(inet_pton(AF_INET, address, &where.sin_addr) == 1);
  return where;
}

}  // namespace

RawClient::RawClient(std::uint16_t port, const char* source_address)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  OA_ASSERT(fd_ >= 0);
  const timeval patience{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (source_address != nullptr) {
    const auto from = address_of(source_address, 0);
    OA_ASSERT(bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0);
  }
  const auto to = address_of("127.0.0.1", port);
  OA_ASSERT(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0);
}

RawClient::~RawClient() {
  if (fd_ >= 0) close(fd_);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::fill() {
  char piece[64 << 10];
  const auto got = recv(fd_, piece, sizeof(piece), 0);
  if (got > 0) buffer_.append(piece, static_cast<std::size_t>(got));
  if (got < 0 && errno == EAGAIN) ADD_FAILURE() << "the server neither answered nor closed";
  return got > 0;
}

std::string RawClient::read(std::size_t size) {
  while (buffer_.size() < size && fill()) {
  }
  std::string taken = buffer_.substr(0, size);
  buffer_.erase(0, taken.size());
  return taken;
}

std::string RawClient::read_until(std::string_view end) {
  auto at = buffer_.find(end);
  while (at == buffer_.npos && fill()) at = buffer_.find(end);
  return read(at == buffer_.npos ? buffer_.size() : at + end.size());
}

std::string RawClient::read_all() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

std::string RawClient::read_response() {
  std::string response = read_until("\r\n\r\n");
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  if (const auto at = response.find(kLength); at != response.npos)
    response += read(std::stoul(response.substr(at + kLength.size())));
  return response;
}

bool RawClient::closed() {
  char byte;
  return buffer_.empty() && recv(fd_, &byte, 1, 0) == 0;
}

void RawClient::half_close() { shutdown(fd_, SHUT_WR); }

std::optional<Response> TestHandler::at_once(const Request& request) {
  if (request.path != std::vector<std::string>{"at-once"}) return std::nullopt;
  return text_response(200, "at once");
}

Response TestHandler::refuse(const Error& error) {
  const auto& info = error_info(error.code);
  return text_response(info.http_status, std::string(info.name));
}

void TestHandler::done(const Request& request, int status, std::uint64_t received,
                       std::uint64_t sent, double) {
  const std::lock_guard lock(mutex_);
  done_.push_back({request.target, status, received, sent, request.id});
}

std::vector<TestHandler::Done> TestHandler::finished() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

bool TestHandler::wait_finished(std::size_t count) const {
  return eventually([&] { return finished().size() >= count; });
}

Running::Running(TestHandler::Function function, ServerSettings settings)
    : handler(std::move(function)) {
  auto started = Server::start(settings, handler);
  OA_ASSERT(started.ok());
  server = std::move(*started);
}

std::string Running::exchange(std::string_view bytes) const {
  auto client = connect();
  client.send(bytes);
  return client.read_all();
}

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

std::uint64_t resident_bytes() {
  std::uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace oa::http
