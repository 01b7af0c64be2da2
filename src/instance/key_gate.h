// Whether a tenant's key may be used, asked often and answered mostly from memory.
#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include "oa/keys/key_service.h"

namespace oa::instance {

/// Thread-safe; no lock is held while the provider works.
class KeyGate {
 public:
  /// kKeyDisabled (pending destruction too), kKeyDestroyed. The provider is asked again for a
  /// tenant after kFor, by one caller, while others take what it said last; when it does not
  /// answer, after kAfterFailure. Until then what it said last holds, and a tenant of whom it has
  /// said nothing may go on: what needs the key fails by itself then.
  Status check(KeyService& keys, TenantId tenant);
  static constexpr auto kFor = std::chrono::seconds(3), kAfterFailure = std::chrono::seconds(30);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    Clock::time_point ask_at;
    Status answer;
  };
  std::mutex mutex_;
  std::map<TenantId, Known> known_;  // guarded by mutex_
};

}  // namespace oa::instance
