// Objects as the domain sees them: always sealed under the tenant's key, bound to tenant, class and
// name.
#pragma once

#include <memory>

#include "oa/keys/key_service.h"
#include "oa/objects/object_store.h"

namespace oa {

/// Borrows the store and the key service, which must outlive it and everything it hands out.
/// Thread-safe.
class SealedObjects {
 public:
  SealedObjects(ObjectStore& store, KeyService& keys) : store_(store), keys_(keys) {}

  /// A writer that seals on the way; commit() makes the version visible.
  Result<std::unique_ptr<ObjectWriter>> create(const ObjectKey& key);
  /// The verified plaintext of one version, with random access.
  Result<std::unique_ptr<RangedSource>> open(const ObjectKey& key, const VersionId& version);
  /// Plaintext size of one version, authenticated.
  Result<std::uint64_t> plaintext_size(const ObjectKey& key, const VersionId& version);
  Status remove(const ObjectKey& key, const VersionId& version);
  ObjectStore& store() { return store_; }

 private:
  ObjectStore& store_;
  KeyService& keys_;
};

}  // namespace oa
