// Section `objects` of the deployment file.
#pragma once

#include "oa/base/json.h"
#include "oa/objects/s3_store.h"

namespace oa::instance {

/// Reads the credentials' file once, so that what is wrong with it is said at the start, and again
/// whenever the store refuses them: a temporary key may be written over it at any time. Errors as
/// read_deployment().
Result<S3Settings> read_object_settings(const json::value& value);

}  // namespace oa::instance
