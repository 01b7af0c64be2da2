#include "trust_watch.h"

#include "oa/drill/trust_report.h"

namespace oa::api {

Result<json::object> TrustWatch::report() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!last_.has_value() || now >= looked_at_ + kFresh) {
    last_.emplace(drill::trust_report(instance_));
    looked_at_ = now;
  }
  return *last_;
}

}  // namespace oa::api
