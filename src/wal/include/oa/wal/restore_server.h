// restore_command of a cluster that recovers: the repository first, then the sealed log, the
// partial last segment included. The server has the keys, the client is started by Postgres for
// each file; on the nodes of a cluster that recovers by itself, the client has the keys and does
// both.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "oa/postgres/process.h"
#include "oa/wal/sealed_wal.h"

namespace oa::wal {

/// Puts `file` (a segment or a history file) of the repository at `target`, an absolute path that
/// the server's account can write. False: the repository does not have it. An error when that is
/// not known. Called on several threads.
using FetchFromRepository =
    std::function<Result<bool>(const std::string& file, const std::string& target)>;

/// Where pieces of the log come from, in this order.
struct RestoreSources {
  FetchFromRepository repository;
  SealedWal* log = nullptr;  // borrowed; none: the repository alone
};

struct RestoreServerSettings {
  std::string socket_path;  // in a folder that the server's account can enter
  FetchFromRepository fetch_from_repository;
  SealedWal* log = nullptr;                // borrowed; none: the repository alone
  postgres::Account account;               // of the recovering server; nobody else is served
  std::string program = "/proc/self/exe";  // oa-backup
};

struct RestoreServerCounts {
  std::uint64_t from_repository = 0, from_log = 0, not_found = 0, failed = 0;
};

class RestoreServer {
 public:
  /// Makes the socket and answers until it is destroyed.
  static Result<std::unique_ptr<RestoreServer>> start(RestoreServerSettings settings);
  ~RestoreServer();  // waits for the fetch that is under way
  RestoreServer(const RestoreServer&) = delete;
  RestoreServer& operator=(const RestoreServer&) = delete;

  /// To be handed to the Postgres that recovers (postgres::spawn), as the file of that number: our
  /// program, whose folder its account may not be able to enter. Valid as long as this object.
  postgres::InheritedFile program(int target) const;
  /// The setting's value for it: `/proc/self/fd/<target> restore-wal --socket … %f %p`. A value for
  /// `-c restore_command=`; in postgresql.conf its single quotes must be doubled.
  std::string restore_command(int target) const;
  RestoreServerCounts counts() const;
  /// The latest failure that was answered, for a recovery that did not come up.
  std::optional<Error> last_failure() const;

 private:
  struct Impl;
  explicit RestoreServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What a program does that Postgres starts as restore_command.
enum class RestoreAnswer { kFound, kNotThere };

/// Asks the server at `socket_path` for `file` and puts it at `target`, which appears only whole.
/// kNotThere ends a recovery, so it means that the log ends there and nothing else; every doubt is
/// an error.
Result<RestoreAnswer> restore_wal(const std::string& socket_path, const std::string& file,
                                  const std::string& target);

/// The same without a server, by a process that has the keys itself: safe beside others with other
/// targets.
Result<RestoreAnswer> restore_wal(const RestoreSources& sources, const std::string& file,
                                  const std::string& target);

/// Exit statuses of a restore_command. Postgres takes 1 to 125 for "not there" and goes on without,
/// and stops at what is above.
inline constexpr int kRestoreFound = 0, kRestoreNotThere = 1, kRestoreTrouble = 126;
int restore_exit_status(const Result<RestoreAnswer>& answer);

}  // namespace oa::wal
