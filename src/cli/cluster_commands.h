// `cluster …`: a Postgres cluster that is there already.
#pragma once

#include "commands.h"

namespace oa::cli {

struct ClusterSetupOptions {
  std::string superuser = "postgres";
  std::string superuser_passfile;
  std::string continuity_folder;
  bool replace_archiving = false;
};

Status run_cluster_setup(const Context& context, const ClusterSetupOptions& options);

}  // namespace oa::cli
