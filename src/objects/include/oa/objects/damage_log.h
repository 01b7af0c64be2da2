// Versions whose reading failed in this process, for whoever looks after them.
#pragma once

#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "oa/objects/object_store.h"

namespace oa {

/// Bounded: what does not fit is found by the next scrub. Thread-safe.
class DamageLog {
 public:
  using Version = std::pair<ObjectKey, VersionId>;
  static constexpr std::size_t kMax = 1000;

  void note(const ObjectKey& key, const VersionId& version);
  /// All that was noted since; each once.
  std::vector<Version> take();

 private:
  std::mutex mutex_;
  std::set<Version> noted_;
};

/// The one that SealedObjects notes in: what comes damaged, and what is not there. Whether it should
/// be there is not known here.
DamageLog& damage_log();

}  // namespace oa
