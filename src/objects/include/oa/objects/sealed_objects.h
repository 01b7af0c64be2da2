// Objects as the domain sees them: always sealed under the tenant's key, bound to tenant, class and
// name.
#pragma once

#include <memory>

#include "oa/keys/key_service.h"
#include "oa/objects/object_store.h"

namespace oa {

/// Data keys of versions that were wrapped anew since: a version never changes, so what its header
/// says stays what it was (docs/adr/0022-keys-are-wrapped-anew-beside-the-objects.md). Thread-safe.
class RewrappedKeys {
 public:
  virtual ~RewrappedKeys() = default;
  /// None when it was never wrapped anew, or that cannot be found out now: then the header's holds.
  virtual std::optional<WrappedKey> find(const ObjectKey& key, const VersionId& version) = 0;
};

/// Borrows what it is made of, which must outlive it and everything it hands out. Thread-safe.
class SealedObjects {
 public:
  SealedObjects(ObjectStore& store, KeyService& keys, RewrappedKeys* rewrapped = nullptr)
      : store_(store), keys_(keys), rewrapped_(rewrapped) {}

  /// A writer that seals on the way; commit() makes the version visible.
  Result<std::unique_ptr<ObjectWriter>> create(const ObjectKey& key);
  /// The verified plaintext of one version, with random access. What the seal finds damaged is
  /// read again from each place that has the version (ObjectStore::get_copy), at any moment of the
  /// reading; kSealCorrupt when none has it whole.
  Result<std::unique_ptr<RangedSource>> open(const ObjectKey& key, const VersionId& version);
  /// Plaintext size of one version, authenticated.
  Result<std::uint64_t> plaintext_size(const ObjectKey& key, const VersionId& version);
  Status remove(const ObjectKey& key, const VersionId& version);
  /// What opens one version now: wrapped anew, or as its header has it.
  Result<WrappedKey> wrapped_key(const ObjectKey& key, const VersionId& version);
  /// The same data key under the newest version of the tenant's key. Changes nothing.
  Result<WrappedKey> rewrap(const ObjectKey& key, const WrappedKey& wrapped);
  ObjectStore& store() { return store_; }

 private:
  ObjectStore& store_;
  KeyService& keys_;
  RewrappedKeys* const rewrapped_;
};

}  // namespace oa
