// Lag by the minute.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "oa/wal/receiver.h"

namespace oa::wal {

/// Not thread-safe.
class LagBook {
 public:
  /// A batch became durable at `now`: so long after the server sent it, so far behind the server's
  /// end.
  void batch(Timestamp now, double lag_ms, std::uint64_t behind_bytes);
  /// Not connected at `now`, and nothing heard for so long.
  void silence(Timestamp now, double silent_ms);
  std::vector<LagMinute> take();

 private:
  struct Minute {
    LagMinute figures;
    std::array<std::uint32_t, 160> by_lag{};  // from 0.01 ms on, 8 to a doubling
  };
  Minute& at(Timestamp now);
  std::deque<Minute> minutes_;
};

}  // namespace oa::wal
