// A private Postgres 15 for the embedded default.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oa/base/result.h"
#include "oa/catalog/database.h"
#include "oa/postgres/process.h"

namespace oa::catalog {

/// The cluster in `folder`: made when it is not there, started on a unix socket inside it (no TCP),
/// stopped when this object ends and also when the process dies (kill -9 included). Under root the
/// server runs as the account `postgres`. When another process of ours already runs the cluster,
/// joins it; whoever runs it waits at its end up to 30 seconds for those who have joined, so that a
/// command does not lose its database under its feet; a signal ends that wait. Those that are left
/// get kDatabaseUnavailable until a process runs the cluster again; what they had not committed is
/// not done. (Two of them in one process would wait for each other.) Whether a server that another
/// process runs will do. A process that lasts should run it itself: whoever runs it waits for those
/// who have joined.
enum class ServerUse { kJoinOrRun, kRun };

/// What continuous backup adds to a server that this process starts; a server that is joined stays
/// as it is.
struct ServerExtras {
  std::vector<std::string> settings;  // name=value
  std::vector<postgres::InheritedFile> files;  // for archive_command; borrowed until start() returns
};

class EmbeddedPostgres {
 public:
  /// `folder` is for this cluster alone. Errors with hints: kNotFound (Postgres 15 is not
  /// installed), kPermissionDenied (the account `postgres` cannot reach the folder),
  /// kInvalidArgument (path too long for a unix socket, or a folder that is not ours), kDiskFull,
  /// kTimeout. Call it on the main thread: the server ends with the thread that started it.
  static Result<std::unique_ptr<EmbeddedPostgres>> start(const std::string& folder,
                                                         ServerUse use = ServerUse::kJoinOrRun,
                                                         const ServerExtras& extras = {});
  /// Whether a cluster could be in `folder` at all, by its path; touches nothing. kInvalidArgument
  /// with a hint.
  static Status check_folder(const std::string& folder);
  ~EmbeddedPostgres();
  EmbeddedPostgres(const EmbeddedPostgres&) = delete;
  EmbeddedPostgres& operator=(const EmbeddedPostgres&) = delete;

  /// Lets only the account we run as and the server's own into the cluster in `data`, each in the roles
  /// it needs; for clusters that are restored, which may come from another machine.
  static Status write_access_rules(const std::string& data, const ConnectionSettings& settings);

  /// Brings roles, database and schema of a running server to those of this program, as start() and
  /// Database::migrate() do; for clusters that are restored.
  static Status bring_up_to_date(const ConnectionSettings& settings);

  const ConnectionSettings& settings() const { return settings_; }
  /// True when this process runs the server (rather than having joined another's).
  bool owner() const;

 private:
  struct State;
  EmbeddedPostgres(std::unique_ptr<State> state, ConnectionSettings settings);
  std::unique_ptr<State> state_;
  ConnectionSettings settings_;
};

}  // namespace oa::catalog
