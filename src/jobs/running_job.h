// A job while it runs: what its worker reports, and what its keeper has to tell it.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "oa/base/progress.h"
#include "oa/catalog/jobs.h"

namespace oa::jobs {

/// The worker's thread reports progress; the keeper's writes it down and hands on what it learns of
/// the lease. So a job never waits for the database to report.
class RunningJob final : public Progress {
 public:
  using Clock = std::chrono::steady_clock;
  /// `stopping` is borrowed. `leased_at` is before the lease began.
  RunningJob(catalog::TakenJob taken, const std::atomic<bool>& stopping,
             Clock::time_point leased_at)
      : taken_(std::move(taken)),
        stopping_(stopping),
        progress_(taken_.job.progress),
        leased_at_(leased_at),
        cancel_requested_(taken_.job.cancel_requested) {}

  const catalog::TakenJob& taken() const { return taken_; }
  bool cancel_requested() const { return cancel_requested_; }
  bool lost() const { return lost_; }

  void begin(std::string_view step, std::uint64_t total, std::string_view unit) override;
  void update(std::uint64_t done) override;
  bool cancelled() const override { return cancel_requested_ || lost_ || stopping_; }

  catalog::JobProgress progress() const;
  /// When it changed since the last call.
  std::optional<catalog::JobProgress> unwritten_progress();

  // The keeper's.
  void request_cancel() { cancel_requested_ = true; }
  void lose() { lost_ = true; }
  void extended(Clock::time_point at) { leased_at_ = at; }
  Clock::time_point leased_at() const { return leased_at_; }

 private:
  const catalog::TakenJob taken_;
  const std::atomic<bool>& stopping_;
  mutable std::mutex mutex_;
  catalog::JobProgress progress_;
  bool written_ = true;
  Clock::time_point leased_at_;
  std::atomic<bool> cancel_requested_, lost_ = false;
};

}  // namespace oa::jobs
