// An existing cluster made a cell: what `oa-backup cluster setup` does.
#pragma once

#include <string>
#include <vector>

#include "oa/catalog/cluster_setup.h"
#include "oa/instance/instance.h"

namespace oa::instance {

struct ClusterSetupOptions {
  std::string superuser = "postgres";
  std::string superuser_passfile;  // empty: that of the deployment
  bool replace_archiving = false;  // another archive_command than ours, which otherwise is kConflict
};

struct ClusterSetup {
  std::vector<catalog::SetupStep> steps;
  std::string leader;
  std::string archive_command, cell_folder;
  std::vector<std::string> pending_restarts;  // members
};

/// Roles, database, keys, objects, repository and Patroni's settings, in this order: a node archives
/// only into what is there. Idempotent. `settings.deployment.cluster` must be there. Errors are those
/// of the parts; what was done until then stays.
Result<ClusterSetup> set_up_cluster(const Settings& settings, const ClusterSetupOptions& options);

}  // namespace oa::instance
