// The operators' API on a listener and with a credential of its own: what there is to measure, and
// which tenants there are; nothing of what tenants own.
#pragma once

#include <functional>

#include "call.h"
#include "oa/crypto/hash.h"

namespace oa::api {

class OperatorApi final : public http::Handler {
 public:
  /// `credential`: SHA-256 of the bearer token. `metrics` is called for each scrape, `log` with a
  /// line for each request.
  OperatorApi(instance::Instance& instance, const Sha256Digest& credential,
              std::function<std::string()> metrics,
              std::function<void(const std::string&)> log)
      : instance_(instance),
        credential_(credential),
        metrics_(std::move(metrics)),
        log_(std::move(log)) {}
  http::Reaction handle(const http::Request& request) override;
  http::Response refuse(const Error& error) override;
  void done(const http::Request& request, int status, std::uint64_t received_bytes,
            std::uint64_t sent_bytes, double seconds) override;

 private:
  Status check(const http::Request& request) const;
  http::Response list_tenants(const http::Request& request, const std::string& trace_id);
  http::Response create_tenant(const std::string& body, const std::string& target,
                               const std::string& trace_id);

  instance::Instance& instance_;
  const Sha256Digest credential_;
  const std::function<std::string()> metrics_;
  const std::function<void(const std::string&)> log_;
};

/// The bearer token in `path`, which is made, for its owner alone, when it is not there. Errors:
/// those of the file; kInvalidArgument for a file that holds something else.
Result<std::string> operator_token(const std::string& path);

}  // namespace oa::api
