// What restore_server and its client say to each other over the socket:
//   request  u16 length of the file's name | u16 length of the target | name | target
//   answer   one byte, kPlaced: the file is at the target; kNotThere; kBytes: pieces follow, each a
//            u32 length and so many bytes, up to a length of 0 and a last answer, kPlaced or
//            kFailed; kFailed: u16 length | text
// Both sides end a connection that stays silent.
#pragma once

#include <chrono>
#include <string>

#include "descriptor.h"
#include "oa/base/io.h"

namespace oa::wal {

enum class Answer : std::uint8_t { kPlaced = 'P', kNotThere = 'N', kBytes = 'B', kFailed = 'F' };

inline constexpr std::size_t kMaxFileName = 64;
inline constexpr std::size_t kMaxTarget = 4096;
inline constexpr std::uint32_t kMaxPiece = 1 << 20;

/// A connected socket with a limit for every wait.
class Channel final : public ByteSink {
 public:
  Channel(Descriptor socket, std::chrono::milliseconds timeout);

  Status send(ByteView bytes);
  Status send(Answer answer);
  Status send_failure(const std::string& text);
  /// One piece (ByteSink).
  Status write(ByteView bytes) override;
  Status end_of_pieces();

  Status receive(std::span<std::uint8_t> out);
  Result<Answer> receive_answer();
  Result<std::string> receive_text(std::size_t length);
  template <class T>
  Result<T> receive_number() {
    Bytes bytes(sizeof(T));
    OA_TRY(receive(bytes));
    return read_le<T>(bytes);
  }
  int fd() const { return socket_.get(); }

 private:
  Descriptor socket_;
};

/// True for what Postgres asks for: no path, nothing hidden.
bool is_wal_file_name(const std::string& name);
/// True for an absolute path without control characters.
bool is_target(const std::string& path);

}  // namespace oa::wal
