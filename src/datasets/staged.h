// Object versions that no record refers to yet.
#pragma once

#include <optional>

#include "oa/objects/sealed_objects.h"

namespace oa::datasets {

/// One new version, removed again unless it is kept.
class StagedVersion {
 public:
  StagedVersion(SealedObjects& objects, ObjectKey key) : objects_(objects), key_(std::move(key)) {}
  ~StagedVersion() {
    if (version_.has_value()) (void)objects_.remove(key_, *version_);
  }
  StagedVersion(const StagedVersion&) = delete;
  StagedVersion& operator=(const StagedVersion&) = delete;

  const ObjectKey& key() const { return key_; }
  void made(VersionId version) { version_ = std::move(version); }
  const VersionId& version() const { return *version_; }
  /// From here on it stays, whatever happens.
  void keep() { version_.reset(); }

 private:
  SealedObjects& objects_;
  ObjectKey key_;
  std::optional<VersionId> version_;
};

}  // namespace oa::datasets
