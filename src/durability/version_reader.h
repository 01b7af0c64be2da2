// Reads all of one version, at a bounded rate.
#pragma once

#include <chrono>
#include <memory>

#include "oa/base/progress.h"
#include "oa/crypto/hash.h"
#include "oa/keys/key_service.h"
#include "oa/objects/object_store.h"

namespace oa::durability {

/// Keeps what is read below a rate, on the long run. Not thread-safe.
class Pace {
 public:
  /// 0: no bound.
  explicit Pace(std::uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}
  /// Waits until so many bytes more are due; kCancelled.
  Status spend(std::uint64_t bytes, const Progress& progress);

 private:
  const std::uint64_t bytes_per_second_;
  std::chrono::steady_clock::time_point free_at_ = std::chrono::steady_clock::now();
};

struct ReadVersion {
  std::uint64_t sealed_bytes = 0;
  Sha256Digest sealed_sha256{};
};

/// Unseals every byte of `stored` as a version of `key`. kSealCorrupt and the errors of store and keys.
Result<ReadVersion> read_version(KeyService& keys, const ObjectKey& key,
                                 std::unique_ptr<RangedSource> stored, Pace& pace,
                                 const Progress& progress);

}  // namespace oa::durability
