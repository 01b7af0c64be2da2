// A cluster that others run (Patroni), as a cell sees it: who leads, and whose files are here.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "oa/continuity/patroni.h"

namespace oa::continuity {

/// A node whose files this process can reach.
struct ClusterNode {
  std::string member;         // as Patroni calls it
  std::string data_folder;    // absolute paths
  std::string socket_folder;
  std::string port = "5432";
};

/// What the cluster is like at a moment.
struct ClusterView {
  std::string driver = "patroni";
  struct Member {
    PatroniMember member;
    bool files_here = false;
  };
  std::vector<Member> members;
  std::string leader;  // empty: none
  wal::Timeline timeline;
  bool paused = false;
  std::string system_identifier;     // empty when not told
  std::vector<std::string> missing;  // nodes that should run and do not; by address when not known
  std::optional<Error> trouble;      // no node answers; then the rest is not known
};

/// Thread-safe.
class ExistingCluster {
 public:
  /// Touches nothing. `archive_command`: that of every node. kInvalidArgument as Patroni::open().
  static Result<std::unique_ptr<ExistingCluster>> open(PatroniSettings rest,
                                                       std::vector<ClusterNode> nodes,
                                                       std::string archive_command);
  const std::vector<ClusterNode>& nodes() const { return nodes_; }
  const std::string& archive_command() const { return archive_command_; }

  ClusterView look();
  /// The leader of now. kDatabaseUnavailable with a hint when there is none, or when its files are
  /// not here.
  Result<ClusterNode> leader();
  /// Of all nodes, as Postgres gives it; in no two clusters the same.
  Result<std::string> system_identifier();
  /// Has Patroni keep set on every node what a cell wants. False when it was so. A limit for slots
  /// that is set already stays. kConflict for another archive_command, unless it may be replaced.
  Result<bool> configure(bool replace_archiving);
  /// Members that must be restarted before all of that holds.
  Result<std::vector<std::string>> pending_restarts();

 private:
  ExistingCluster(Patroni patroni, std::vector<ClusterNode> nodes, std::vector<std::string> urls,
                  std::string archive_command);
  std::mutex mutex_;
  Patroni patroni_;
  const std::vector<ClusterNode> nodes_;
  const std::vector<std::string> urls_;
  const std::string archive_command_;
};



}  // namespace oa::continuity
