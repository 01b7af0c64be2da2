// What a node of a Patroni cluster does for its cell: archives, recovers, begins anew from the
// repository. Postgres and Patroni start it for each piece, as the account of the server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "oa/continuity/cell.h"
#include "oa/continuity/scratch_cluster.h"
#include "oa/wal/restore_server.h"

namespace oa::continuity {

struct NodeSettings {
  std::string cell_folder;  // of the cell, reached from this node, its service elsewhere or here
  std::string data_folder;  // of this node's Postgres; absolute
};

/// What a data folder is made for.
struct NodeBootstrap {
  Target target;
  std::optional<std::string> label = {};  // of the backup to begin with
  /// Instead of a backup: a data folder that was kept, on the same file system. It is moved, and
  /// goes on from its end, on a timeline of its own.
  std::string kept_folder = {};
  /// restore_command of the recovery. Empty: the files alone, for a replica, of which Patroni makes
  /// a standby.
  std::string restore_command;
};

/// Changes nothing in the cell but what archive_wal() adds. Any number of processes may work at the
/// same time. Not thread-safe. Children end when the thread that called ends.
class Node {
 public:
  /// `keys` is borrowed; of all keys it needs the cell's. kRepositoryUnavailable when the folder is
  /// none of a cell (not mounted), kKeyWrong when `keys` has no key of it, and what Cell::open gives.
  static Result<std::unique_ptr<Node>> open(const NodeSettings& settings, KeyService& keys);

  TenantId cell() const { return cell_->id(); }

  /// restore_command: as wal::restore_wal().
  Result<wal::RestoreAnswer> restore_wal(const std::string& file, const std::string& target);
  /// archive_command: when it succeeds, the file is safely in the repository. A second time with
  /// the same content is fine. kConflict for another content under that name, and for a server that
  /// is not the repository's.
  Status archive_wal(const std::string& path);
  /// Restores into the data folder, which must be empty or not be there, and leaves there what
  /// makes the server that is started on it recover to the target and promote itself. After an
  /// error the folder is as it was. The backup and the timeline; none of a folder that was kept.
  /// Errors as of ScratchCluster::restore, and kConflict for a folder in use.
  Result<std::optional<RecoveryPath>> bootstrap(const NodeBootstrap& options, Progress& progress);

 private:
  explicit Node(std::unique_ptr<Cell> cell) : cell_(std::move(cell)) {}
  Result<RecoveryPath> restore_files(const NodeBootstrap& options, Progress& progress);
  Status take_kept(const NodeBootstrap& options);
  std::unique_ptr<Cell> cell_;
};

/// archive_command of a node, `program` being oa-backup and `node_file` what --node takes.
/// pgbackrest backs up only from a server whose command has its name in it: hence the comment for
/// the shell.
std::string node_archive_command(const std::string& program, const std::string& node_file);

/// The data folder of the server that asks for, or about, `path`: a file of its pg_wal, as Postgres
/// names it (%p, relative to where it runs the command). kInvalidArgument for another path.
Result<std::string> data_folder_of(const std::string& path);

}  // namespace oa::continuity
