// An instance's object store as those who check and scrub it want it.
#pragma once

#include "oa/durability/scrub.h"
#include "oa/durability/status.h"
#include "oa/instance/instance.h"

namespace oa::operations {

/// The primary past its replica, and the replica. Borrows the instance.
durability::ScrubParts scrub_parts(instance::Instance& instance);

/// The buckets with what is required of them; empty when objects are in a folder.
Result<std::vector<durability::CheckedBucket>> buckets_of(const instance::BucketSettings& settings);

/// Looks at all of them. Errors of the first that cannot be looked at; of the replica alone that is a
/// finding.
Result<std::vector<durability::BucketFinding>> check_buckets(
    const instance::BucketSettings& settings);

}  // namespace oa::operations
