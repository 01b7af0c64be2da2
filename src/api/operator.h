// The operators' API on a listener and with a credential of its own: what there is to measure, and
// the routes of operator_routes.h; nothing of what tenants own.
#pragma once

#include <functional>

#include "operator_routes.h"
#include "oa/crypto/hash.h"

namespace oa::api {

class OperatorApi final : public http::Handler {
 public:
  /// `drills`: none where none are done. `credential`: SHA-256 of the bearer token. `metrics` is called for each scrape, `log` with a
  /// line for each request.
  OperatorApi(instance::Instance& instance, CellWatch& cell, StorageWatch& storage,
              DrillRounds* drills, const ServiceSecrets& secrets,
              const Sha256Digest& credential,
              std::function<std::string()> metrics,
              std::function<void(const std::string&)> log)
      : instance_(instance),
        cell_(cell),
        storage_(storage),
        drills_(drills),
        secrets_(secrets),
        credential_(credential),
        metrics_(std::move(metrics)),
        log_(std::move(log)) {}
  std::optional<http::Response> at_once(const http::Request& request) override;
  http::Reaction handle(const http::Request& request) override;
  http::Response refuse(const Error& error) override;
  void done(const http::Request& request, int status, std::uint64_t received_bytes,
            std::uint64_t sent_bytes, double seconds) override;

 private:
  struct Exchange;
  Status check(const http::Request& request) const;
  http::Reaction dispatch(const std::shared_ptr<Exchange>& exchange);
  http::Response answer(const Exchange& exchange) const;
  Result<http::Response> call(const Exchange& exchange) const;

  instance::Instance& instance_;
  CellWatch& cell_;
  StorageWatch& storage_;
  DrillRounds* const drills_;
  const ServiceSecrets secrets_;
  const Sha256Digest credential_;
  const std::function<std::string()> metrics_;
  const std::function<void(const std::string&)> log_;
};

/// The bearer token in `path`, which is made, for its owner alone, when it is not there. Errors:
/// those of the file; kInvalidArgument for a file that holds something else.
Result<std::string> operator_token(const std::string& path);

}  // namespace oa::api
