// Bringing back a version that is damaged or gone, under the very name it had.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "oa/objects/object_store.h"

namespace oa {

/// What a driver can do beside ObjectStore. Thread-safe.
class VersionRepair {
 public:
  virtual ~VersionRepair() = default;
  /// What else the store keeps under the name of that version: in a bucket, what somebody wrote over
  /// or deleted without naming S3's version; at most 8, newest first. Nobody says that they are any
  /// better: unseal them. Empty when there is nothing.
  virtual Result<std::vector<std::unique_ptr<RangedSource>>> other_copies(
      const ObjectKey& key, const VersionId& version) = 0;
  /// Stores `sealed` as that version, durable and visible at once, whether it is there or not; what was
  /// there goes, as far as it is not locked. The caller has made sure that these bytes are the
  /// version's. Whoever reads the version meanwhile may have to open it anew. `cancelled` may be null.
  /// Errors as put(); kNotFound for an id that no version can have; kInvalidArgument when the id says
  /// another size.
  virtual Status restore_version(const ObjectKey& key, const VersionId& version,
                                 const RangedSource& sealed,
                                 const std::atomic<bool>* cancelled) = 0;
};

/// What `store` can do of that; null when it cannot.
VersionRepair* repair_of(ObjectStore& store);

}  // namespace oa
