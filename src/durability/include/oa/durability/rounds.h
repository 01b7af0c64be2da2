// What keeps stored data safe by itself: the daily check of the bucket, the scrub, their records.
#pragma once

#include <functional>
#include <memory>

#include "oa/durability/status.h"
#include "oa/objects/replicated_store.h"

namespace oa::durability {

/// The second half of the number of our advisory lock (catalog::kKeeperLock has the others).
inline constexpr int kDurabilityLock = 14;

struct RoundSettings {
  int days = kScrubDays;
  std::uint64_t bytes_per_second = std::uint64_t{20} << 20;
  std::chrono::milliseconds tick{60'000};
  std::chrono::seconds at_most{50};  // a tick's scrub
  /// Looks at the buckets; null when there are none.
  std::function<Result<std::vector<BucketFinding>>()> check = {};
  /// Versions of which a damaged copy was met where the damage log does not see it; null: none.
  std::function<std::vector<DamagedVersion>()> damaged = {};
  /// What was done ("bucket-check", "scrub"), and "succeeded" or the code of its error; on the thread of
  /// the rounds.
  std::function<void(const char* what, const std::string& outcome)> done = {};
  std::function<void(const char* what, const Error& error)> trouble = {};
};

/// On a thread of its own; one process at a time, whichever it is. Suspects (DamageLog) are noted in
/// every process. Stops at the next piece of a version when it is dropped.
class Rounds {
 public:
  /// What `parts` borrow must outlive it.
  static std::unique_ptr<Rounds> start(const ScrubParts& parts, RoundSettings settings);
  virtual ~Rounds() = default;
};

}  // namespace oa::durability
