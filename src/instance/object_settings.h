// Section `objects` of the deployment file.
#pragma once

#include <optional>

#include "oa/base/json.h"
#include "oa/objects/s3_store.h"

namespace oa::instance {

/// Reads the file once, so that what is wrong with it is said at the start, and again whenever the
/// service refuses what it held: a temporary key may be written over it at any time.
Result<std::shared_ptr<aws::CredentialProvider>> credentials_in(const std::string& path);

struct ObjectPlaces {
  S3Settings primary;
  std::optional<S3Settings> replica;
};
/// Errors as read_deployment().
Result<ObjectPlaces> read_object_settings(const json::value& value);

}  // namespace oa::instance
