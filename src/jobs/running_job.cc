#include "running_job.h"

#include <algorithm>
#include <limits>

namespace oa::jobs {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();  // of a bigint

}  // namespace

void RunningJob::begin(std::string_view step, std::uint64_t total, std::string_view unit) {
  const std::lock_guard lock(mutex_);
  progress_ = {std::string(step), 0, std::min(total, kMost), std::string(unit)};
  written_ = false;
}

void RunningJob::update(std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  progress_.done = std::min(done, kMost);
  written_ = false;
}

catalog::JobProgress RunningJob::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::optional<catalog::JobProgress> RunningJob::unwritten_progress() {
  const std::lock_guard lock(mutex_);
  if (written_) return std::nullopt;
  written_ = true;
  return progress_;
}

}  // namespace oa::jobs
