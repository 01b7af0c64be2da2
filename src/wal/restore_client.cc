#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "oa/wal/restore_server.h"
#include "restore_pieces.h"
#include "restore_protocol.h"

namespace oa::wal {
namespace {

constexpr const char* kOp = "wal.restore";
// A repository that does not answer makes its program try for minutes.
constexpr std::chrono::milliseconds kPatience{600'000};

Result<Descriptor> connect_to(const std::string& path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return make_error(ErrorCode::kInvalidArgument, kOp, "not the path of a socket: " + path);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno_error(errno, kOp, "cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return make_error(ErrorCode::kIo, kOp, "the process that restores does not answer at " + path)
        .with_hint("it must run as long as the recovery does")
        .with_cause(std::strerror(errno));
  return socket;
}

Error answered_failure(Channel& channel) {
  const auto length = channel.receive_number<std::uint16_t>();
  const auto text =
      length.ok() ? channel.receive_text(*length) : Result<std::string>(std::string());
  return make_error(ErrorCode::kRecoveryFailed, kOp,
                    "the file cannot be given" + (text.ok() ? ": " + *text : std::string()))
      .with_hint("the recovery stops, so that nothing is lost without a word");
}

Status write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error(errno, kOp, "cannot write the file");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Into a file beside the target, which a later attempt replaces.
Status receive_file(Channel& channel, const std::string& partial) {
  if (::unlink(partial.c_str()) != 0 && errno != ENOENT) return errno_error(errno, kOp, partial);
  const Descriptor file(
      ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return errno_error(errno, kOp, "cannot make " + partial);
  Bytes piece;
  for (;;) {
    OA_ASSIGN(const auto length, channel.receive_number<std::uint32_t>());
    if (length == 0) break;
    if (length > kMaxPiece) return make_error(ErrorCode::kInternal, kOp, "a piece is too long");
    piece.resize(length);
    OA_TRY(channel.receive(piece));
    OA_TRY(write_all(file.get(), piece));
  }
  OA_ASSIGN(const Answer last, channel.receive_answer());
  if (last == Answer::kPlaced) return {};
  return answered_failure(channel);
}

Status place_file(Channel& channel, const std::string& target) {
  const std::string partial = target + ".oa-partial";
  Status received = receive_file(channel, partial);
  if (received.ok() && ::rename(partial.c_str(), target.c_str()) != 0)
    received = errno_error(errno, kOp, "cannot put the file at " + target);
  if (!received.ok()) ::unlink(partial.c_str());
  return received;
}

Result<std::string> checked_target(const std::string& file, const std::string& target) {
  std::error_code error;
  std::string path = std::filesystem::absolute(target, error).string();
  if (!error && is_wal_file_name(file) && is_target(path)) return path;
  return make_error(ErrorCode::kInvalidArgument, kOp, "not a file of the write-ahead log");
}

Result<RestoreAnswer> placed_at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return RestoreAnswer::kFound;
  return errno_error(errno, kOp, "the repository's file did not arrive at " + path);
}

}  // namespace

Result<RestoreAnswer> restore_wal(const std::string& socket_path, const std::string& file,
                                  const std::string& target) {
  OA_ASSIGN(const std::string path, checked_target(file, target));
  OA_ASSIGN(auto socket, connect_to(socket_path));
  Channel channel(std::move(socket), kPatience);
  Bytes request;
  append_le(request, static_cast<std::uint16_t>(file.size()));
  append_le(request, static_cast<std::uint16_t>(path.size()));
  for (const auto* text : {&file, &path}) request.insert(request.end(), text->begin(), text->end());
  OA_TRY(channel.send(ByteView(request)));
  OA_ASSIGN(const Answer answer, channel.receive_answer());
  switch (answer) {
    case Answer::kNotThere:
      return RestoreAnswer::kNotThere;
    case Answer::kPlaced:
      return placed_at(path);
    case Answer::kBytes:
      OA_TRY(place_file(channel, path));
      return RestoreAnswer::kFound;
    case Answer::kFailed:
      return answered_failure(channel);
  }
  return make_error(ErrorCode::kInternal, kOp, "an answer that is none");
}

Result<RestoreAnswer> restore_wal(const RestoreSources& sources, const std::string& file,
                                  const std::string& target) {
  // Nothing is made for what the repository has, or nobody.
  class Late final : public ByteSink {
   public:
    explicit Late(const std::string& target) : target_(target) {}
    Status write(ByteView bytes) override {
      if (file == nullptr) {
        OA_ASSIGN(file, AtomicFileSink::create(target_, true, 0600));
      }
      return file->write(bytes);
    }
    std::unique_ptr<AtomicFileSink> file;

   private:
    const std::string& target_;
  };
  OA_ASSIGN(const std::string path, checked_target(file, target));
  Late late(path);
  OA_ASSIGN(const Given given, give_piece(sources, file, path, late));
  if (given == Given::kNotThere) return RestoreAnswer::kNotThere;
  if (given == Given::kWritten) OA_TRY(late.file->commit());
  return placed_at(path);
}

int restore_exit_status(const Result<RestoreAnswer>& answer) {
  if (!answer.ok()) return kRestoreTrouble;
  return *answer == RestoreAnswer::kFound ? kRestoreFound : kRestoreNotThere;
}

}  // namespace oa::wal
