// Section `keys` of the deployment file.
#pragma once

#include <optional>

#include "oa/base/json.h"
#include "oa/instance/deployment.h"

namespace oa::instance {

/// None for the key store in the data folder. Secrets are read here; the credentials of a KMS are
/// read again whenever it refuses them. Errors as read_deployment().
Result<std::optional<KeyDeployment>> read_key_settings(const json::value& value);

}  // namespace oa::instance
