// What keeps one client from taking what all share: how slow it may be, and how much it may hold.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

namespace oa::http {

/// Whether a client is quick enough, judged by the time that it was waited for alone. Not
/// thread-safe.
class Pace {
 public:
  Pace(std::size_t min_bytes_per_second, std::chrono::milliseconds window)
      : least_(static_cast<double>(min_bytes_per_second) *
               std::chrono::duration<double>(window).count()),
        window_(window) {}
  /// `bytes` came after a wait. False when a window has gone by with fewer bytes than it should.
  bool kept(std::size_t bytes, std::chrono::steady_clock::duration waited) {
    bytes_ += bytes;
    waited_ += waited;
    if (waited_ < window_) return true;
    const bool kept = static_cast<double>(bytes_) >= least_;
    bytes_ = 0;
    waited_ = {};
    return kept;
  }

 private:
  double least_;  // bytes of a window
  std::chrono::milliseconds window_;
  std::size_t bytes_ = 0;
  std::chrono::steady_clock::duration waited_{};
};

/// So many of something for all connections. Thread-safe.
class Budget {
 public:
  explicit Budget(std::size_t most) : most_(most) {}

 private:
  friend class Share;
  const std::size_t most_;
  std::atomic<std::size_t> taken_ = 0;
};

/// What one connection has of a budget, given back at the end.
class Share {
 public:
  explicit Share(Budget& budget) : budget_(budget) {}
  ~Share() { budget_.taken_ -= held_; }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  /// False, and nothing taken, when fewer are left.
  bool take(std::size_t more) {
    std::size_t taken = budget_.taken_;
    do {
      if (more > budget_.most_ - taken) return false;
    } while (!budget_.taken_.compare_exchange_weak(taken, taken + more));
    held_ += more;
    return true;
  }

 private:
  Budget& budget_;
  std::size_t held_ = 0;
};

}  // namespace oa::http
