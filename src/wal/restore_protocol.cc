#include "restore_protocol.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

namespace oa::wal {
namespace {

constexpr const char* kOp = "wal.restore";

}  // namespace

Channel::Channel(Descriptor socket, std::chrono::milliseconds timeout)
    : socket_(std::move(socket)) {
  const timeval limit{timeout.count() / 1000, timeout.count() % 1000 * 1000};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Status Channel::send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0)
      return errno_error(errno, kOp, "the other side of the socket does not take bytes");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Status Channel::send(Answer answer) {
  const auto byte = static_cast<std::uint8_t>(answer);
  return send(ByteView(&byte, 1));
}

Status Channel::send_failure(const std::string& text) {
  OA_TRY(send(Answer::kFailed));
  const auto cut = std::string_view(text).substr(0, 0xffff);
  Bytes length;
  append_le(length, static_cast<std::uint16_t>(cut.size()));
  OA_TRY(send(ByteView(length)));
  return send(as_bytes(cut));
}

Status Channel::write(ByteView bytes) {
  OA_ASSERT(!bytes.empty() && bytes.size() <= kMaxPiece);
  Bytes length;
  append_le(length, static_cast<std::uint32_t>(bytes.size()));
  OA_TRY(send(ByteView(length)));
  return send(bytes);
}

Status Channel::end_of_pieces() {
  const Bytes none(4);
  return send(ByteView(none));
}

Status Channel::receive(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::recv(socket_.get(), out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, kOp, "the other side of the socket does not answer");
    if (got == 0)
      return make_error(ErrorCode::kIo, kOp, "the other side of the socket ended too early");
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<Answer> Channel::receive_answer() {
  OA_ASSIGN(const auto byte, receive_number<std::uint8_t>());
  return static_cast<Answer>(byte);
}

Result<std::string> Channel::receive_text(std::size_t length) {
  Bytes bytes(length);
  OA_TRY(receive(bytes));
  return std::string(as_text(bytes));
}

bool is_wal_file_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxFileName && name.front() != '.' &&
         std::ranges::all_of(name, [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '.';
         });
}

bool is_target(const std::string& path) {
  return path.size() > 1 && path.size() <= kMaxTarget && path.front() == '/' &&
         std::ranges::all_of(path, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

}  // namespace oa::wal
