// The trust report for everybody who asks: put together anew when the last time is old.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "oa/base/json.h"
#include "oa/instance/instance.h"

namespace oa::api {

/// Thread-safe. Anybody may ask, so it is put together at most once in kFresh, whatever comes of it.
class TrustWatch {
 public:
  explicit TrustWatch(instance::Instance& instance) : instance_(instance) {}
  Result<json::object> report();
  static constexpr std::chrono::seconds kFresh{10};

 private:
  instance::Instance& instance_;
  std::mutex mutex_;
  std::optional<Result<json::object>> last_;
  std::chrono::steady_clock::time_point looked_at_;
};

}  // namespace oa::api
