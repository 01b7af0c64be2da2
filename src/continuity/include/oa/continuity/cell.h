// A cell: one Postgres cluster with its repository of backups and its sealed write-ahead log.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/continuity/existing_cluster.h"
#include "oa/continuity/repository.h"
#include "oa/continuity/scratch_cluster.h"
#include "oa/wal/receiver.h"

namespace oa::continuity {

/// What the cell's receiver is called by the server: its slot and its application_name.
inline constexpr const char* kReceiverName = "oa_receiver";

/// A server of the cell that is not the embedded one: a node of a Patroni cluster, on this machine.
struct NodeServer {
  std::string data_folder;
  std::string socket_folder = "/var/run/postgresql";
  std::string port = "5432";
  std::string role = "postgres";  // of local connections: starts and stops base backups
};

struct CellSettings {
  std::string folder;           // of the cell: repository, log, scratch clusters
  std::string postgres_folder;  // of the embedded cluster: its `data` and `socket`
  /// A copy of the cell's file, best on another volume than `folder`: it tells that there was a cell
  /// when the folder is gone or not mounted, and opens the repository when its own is lost. Empty:
  /// none.
  std::string identity_copy;
  bool create = false;          // make the cell when there is none
  /// Commits wait until the receiver has them.
  bool synchronous = false;
  std::optional<NodeServer> node = {};  // instead of the embedded cluster
};

/// Owns what it opens; what it hands out must not outlive it. Thread-safe as its parts are.
class Cell {
 public:
  /// Whether there is one, or was: by its file or by the copy.
  static bool exists(const CellSettings& settings);
  /// `keys` is borrowed and holds the cell's key, under the cell's id as a tenant of its own. Errors:
  /// kNotFound (none, and not to be made), kRepositoryUnavailable (there was one, and its folder is
  /// gone or empty), kConflict (the folder is another's), kSealCorrupt (its file is damaged), kKeyWrong, and those of
  /// Repository::open. Nothing that exists is replaced. `cluster`: the one that the cell is of; else
  /// it is of the embedded one.
  static Result<std::unique_ptr<Cell>> open(const CellSettings& settings, KeyService& keys,
                                            std::unique_ptr<ExistingCluster> cluster = nullptr);
  ~Cell();

  TenantId id() const;
  Timestamp created_at() const;
  const std::string& folder() const;
  /// Of scratch clusters; the server's account can enter it.
  std::string scratch_folder() const;
  /// The live server's; of a cluster, that of the first node whose files are here, or empty.
  std::string data_folder() const;
  /// Null for an embedded one.
  ExistingCluster* cluster();
  Repository& repository();
  /// Makes its stanza when that is not there; the server must run then.
  Status prepare_repository();
  bool synchronous() const;

  /// For an embedded server of this cell that is started: it archives into the repository.
  std::vector<std::string> server_settings() const;
  std::vector<postgres::InheritedFile> server_files() const;

  /// The sealed log. kBusy when it is to be written and another process writes it.
  Result<std::unique_ptr<wal::SealedWal>> open_log(wal::Access access);

  /// For a recovery: the log as far as it was received (see LogSource::tail); null when nothing was.
  Result<std::unique_ptr<wal::SealedWal>> open_tail();

  /// Bytes that repository and sealed log take, and that are free where they are.
  struct Space {
    std::uint64_t repository_bytes = 0, log_bytes = 0, free_bytes = 0, volume_bytes = 0;
    std::uint64_t server_free_bytes = 0, server_volume_bytes = 0;  // where the live cluster is
  };
  Result<Space> space();

 private:
  struct State;
  explicit Cell(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::continuity
