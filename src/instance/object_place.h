// Where an instance's objects are: in its folder, or in a bucket that its deployment names.
#pragma once

#include <memory>
#include <string>

#include "oa/instance/deployment.h"
#include "oa/objects/replicated_store.h"

namespace oa::instance {

/// An instance keeps its objects in one place for good: `root` remembers the bucket.
/// kInvalidArgument when it has one and the deployment names none; kConflict when it names another,
/// or one for an instance that has objects in its folder. Touches nothing.
Status check_object_place(const std::string& root, const Deployment& deployment);
/// An open object store, and its parts when it is in buckets.
struct OpenObjects {
  std::unique_ptr<ObjectStore> store;
  S3Store* bucket = nullptr;  // what is written to
  S3Store* replica = nullptr;
  ReplicatedStore* replicated = nullptr;  // `store`, when there is a replica
};
/// After check_object_place(). Only when the instance is new it asks the buckets, with the errors
/// of open_s3_store(); else it needs no answer of theirs.
Result<OpenObjects> open_objects(const std::string& root, const Deployment& deployment);
/// Whether objects can be read: the bucket or its replica answers. Within seconds. The bucket's
/// errors.
Status look_at(const OpenObjects& objects);
/// Gives `target`, a new instance's root, the objects of `source`: copies of what is in a folder
/// (hard links where that can be), the same bucket.
Status share_objects(const std::string& source, const std::string& target);

}  // namespace oa::instance
