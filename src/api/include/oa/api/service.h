// The HTTP service: the tenants' API and pages, the jobs that it starts and what goes on by itself.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "oa/http/server.h"
#include "oa/instance/instance.h"

namespace oa::api {

struct ServiceSettings {
  http::ServerSettings server;
  /// The operators' API and /metrics, on a listener of their own; none: not served.
  std::optional<http::ServerSettings> operators;
  /// Where the operators' bearer token is; made when it is not there.
  std::string operator_token_file;
  unsigned job_workers = 2;
  /// Whether it also does what goes on by itself: continuous backup, schedules, scrubs, the replica's
  /// watch. Not one that serves beside another for a while.
  bool upkeep = true;
  std::chrono::seconds replica_looked_at{60};  // how often, when the object store has one
  /// Requests a second of one caller, and how many may come at once.
  double requests_per_second = 500;
  double burst = 2000;
  int sign_ins_at_once = 8;
  /// Within so many days everything that is stored is verified, at so many bytes a second.
  int scrub_days = 30;
  std::uint64_t scrub_bytes_per_second = std::uint64_t{20} << 20;
  /// Tenants that are drilled each quarter by itself; 0: none.
  std::size_t drill_sample = 5;
  int heavy_at_once = 16;  // reports opened, differences
  /// Addresses of proxies of ours, whose X-Forwarded-For and X-Forwarded-Proto are believed.
  std::set<std::string> trusted_proxies;
  /// From the beginning of stop() to the end of listening: so that those who ask /readyz see it and
  /// send nobody here any more.
  std::chrono::milliseconds drain{0};
  /// Takes one line of the log: a JSON object without personal data. Called from many threads.
  std::function<void(const std::string& line)> log;
};

class DrillRounds;

/// Serves until it is destroyed. Thread-safe.
class Service {
 public:
  /// `instance` is borrowed. Errors: those of http::Server::start().
  static Result<std::unique_ptr<Service>> start(instance::Instance& instance,
                                                const ServiceSettings& settings);
  ~Service();
  std::uint16_t port() const;
  /// 0 when the operators' API is not served.
  std::uint16_t operator_port() const;
  /// Reads the certificate again.
  Status reload_certificate();
  /// Answers /readyz with 503 from now on, goes on serving for the settings' `drain`, then lets
  /// requests come to their end for `patience`, puts running jobs back and returns.
  void stop(std::chrono::milliseconds patience);
  /// What /metrics says of the deployment from now on: how many findings there are of each severity.
  void set_findings(const std::map<std::string, std::size_t>& by_severity);

 private:
  struct State;
  explicit Service(std::unique_ptr<State> state);
  static std::unique_ptr<DrillRounds> start_drills(instance::Instance& instance, State& state);
  void stop_after(std::chrono::milliseconds drain, std::chrono::milliseconds patience);
  std::unique_ptr<State> state_;
};

}  // namespace oa::api
