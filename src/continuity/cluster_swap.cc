#include "cluster_swap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <sstream>
#include <thread>

#include "oa/base/clock.h"
#include "oa/base/io.h"
#include "scratch_folder.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOp = "recovery.swap";
constexpr const char* kNext = "/data.next";
constexpr const char* kJournal = "/data.next.journal";
constexpr int kOldServerTries = 100;
constexpr auto kPoll = std::chrono::milliseconds(100);

struct Journal {
  ino_t newcomer = 0;
  std::string back, kept;  // names within the folder; `back` may be empty
};

Result<std::optional<Journal>> read_journal(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::optional<Journal>();
  OA_ASSIGN(const Bytes bytes, read_file(path, 4096));
  std::istringstream text{std::string(as_text(bytes))};
  Journal journal;
  text >> journal.newcomer >> journal.kept >> journal.back;
  if (journal.newcomer == 0 || !journal.kept.starts_with(ClusterSwap::kKeptPrefix) ||
      journal.kept.find('/') != std::string::npos || journal.back.find('/') != std::string::npos) {
    return make_error(ErrorCode::kIo, kOp, "the journal of a recovery cannot be read")
        .with_hint("see which of data and data.next is the newer one; then remove " + path);
  }
  return std::optional(std::move(journal));
}

Result<ino_t> inode_of(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return errno_error(errno, kOp, path);
  return info.st_ino;
}

Status move(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  return errno_error(errno, kOp, to);
}

std::string kept_name(Timestamp now) {
  std::string time = now.rfc3339();  // 2026-04-16T09:42:11.134000Z
  std::erase(time, ':');
  std::erase(time, '-');
  return ClusterSwap::kKeptPrefix + time;
}

}  // namespace

Result<ClusterSwap> ClusterSwap::lock(const std::string& postgres_folder) {
  std::error_code error;
  if (!fs::is_directory(postgres_folder, error))
    return make_error(ErrorCode::kNotFound, kOp, "there is no such folder: " + postgres_folder);
  const std::string path = postgres_folder + kLockFile;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error(errno, kOp, path);
  ClusterSwap swap(postgres_folder, fd);
  bool free = flock(fd, LOCK_EX | LOCK_NB) == 0;
  // The server of a process that was killed is on its way out.
  for (int i = 0; free && server_in(postgres_folder + "/data") != 0; ++i) {
    if (i == kOldServerTries) free = false;
    std::this_thread::sleep_for(kPoll);
  }
  if (free) return swap;
  return make_error(ErrorCode::kBusy, kOp, "the database of this folder is in use")
      .with_hint("stop the service and every command that uses it, then try again");
}

ClusterSwap::~ClusterSwap() {
  if (lock_ >= 0) close(lock_);
}

Status ClusterSwap::sync() const {
  const int fd = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno_error(errno, kOp, folder_);
  const bool synced = fsync(fd) == 0;
  const int why = errno;
  close(fd);
  return synced ? Status() : Status(errno_error(why, kOp, folder_));
}

Status ClusterSwap::settle() {
  const std::string next = folder_ + kNext, journal_path = folder_ + kJournal;
  OA_ASSIGN(const auto journal, read_journal(journal_path));
  std::error_code error;
  if (fs::exists(next, error)) {
    if (!journal) {
      return make_error(ErrorCode::kConflict, kOp, "there is a data.next that no recovery has made")
          .with_hint("move it away: " + next);
    }
    OA_ASSIGN(const ino_t inode, inode_of(next));
    if (inode != journal->newcomer) {
      OA_TRY(move(next, folder_ + "/" + journal->kept));
    } else if (!journal->back.empty()) {
      OA_TRY(move(next, folder_ + "/" + journal->back));
    } else {
      OA_TRY(remove_folder(next));
    }
    OA_TRY(sync());
  }
  if (journal && unlink(journal_path.c_str()) != 0) return errno_error(errno, kOp, journal_path);
  return sync();
}

Result<std::string> ClusterSwap::exchange(const std::string& newcomer, const std::string& back) {
  OA_ASSIGN(const ino_t inode, inode_of(newcomer));
  const std::string kept = kept_name(Timestamp::now());
  {
    OA_ASSIGN(const auto journal, AtomicFileSink::create(folder_ + kJournal, true, 0600));
    const std::string text = fmt::format("{} {} {}\n", inode, kept, back);
    OA_TRY(journal->write(as_bytes(text)));
    OA_TRY(journal->commit());
  }
  const std::string next = folder_ + kNext, data = folder_ + "/data";
  OA_TRY(move(newcomer, next));
  OA_TRY(sync());
  if (renameat2(AT_FDCWD, next.c_str(), AT_FDCWD, data.c_str(), RENAME_EXCHANGE) != 0) {
    const int why = errno;
    OA_TRY(settle());
    return errno_error(why, kOp, data);
  }
  OA_TRY(sync());
  OA_TRY(settle());
  return folder_ + "/" + kept;
}

}  // namespace oa::continuity
