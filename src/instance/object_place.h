// Where an instance's objects are: in its folder, or in a bucket that its deployment names.
#pragma once

#include <memory>
#include <string>

#include "oa/instance/deployment.h"
#include "oa/objects/object_store.h"

namespace oa::instance {

/// An instance keeps its objects in one place for good: `root` remembers the bucket. kInvalidArgument
/// when it has one and the deployment names none; kConflict when it names another, or one for an
/// instance that has objects in its folder. Touches nothing.
Status check_object_place(const std::string& root, const Deployment& deployment);
/// After check_object_place(). Errors as those of the drivers.
Result<std::unique_ptr<ObjectStore>> open_objects(const std::string& root,
                                                  const Deployment& deployment);
/// Whether the bucket answers; gives up within seconds.
Status look_at_bucket(S3Settings settings);
/// Gives `target`, a new instance's root, the objects of `source`: copies of what is in a folder
/// (hard links where that can be), the same bucket.
Status share_objects(const std::string& source, const std::string& target);

}  // namespace oa::instance
