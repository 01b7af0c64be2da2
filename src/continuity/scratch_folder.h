// Folders of scratch clusters: whose process is gone, and what it left.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/postgres/process.h"

namespace oa::continuity {

/// A folder for one scratch cluster, locked by this process and removed at the end.
class ScratchFolder {
 public:
  /// A new one in `parent`, which is made when it is not there; `account` owns it.
  /// kPermissionDenied when the account cannot enter it, kInvalidArgument when the path is too long
  /// for sockets.
  static Result<ScratchFolder> create(const std::string& parent, const postgres::Account& account);
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  const std::string& path() const { return path_; }

 private:
  ScratchFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};

/// The right to fill a scratch folder: one process, and one thread of it, at a time, so that what
/// check_space() saw free is not given away twice. Given back at the end.
class RestoreTurn {
 public:
  /// Waits for it with the step "Waiting for another restore". kCancelled, kBusy after `timeout`.
  static Result<RestoreTurn> take(const std::string& parent, std::chrono::seconds timeout,
                                  Progress& progress);
  RestoreTurn(RestoreTurn&& other) noexcept;
  RestoreTurn& operator=(RestoreTurn&&) = delete;
  ~RestoreTurn();
  bool waited() const { return waited_; }

 private:
  explicit RestoreTurn(int lock) : lock_(lock) {}
  int lock_;
  bool waited_ = false;
};

/// Bytes that must be free on a volume of `capacity` for a cluster of `database_bytes` that replays
/// `log_bytes`, so that a server that lives there, too, can go on.
std::uint64_t space_needed(std::uint64_t database_bytes, std::uint64_t log_bytes,
                           std::uint64_t capacity);

/// The server that works in `data`, by its postmaster.pid; 0 when there is none.
pid_t server_in(const std::string& data);
/// Servers and pgbackrest's processes that were started for something in `folder`, by their command
/// lines.
std::vector<pid_t> programs_on(const std::string& folder);
/// Removes a folder that dying processes may still write to.
Status remove_folder(const std::string& path);

}  // namespace oa::continuity
