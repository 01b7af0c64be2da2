// Every request goes this way: find the operation, find out who asks, see whether they may, take the
// body, remember the answer when asked to, call, turn an error into a problem.
#pragma once

#include <atomic>
#include <mutex>

#include "call.h"
#include "measures.h"
#include "oa/api/service.h"
#include "operation.h"

namespace oa::api {

inline constexpr std::string_view kCookieName = "__Host-oa-session";

/// How many requests one caller may make: a bucket of `burst` that fills by `per_second`.
/// Thread-safe; remembers the callers of the last minute.
class RateLimit {
 public:
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}
  bool allows(const std::string& caller);
  /// Whether allows() would say yes; takes nothing.
  bool has_room(const std::string& caller);

 private:
  struct Bucket {
    double tokens = 0;
    double at_seconds = 0;
  };
  Bucket& filled(const std::string& caller);
  const double per_second_, burst_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
  double swept_at_ = 0;
};

class Pipeline final : public http::Handler {
 public:
  Pipeline(Parts& parts, const ServiceSettings& settings, Measures& measures);
  std::optional<http::Response> at_once(const http::Request& request) override;
  http::Reaction handle(const http::Request& request) override;
  http::Response refuse(const Error& error) override;
  void done(const http::Request& request, int status, std::uint64_t received_bytes,
            std::uint64_t sent_bytes, double seconds) override;
  /// From now on /readyz says that this process takes no more.
  void shutting_down() { ready_ = false; }

 private:
  struct Exchange;
  class StreamedBody;
  http::Reaction dispatch(const std::shared_ptr<Exchange>& exchange);
  http::Response answer(const std::shared_ptr<Exchange>& exchange);
  Result<http::Response> call(Exchange& exchange);
  Result<http::Response> call_once(Exchange& exchange, const std::string& key);
  Result<accounts::Identity> identify(const http::Request& request);
  Status admit(const Operation& operation, const accounts::Identity& who,
               const http::Request& request);
  std::optional<http::Response> service_page(const http::Request& request,
                                             const std::string& trace_id);
  Status check_ready();
  void log_readiness(const Status& found);
  http::Response problem(const Error& error, const Exchange& exchange);

  Parts& parts_;
  const ServiceSettings& settings_;
  Measures& measures_;
  RateLimit callers_;
  RateLimit strangers_;  // by address, those whose credentials were wrong
  std::atomic<bool> ready_ = true;
  std::atomic<int> signing_in_ = 0, asking_much_ = 0;
  std::mutex ready_mutex_;
  std::chrono::steady_clock::time_point ready_checked_at_;
  Status ready_result_;
  std::string ready_logged_;  // a code; empty: that it is ready
};

}  // namespace oa::api
