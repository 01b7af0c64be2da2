// The deployment file: what of an instance is elsewhere. Without one everything is in the data folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/catalog/database.h"
#include "oa/continuity/existing_cluster.h"
#include "oa/objects/s3_store.h"

namespace oa::instance {

/// A Postgres cluster that is there already, run by Patroni.
struct ClusterDeployment {
  continuity::PatroniSettings rest;
  catalog::ConnectionSettings postgres;  // with `tcp`
  std::vector<continuity::ClusterNode> nodes;
  std::string archive_command;  // of every node
};

struct Deployment {
  std::optional<ClusterDeployment> cluster;
  std::optional<S3Settings> objects;  // instead of the folder `objects`
};

/// Reads `path`, a JSON object (docs/operations.md, "On an existing Patroni cluster" and "Objects in a
/// bucket"). Errors with the path of the field: kInvalidArgument; kPermissionDenied when others may write the file, or read
/// one of the secrets that it names. Secrets are read here and are in no error.
Result<Deployment> read_deployment(const std::string& path);

}  // namespace oa::instance
