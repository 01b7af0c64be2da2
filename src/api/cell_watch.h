// What continuous backup is like, for everybody who asks: looked at anew when the last look is old.
#pragma once

#include <chrono>
#include <mutex>

#include "oa/continuity/keeper.h"
#include "oa/continuity/status.h"
#include "oa/instance/instance.h"

namespace oa::api {

/// Thread-safe.
class CellWatch {
 public:
  explicit CellWatch(instance::Instance& instance) : instance_(instance) {}
  /// Borrowed; null before it is there and when nothing is backed up.
  void set_keeper(continuity::Keeper* keeper);
  /// At most kFresh old.
  Result<continuity::CellStatus> status();
  /// A run was asked for.
  void wake();
  static constexpr std::chrono::seconds kFresh{2};

 private:
  instance::Instance& instance_;
  std::mutex mutex_;
  continuity::Keeper* keeper_ = nullptr;
  std::optional<continuity::CellStatus> last_;
  std::chrono::steady_clock::time_point looked_at_;
};

}  // namespace oa::api
