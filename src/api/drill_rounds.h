// Drills that a service runs: those of the quarter by itself, others as operators ask. One at a time in
// all processes together.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "measures.h"
#include "oa/http/server.h"
#include "oa/instance/instance.h"

namespace oa::api {

struct DrillSettings {
  /// Tenants drilled each quarter, from its 15th day on; 0: none by itself.
  std::size_t sample = 5;
  /// Opens the API on this machine, for the time of a drill.
  std::function<Result<std::unique_ptr<http::Server>>()> serve;
  std::function<void(const std::string& line)> log;
};

/// Whether the quarter's sample may be drilled at `now`: from the quarter's 15th day on.
bool is_drill_time(Timestamp now);

class DrillRounds {
 public:
  /// `instance` and `measures` are borrowed.
  static std::unique_ptr<DrillRounds> start(instance::Instance& instance, Measures& measures,
                                            DrillSettings settings);
  virtual ~DrillRounds() = default;
  /// As soon as no other runs; forgotten when the process ends before. kConflict when the tenant waits
  /// already, kLimitExceeded when 100 do.
  virtual Status ask(TenantId tenant) = 0;
};

}  // namespace oa::api
