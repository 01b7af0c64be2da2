// Many units of reading work on several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "oa/base/progress.h"
#include "oa/base/result.h"

namespace oa::archive {

/// Hands units out in order and keeps the first failure in that order, so that the outcome does not
/// depend on the number of threads.
template <class Unit>
class UnitRun {
 public:
  /// Gives the next unit, nullopt behind the last. Never called by two threads at once.
  using Next = std::function<Result<std::optional<Unit>>()>;
  /// What a unit adds to the progress.
  using Size = std::function<std::uint64_t(const Unit&)>;

  UnitRun(Next next, Size size, Progress& progress)
      : next_(std::move(next)), size_(std::move(size)), progress_(progress) {}

  /// `make_work` gives each thread a `Status(const Unit&)` of its own. `threads` 0: one per core.
  /// The calling thread works too, and reports progress. Call once.
  template <class MakeWork>
  Status run(unsigned threads, const MakeWork& make_work) {
    const unsigned wanted = threads != 0 ? threads : std::thread::hardware_concurrency();
    std::vector<std::thread> others;
    for (unsigned i = 1; i < wanted; ++i) {
      others.emplace_back([&] { work(make_work, false); });
    }
    work(make_work, true);
    for (auto& thread : others) thread.join();
    return failure_ ? Status(std::move(*failure_)) : Status();
  }

 private:
  using Numbered = std::pair<std::uint64_t, Unit>;

  std::optional<Numbered> take() {
    const std::lock_guard lock(mutex_);
    if (stopping_) return std::nullopt;
    auto unit = next_();
    if (!unit.ok()) fail(taken_, std::move(unit).error());
    if (!unit.ok() || !*unit) {
      stopping_ = true;
      return std::nullopt;
    }
    return Numbered{taken_++, std::move(**unit)};
  }

  void stop_with(std::uint64_t number, Error error) {
    const std::lock_guard lock(mutex_);
    fail(number, std::move(error));
    stopping_ = true;
  }

  void fail(std::uint64_t number, Error error) {
    if (number >= failed_) return;
    failed_ = number;
    failure_ = std::move(error);
  }

  template <class MakeWork>
  void work(const MakeWork& make_work, bool reports) noexcept {
    std::uint64_t number = 0;
    try {
      auto unit_work = make_work();
      while (auto taken = take()) {
        number = taken->first;
        const Status status = unit_work(std::as_const(taken->second));
        if (!status.ok()) return stop_with(number, status.error());
        done_ += size_(taken->second);
        if (!reports) continue;
        progress_.update(done_);
        if (progress_.cancelled()) {
          stop_with(number,
                    make_error(ErrorCode::kCancelled, "archive.read", "reading was cancelled"));
        }
      }
    } catch (const std::exception& error) {
      stop_with(number, make_error(ErrorCode::kInternal, "archive.read", "a reading thread failed")
                            .with_cause(error.what()));
    }
  }

  const Next next_;
  const Size size_;
  Progress& progress_;
  std::atomic<std::uint64_t> done_{0};
  std::mutex mutex_;  // guards what follows
  std::uint64_t taken_ = 0;
  bool stopping_ = false;
  std::uint64_t failed_ = std::numeric_limits<std::uint64_t>::max();
  std::optional<Error> failure_;
};

}  // namespace oa::archive
