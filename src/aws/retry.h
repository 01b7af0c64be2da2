// What to do after an attempt: pure decisions.
#pragma once

#include <atomic>
#include <optional>

#include "oa/aws/client.h"

namespace oa::aws {

/// The name of an error in an answer of S3 (XML) or of a JSON service; empty when there is none.
std::string error_code_of(const ResponseHead& head, ByteView body);

enum class Verdict {
  kDone,        // whatever it says, it is the answer
  kAgain,       // the server did not carry it out: after a wait
  kAgainMaybe,  // it may have: after a wait, when the request is repeatable
  kSetClock,    // the clocks differ
  kNewCredentials,
};
Verdict judge(const Response& answer);

/// Retry-After in its form of seconds; nullopt for anything else.
std::optional<std::chrono::milliseconds> retry_after(const ResponseHead& head);

/// The wait before retry `retry` (from 0): `random` in [0, 1) of min(longest, first · 2^retry).
std::chrono::milliseconds wait_before(const RetrySettings& settings, int retry, double random);

/// The Date header (RFC 9110, IMF-fixdate); nullopt for anything else.
std::optional<Timestamp> date_of(const ResponseHead& head);

/// Retries that are left for all requests. Thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(int retries) : tenths_(retries * kTenths), most_(retries * kTenths) {}
  /// False when none is left.
  bool take();
  void give_back_a_tenth();

 private:
  static constexpr int kTenths = 10;
  std::atomic<int> tenths_;
  const int most_;
};

}  // namespace oa::aws
