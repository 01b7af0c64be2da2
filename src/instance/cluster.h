// Wiring of an existing cluster, for this module.
#pragma once

#include "oa/instance/deployment.h"

namespace oa::instance {

Result<std::unique_ptr<continuity::ExistingCluster>> open_cluster(const ClusterDeployment& deployment);
/// The first data folder of a node that is here; empty when none is.
std::string node_data_folder(const ClusterDeployment& deployment);
/// Makes the cluster in `postgres_folder`, recovered from Patroni's, one for `oa-backup up`: what
/// Patroni told its own server does not hold here, file names least of all.
Status forget_patroni(const std::string& postgres_folder);

}  // namespace oa::instance
