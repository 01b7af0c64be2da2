#include "oa/wal/restore_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "restore_pieces.h"
#include "restore_protocol.h"
#include "wakeup.h"

namespace oa::wal {
namespace {

constexpr const char* kOp = "wal.restore";
constexpr std::chrono::milliseconds kPatience{30'000};

Result<Descriptor> listen_at(const std::string& path, const postgres::Account& account) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path || path.front() != '/') {
    return make_error(ErrorCode::kInvalidArgument, kOp, "not a path for a socket: " + path)
        .with_hint("it is absolute and has at most 107 characters");
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listening.valid()) return errno_error(errno, kOp, "cannot make a socket");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(errno, kOp, path);
  // Nobody can connect before listen(); by then it is the account's alone.
  if (::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 ||
      (account.other && ::lchown(path.c_str(), account.uid, account.gid) != 0) ||
      ::listen(listening.get(), 8) != 0)
    return errno_error(errno, kOp, "cannot listen at " + path);
  return listening;
}

// For a shell, and for Postgres, which replaces %f and %p.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : c == '%' ? "%%" : std::string(1, c);
  return out + "'";
}

}  // namespace

struct RestoreServer::Impl {
  explicit Impl(RestoreServerSettings wanted) : settings(std::move(wanted)) {}

  void run();
  void serve(Channel& channel);
  Status answer(Channel& channel, const std::string& file, const std::string& target);
  void failed(Channel& channel, const Error& error, bool within_pieces);
  void count(std::uint64_t RestoreServerCounts::*what) {
    const std::lock_guard guard(mutex);
    ++(counts.*what);
  }

  const RestoreServerSettings settings;
  Descriptor listening, program;
  Wakeup wakeup;
  bool in_pieces = false;
  mutable std::mutex mutex;
  RestoreServerCounts counts;
  std::optional<Error> last_failure;
  std::thread thread;
};

// Recovery asks for one file at a time.
void RestoreServer::Impl::run() {
  while (!wakeup.fired()) {
    pollfd waits[] = {{listening.get(), POLLIN, 0}, {wakeup.fd(), POLLIN, 0}};
    if (::poll(waits, 2, 1000) <= 0 || (waits[0].revents & POLLIN) == 0) continue;
    Descriptor accepted(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted.valid()) {  // out of files, say: they come back
      ::poll(&waits[1], 1, 100);
      continue;
    }
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(accepted.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        (peer.uid != settings.account.uid && peer.uid != ::geteuid()))
      continue;
    Channel channel(std::move(accepted), kPatience);
    in_pieces = false;
    try {
      serve(channel);
    } catch (const std::exception& exception) {
      failed(
          channel,
          make_error(ErrorCode::kInternal, kOp, "an unexpected error").with_cause(exception.what()),
          in_pieces);
    }
  }
}

void RestoreServer::Impl::serve(Channel& channel) {
  const auto read_request = [&]() -> Result<std::pair<std::string, std::string>> {
    OA_ASSIGN(const auto file_length, channel.receive_number<std::uint16_t>());
    OA_ASSIGN(const auto target_length, channel.receive_number<std::uint16_t>());
    if (file_length > kMaxFileName || target_length > kMaxTarget)
      return make_error(ErrorCode::kInvalidArgument, kOp, "the request is too long");
    OA_ASSIGN(auto file, channel.receive_text(file_length));
    OA_ASSIGN(auto target, channel.receive_text(target_length));
    if (!is_wal_file_name(file) || !is_target(target))
      return make_error(ErrorCode::kInvalidArgument, kOp, "not a file of the write-ahead log");
    return std::pair(std::move(file), std::move(target));
  };
  const auto request = read_request();
  if (!request.ok()) return failed(channel, request.error(), false);
  const Status answered = answer(channel, request->first, request->second);
  if (!answered.ok()) failed(channel, answered.error(), in_pieces);
}

void RestoreServer::Impl::failed(Channel& channel, const Error& error, bool within_pieces) {
  {
    const std::lock_guard guard(mutex);
    ++counts.failed;
    last_failure = error;
  }
  // A client that hears nothing more takes that for trouble as well.
  const std::string text = fmt::format("{}: {}", error_info(error.code).name, error.message);
  if (within_pieces && !channel.end_of_pieces().ok()) return;
  (void)channel.send_failure(text).ok();
}

Status RestoreServer::Impl::answer(Channel& channel, const std::string& file,
                                   const std::string& target) {
  // Says that bytes follow once there are some.
  class Pieces final : public ByteSink {
   public:
    Pieces(Channel& to, bool& begun) : to_(to), begun_(begun) {}
    Status write(ByteView bytes) override {
      if (!std::exchange(begun_, true)) OA_TRY(to_.send(Answer::kBytes));
      return to_.write(bytes);
    }

   private:
    Channel& to_;
    bool& begun_;
  } pieces(channel, in_pieces);
  OA_ASSIGN(const Given given, give_piece({settings.fetch_from_repository, settings.log}, file,
                                          target, pieces));
  switch (given) {
    case Given::kPlaced:
      OA_TRY(channel.send(Answer::kPlaced));
      count(&RestoreServerCounts::from_repository);
      return {};
    case Given::kWritten:
      OA_TRY(channel.end_of_pieces());
      in_pieces = false;
      OA_TRY(channel.send(Answer::kPlaced));
      count(&RestoreServerCounts::from_log);
      return {};
    case Given::kNotThere:
      break;
  }
  OA_TRY(channel.send(Answer::kNotThere));
  count(&RestoreServerCounts::not_found);
  return {};
}

RestoreServer::RestoreServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RestoreServer::~RestoreServer() {
  impl_->wakeup.fire();
  impl_->thread.join();
  ::unlink(impl_->settings.socket_path.c_str());
}

Result<std::unique_ptr<RestoreServer>> RestoreServer::start(RestoreServerSettings settings) {
  OA_ASSERT(settings.fetch_from_repository != nullptr);
  auto impl = std::make_unique<Impl>(std::move(settings));
  impl->program = Descriptor(::open(impl->settings.program.c_str(), O_RDONLY | O_CLOEXEC));
  if (!impl->program.valid()) return errno_error(errno, kOp, impl->settings.program);
  OA_ASSIGN(impl->listening, listen_at(impl->settings.socket_path, impl->settings.account));
  impl->thread = std::thread([running = impl.get()] { running->run(); });
  return std::unique_ptr<RestoreServer>(new RestoreServer(std::move(impl)));
}

postgres::InheritedFile RestoreServer::program(int target) const {
  return {impl_->program.get(), target};
}

std::string RestoreServer::restore_command(int target) const {
  return fmt::format("/proc/self/fd/{} restore-wal --socket {} \"%f\" \"%p\"", target,
                     quoted(impl_->settings.socket_path));
}

RestoreServerCounts RestoreServer::counts() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->counts;
}

std::optional<Error> RestoreServer::last_failure() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->last_failure;
}

}  // namespace oa::wal
