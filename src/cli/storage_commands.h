// `storage …`: the bucket's state, and whether what is stored is whole.
#pragma once

#include "commands.h"

namespace CLI {
class App;
}

namespace oa::cli {

struct StorageOptions {
  std::string tenant;
  bool yes = false;
  bool all = false;
  int days = 30;
  int rate_mib = 0;  // a second; 0: as fast as it goes
};

using AddStorageCommand =
    std::function<CLI::App*(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, std::function<Status(const Context&)> run)>;
void add_storage_commands(CLI::App& app, StorageOptions& options, const AddStorageCommand& add);

}  // namespace oa::cli
