// A cell over a Patroni cluster: its nodes archive by our command, its log is received here.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "oa/continuity/cell.h"
#include "oa/keys/key_service.h"
#include "testkit/patroni_nodes.h"
#include "testkit/process.h"

namespace oa::testkit {

/// What cannot be made ends the test program.
class PatroniCell {
 public:
  PatroniCell();

  PatroniNodes& nodes() { return nodes_; }
  /// The nodes' options for archiving, and `dcs` and `bootstrap` besides.
  PatroniOptions options(const std::string& dcs = "", const std::string& bootstrap = "") const;
  /// The cell as the service has it, with the server of that node.
  continuity::Cell& cell(int node = 1) { return *cells_[static_cast<std::size_t>(node - 1)]; }
  wal::SealedWal& log() { return *log_; }
  wal::Receiver& receiver() { return *receiver_; }
  void start_receiver();
  /// The received log has all that the primary has.
  bool caught_up();
  /// Of the cell's folder as the nodes know it, in options or in a file.
  const std::string& cell_folder() const { return cell_folder_; }
  const std::string& node_keys() const { return node_keys_; }
  const std::string& node_file() const { return node_file_; }
  /// `oa-backup` as the account of the server, in its data folder.
  Finished on_node(int node, std::vector<std::string> arguments) const;
  /// The rows of table `t` as they were at `target`, restored elsewhere.
  std::set<std::int64_t> rows_at(const continuity::Target& target);
  std::set<std::int64_t> rows_now() const;

 private:
  PatroniNodes nodes_;
  std::string cell_folder_, node_keys_, node_file_;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<continuity::Cell> cells_[2];
  std::unique_ptr<wal::SealedWal> log_;
  std::unique_ptr<wal::Receiver> receiver_;
};

/// Commits one number after the other on whichever node is the primary, and goes on when it is
/// another.
class Writer {
 public:
  Writer(std::string conninfo, std::int64_t first);
  ~Writer() { finish(); }
  /// The numbers whose commit was acknowledged.
  std::set<std::int64_t> acknowledged() const;
  std::set<std::int64_t> finish();

 private:
  void write(std::int64_t first);
  const std::string conninfo_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::set<std::int64_t> acknowledged_;
  std::thread thread_;
};

}  // namespace oa::testkit
