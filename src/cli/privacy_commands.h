// Commands over personal data: exported, erased.
#pragma once

#include "commands.h"

namespace CLI {
class App;
}

namespace oa::cli {

struct PrivacyOptions {
  std::string tenant;
  std::string person;  // e-mail address or id
  std::string id;      // of an export or erasure
  std::string output;
  std::optional<int> wait_days;  // the tenant's setting when left out
  bool yes = false;
  std::string archives;  // policy; empty: as it is
};

using AddPrivacyCommand =
    std::function<CLI::App*(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, std::function<Status(const Context&)> run)>;
void add_privacy_commands(CLI::App& app, PrivacyOptions& options, const AddPrivacyCommand& add);

}  // namespace oa::cli
