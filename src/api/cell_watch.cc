#include "cell_watch.h"

namespace oa::api {

void CellWatch::set_keeper(continuity::Keeper* keeper) {
  const std::lock_guard lock(mutex_);
  keeper_ = keeper;
}

void CellWatch::wake() {
  const std::lock_guard lock(mutex_);
  if (keeper_ != nullptr) keeper_->wake();
}

Result<continuity::CellStatus> CellWatch::status() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (last_.has_value() && now < looked_at_ + kFresh) return *last_;
  const auto receiver = keeper_ == nullptr ? std::nullopt : keeper_->receiver();
  OA_ASSIGN(const auto seen,
            continuity::observe(instance_.cell(), instance_.database(), receiver));
  last_ = continuity::status_of(seen);
  looked_at_ = now;
  return *last_;
}

}  // namespace oa::api
