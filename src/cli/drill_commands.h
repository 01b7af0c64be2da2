// `drill …`: recovery drills and the trust report.
#pragma once

#include "commands.h"

namespace CLI {
class App;
}

namespace oa::cli {

struct DrillOptions {
  std::string tenant;
  bool all = false;
  bool cell = false;
  std::string moment;  // empty: drawn by the seed
  std::size_t sample = 5;
  std::string seed;  // empty: the quarter, "2026-Q4"
  std::string url;   // empty: a service of its own, on this machine
  std::string ca_file;
  int max_age_days = 8;
  bool no_new_archive = false;
  int recovery_minutes = 60;
  int limit_minutes = 240;
  int keep_days = 7;
  std::string id;
  std::size_t limit = 20;
  std::string output;
  std::string file;
  std::string public_key;
  std::string answer;  // "on" or "off"
  std::string in_name_of;
};

using AddDrillCommand =
    std::function<CLI::App*(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, std::function<Status(const Context&)> run)>;
void add_drill_commands(CLI::App& app, DrillOptions& options, const AddDrillCommand& add);

}  // namespace oa::cli
