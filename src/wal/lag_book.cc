#include "lag_book.h"

#include <algorithm>
#include <cmath>

namespace oa::wal {
namespace {

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr std::size_t kMaxMinutes = 24 * 60;
constexpr double kLeastMs = 0.01, kPerDoubling = 8;

std::size_t bucket_of(double lag_ms, std::size_t buckets) {
  const double place = kPerDoubling * std::log2(std::max(lag_ms, kLeastMs) / kLeastMs);
  return std::min(static_cast<std::size_t>(place), buckets - 1);
}

}  // namespace

LagBook::Minute& LagBook::at(Timestamp now) {
  const Timestamp minute{now.unix_us - now.unix_us % kMinuteUs};
  if (minutes_.empty() || minutes_.back().figures.minute != minute) {
    minutes_.emplace_back().figures.minute = minute;
    if (minutes_.size() > kMaxMinutes) minutes_.pop_front();
  }
  return minutes_.back();
}

void LagBook::batch(Timestamp now, double lag_ms, std::uint64_t behind_bytes) {
  Minute& minute = at(now);
  minute.figures.worst_ms = std::max(minute.figures.worst_ms, lag_ms);
  minute.figures.worst_bytes = std::max(minute.figures.worst_bytes, behind_bytes);
  ++minute.figures.batches;
  ++minute.by_lag[bucket_of(lag_ms, minute.by_lag.size())];
}

void LagBook::silence(Timestamp now, double silent_ms) {
  Minute& minute = at(now);
  minute.figures.worst_ms = std::max(minute.figures.worst_ms, silent_ms);
}

std::vector<LagMinute> LagBook::take() {
  std::vector<LagMinute> taken;
  for (auto& minute : minutes_) {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < minute.by_lag.size() && minute.figures.batches > 0; ++i) {
      seen += minute.by_lag[i];
      if (2 * seen < minute.figures.batches) continue;
      // The middle of the bucket.
      minute.figures.median_ms =
          kLeastMs * std::exp2((static_cast<double>(i) + 0.5) / kPerDoubling);
      break;
    }
    taken.push_back(minute.figures);
  }
  minutes_.clear();
  return taken;
}

}  // namespace oa::wal
