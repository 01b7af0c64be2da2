// The deployment file: what of an instance is elsewhere. Without one everything is in the data folder.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "oa/catalog/database.h"
#include "oa/continuity/existing_cluster.h"
#include "oa/keys/aws_key_service.h"
#include "oa/keys/caching_key_service.h"
#include "oa/keys/pkcs11_key_service.h"
#include "oa/objects/s3_store.h"

namespace oa::instance {

/// A Postgres cluster that is there already, run by Patroni.
struct ClusterDeployment {
  continuity::PatroniSettings rest;
  catalog::ConnectionSettings postgres;  // with `tcp`
  std::vector<continuity::ClusterNode> nodes;
  std::string archive_command;  // of every node
};

/// A provider that has the tenants' keys, those of the cell and of the service among them.
struct KeyDeployment {
  std::variant<AwsKeySettings, Pkcs11Settings> provider;
  KeyCacheSettings cache = {};
};

struct Deployment {
  std::optional<ClusterDeployment> cluster;
  std::optional<S3Settings> objects;  // instead of the folder `objects`
  std::optional<S3Settings> replica;  // of `objects`, in another region
  std::optional<KeyDeployment> keys;  // instead of the key store in the folder `keys`
};

/// Reads `path`, a JSON object (docs/operations.md, "On an existing Patroni cluster", "Objects in a
/// bucket" and "Keys in a KMS or on a token"). Errors with the path of the field: kInvalidArgument; kPermissionDenied when others may write the file, or read
/// one of the secrets that it names. Secrets are read here and are in no error.
Result<Deployment> read_deployment(const std::string& path);

/// Opens the provider behind a cache. `lock_file`: of a token whose settings name none. Errors as those
/// of the providers.
Result<std::unique_ptr<KeyService>> open_key_provider(const KeyDeployment& keys,
                                                      const std::string& lock_file);

}  // namespace oa::instance
