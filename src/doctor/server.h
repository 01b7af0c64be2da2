// Postgres as it is on this machine, for this module.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "oa/doctor/gather.h"

namespace oa::doctor {

/// Of the embedded server, or of the nodes whose files are here.
std::vector<std::string> cluster_folders(const Place& place);
/// The server that runs in `data_folder`; none when none does.
std::optional<pid_t> server_pid(const std::string& data_folder);
VersionFacts look_at_versions(const Place& place);

}  // namespace oa::doctor
