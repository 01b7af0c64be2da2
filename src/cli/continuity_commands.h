// `continuity …`: what the operator of a cell does.
#pragma once

#include "commands.h"

namespace CLI {
class App;
}

namespace oa::cli {

struct ContinuityOptions {
  std::string kind;    // of a run
  std::size_t limit = 20;
  std::string to;      // target of a recovery
  std::string label;   // backup to begin with
  std::string into;    // folder
  bool in_place = false;
  bool yes = false;
  std::string tenant;
  std::string at;
  bool no_rows = false;
};

using AddCommand =
    std::function<CLI::App*(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, std::function<Status(const Context&)> run)>;
void add_continuity_commands(CLI::App& app, ContinuityOptions& options, const AddCommand& add);

}  // namespace oa::cli
