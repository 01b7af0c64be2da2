// What Postgres and Patroni start: `restore-wal` as restore_command, `archive-wal` as
// archive_command, `bootstrap-node` to make a data folder out of the repository.
#pragma once

#include "commands.h"

namespace CLI {
class App;
}

namespace oa::cli {

/// Where a node finds its cell: by options, or by a file that has them.
struct NodeOptions {
  std::string file;         // {"cell": FOLDER, "keys": FOLDER} or {"cell": FOLDER, "config": FILE}
  std::string cell_folder;  // --cell
  std::string key_folder;   // --keys: with `keystore` and `root.key`
  /// Deployment file whose section `keys` names another provider; that of --config when neither this
  /// nor a folder is named.
  std::string config_file;
};

struct RestoreWalOptions {
  std::string socket;  // of the process that restores; else the node's own cell
  NodeOptions node;
  std::string file;    // %f
  std::string target;  // %p
};

struct ArchiveWalOptions {
  NodeOptions node;
  std::string path;  // %p
};

struct BootstrapNodeOptions {
  NodeOptions node;
  std::string to, label, kept, data_folder;
  bool replica = false;
  std::string ignored;  // what Patroni tells besides
};

struct NodeKeysOptions {
  NodeOptions node;  // of the service
  std::string into;
};

using AddCommand =
    std::function<CLI::App*(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, std::function<Status(const Context&)> run)>;
struct NodeCommandOptions {
  RestoreWalOptions restore_wal;
  ArchiveWalOptions archive_wal;
  BootstrapNodeOptions bootstrap;
  NodeKeysOptions keys;
};
void add_node_commands(CLI::App& app, NodeCommandOptions& options, const AddCommand& add);

/// Whether the arguments call restore-wal, be they right or wrong.
bool calls_restore_wal(int argc, const char* const* argv);
/// Postgres takes 1 to 125 for the end of the log, which would lose what comes behind without a
/// word. So `status`, as of every other command, becomes 0, 1 for "not there" and 126 for all else.
int restore_wal_status(int status);

}  // namespace oa::cli
