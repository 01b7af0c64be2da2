#include "scratch_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "oa/base/ids.h"
#include "oa/base/io.h"
#include "oa/continuity/scratch_cluster.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* kOp = "scratch";
constexpr const char* kParentLock = "/.lock";  // held while a folder is made or swept
constexpr const char* kLock = "/lock";         // held as long as the cluster is used
constexpr std::string_view kLongestName = "/12345678/s/.s.PGSQL.1.lock";
constexpr const char* kTurn = "/.restore";  // held while a cluster is restored
constexpr auto kPoll = milliseconds(20);
constexpr auto kTurnPoll = milliseconds(100);
// What is replayed stays until the next restartpoint: max_wal_size, see recovery_arguments(), and
// up to one checkpoint cycle of the live server (Postgres 15 manual, "WAL Configuration").
constexpr std::uint64_t kMaxReplayed = std::uint64_t{8} << 30;
constexpr std::uint64_t kReserve = std::uint64_t{1} << 30;
constexpr std::uint64_t kReserveShare = 20;  // of the volume, where that is less
constexpr int kRemoveTries = 250;
constexpr int kEndTries = 500;
constexpr std::size_t kMaxCommandLine = 128 << 10;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int open_lock(const std::string& path) {
  return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

// Held for moments only, but by a process that may be stopped.
Status lock_parent(const Descriptor& lock) {
  if (lock.get() < 0) return errno_error(errno, kOp, "the folder for scratch clusters");
  for (int i = 0; i < kEndTries; ++i) {
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return {};
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kBusy, kOp, "another process holds the folder for scratch clusters");
}

// A server whose process was killed is told by the kernel to end; one that was missed by that is
// told by us.
Status end_server(const std::string& data) {
  for (int i = 0; i < kEndTries; ++i) {
    const pid_t pid = server_in(data);
    if (pid == 0) return {};
    if (i == 0) kill(pid, SIGQUIT);
    if (i == kEndTries / 2) kill(pid, SIGKILL);
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout, kOp, "the server of a scratch cluster does not end")
      .with_cause(data);
}

// pgbackrest's workers notice only after a while that the process that they work for is gone.
Status end_programs(const std::string& folder) {
  for (int i = 0; i < kEndTries; ++i) {
    const auto pids = programs_on(folder);
    if (pids.empty()) return {};
    for (const pid_t pid : pids) kill(pid, SIGKILL);
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout, kOp, "a program for a scratch cluster does not end")
      .with_cause(folder);
}

}  // namespace

std::vector<pid_t> programs_on(const std::string& folder) {
  std::vector<pid_t> found;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string digits = at->path().filename();
    pid_t pid = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    if (pid <= 1) continue;
    const auto line = read_file(at->path().string() + "/cmdline", kMaxCommandLine);
    if (!line.ok()) continue;  // gone meanwhile
    const std::string_view text = as_text(*line);
    const std::string_view program = text.substr(0, text.find('\0'));
    const bool ours = program.ends_with("pgbackrest") || program.ends_with("/postgres");
    if (ours && text.find(folder + "/") != std::string_view::npos) found.push_back(pid);
  }
  return found;
}

pid_t server_in(const std::string& data) {
  const auto text = read_file(data + "/postmaster.pid", 4096);
  if (!text.ok()) return 0;
  const std::string_view digits = as_text(*text);
  pid_t pid = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (pid <= 1) return 0;
  // The number may be another process by now; a server works inside its data folder.
  std::error_code error;
  const auto works_in = fs::read_symlink(fmt::format("/proc/{}/cwd", pid), error);
  const auto folder = fs::weakly_canonical(data, error);
  return !error && works_in == folder ? pid : 0;
}

Status remove_folder(const std::string& path) {
  std::error_code error;
  for (int i = 0; i < kRemoveTries; ++i) {
    fs::remove_all(path, error);
    if (!error && !fs::exists(path, error)) return {};
    std::this_thread::sleep_for(kPoll);
  }
  return errno_error(error.value(), kOp, path);
}

Result<ScratchFolder> ScratchFolder::create(const std::string& parent,
                                            const postgres::Account& account) {
  if (parent.size() + kLongestName.size() > sizeof(sockaddr_un::sun_path)) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      "the path for scratch clusters is too long for a unix socket")
        .with_hint("use a folder whose path has at most 70 characters");
  }
  // The account passes through; it has its own folder inside.
  if (mkdir(parent.c_str(), 0711) == 0) {
    if (chmod(parent.c_str(), 0711) != 0) return errno_error(errno, kOp, parent);
  } else if (errno != EEXIST) {
    return errno_error(errno, kOp, parent);
  }
  const Descriptor parent_lock(open_lock(parent + kParentLock));
  OA_TRY(lock_parent(parent_lock));
  const std::string path = parent + "/" + Uuid::random().str().substr(0, 8);
  if (mkdir(path.c_str(), 0700) != 0) return errno_error(errno, kOp, path);
  Descriptor lock(open_lock(path + kLock));
  if (lock.get() < 0 || flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return errno_error(errno, kOp, path);
  ScratchFolder folder(path, lock.release());
  if (account.other && chown(path.c_str(), account.uid, account.gid) != 0)
    return errno_error(errno, kOp, path);
  if (!postgres::can_enter(account, path)) {
    return make_error(ErrorCode::kPermissionDenied, kOp,
                      "the account " + account.name + " cannot reach " + path)
        .with_hint("let others pass through the folders above it (chmod o+x)");
  }
  return folder;
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

ScratchFolder::~ScratchFolder() {
  if (lock_ < 0) return;
  // What cannot be removed now goes with the next sweep.
  [[maybe_unused]] const auto removed = remove_folder(path_);
  close(lock_);
}

Result<RestoreTurn> RestoreTurn::take(const std::string& parent, std::chrono::seconds timeout,
                                      Progress& progress) {
  RestoreTurn turn(open_lock(parent + kTurn));
  if (turn.lock_ < 0) return errno_error(errno, kOp, parent + kTurn);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (flock(turn.lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return errno_error(errno, kOp, parent + kTurn);
    if (!std::exchange(turn.waited_, true)) progress.begin("Waiting for another restore", 0, "");
    if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
    if (std::chrono::steady_clock::now() >= deadline) {
      return make_error(ErrorCode::kBusy, kOp, "another restore of this cell goes on")
          .with_hint("wait for its end, or cancel it");
    }
    std::this_thread::sleep_for(kTurnPoll);
  }
  return turn;
}

RestoreTurn::RestoreTurn(RestoreTurn&& other) noexcept
    : lock_(std::exchange(other.lock_, -1)), waited_(other.waited_) {}

RestoreTurn::~RestoreTurn() {
  if (lock_ >= 0) close(lock_);
}

std::uint64_t space_needed(std::uint64_t database_bytes, std::uint64_t log_bytes,
                           std::uint64_t capacity) {
  return database_bytes + std::min(log_bytes, kMaxReplayed) +
         std::min(kReserve, capacity / kReserveShare);
}

Result<std::size_t> sweep_scratch(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return std::size_t{0};
  const Descriptor parent_lock(open_lock(folder + kParentLock));
  OA_TRY(lock_parent(parent_lock));
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory()) paths.push_back(entry.path());
  if (error) return errno_error(error.value(), kOp, folder);
  std::size_t removed = 0;
  for (const auto& path : paths) {
    const Descriptor lock(open_lock(path + kLock));
    if (lock.get() < 0 || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;  // in use
    OA_TRY(end_server(path + "/data"));
    OA_TRY(end_programs(path));
    OA_TRY(remove_folder(path));
    ++removed;
  }
  return removed;
}

}  // namespace oa::continuity
