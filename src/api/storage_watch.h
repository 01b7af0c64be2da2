// How safe stored data is, for everybody who asks: put together anew when the last time is old.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "oa/durability/status.h"
#include "oa/instance/instance.h"

namespace oa::api {

/// Thread-safe.
class StorageWatch {
 public:
  StorageWatch(instance::Instance& instance, int days) : instance_(instance), days_(days) {}
  /// At most kFresh old.
  Result<durability::StorageStatus> status();
  /// Checks the buckets now and records what was found. kConflict when objects are in a folder; what
  /// check_buckets() fails with, which is recorded too.
  Status check_now();
  int days() const { return days_; }
  static constexpr std::chrono::seconds kFresh{60};

 private:
  instance::Instance& instance_;
  const int days_;
  std::mutex mutex_;
  std::optional<durability::StorageStatus> last_;
  std::chrono::steady_clock::time_point looked_at_;
};

}  // namespace oa::api
