// Drills that a service runs: those of the quarter by itself, others as operators ask. One at a time in
// all processes together.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "measures.h"
#include "oa/http/server.h"
#include "oa/instance/instance.h"

namespace oa::api {

struct DrillSettings {
  /// Tenants drilled each quarter, from its 15th day on, and the cell once it has a day; 0: none by
  /// itself.
  std::size_t sample = 5;
  /// Opens the API on this machine, for the time of a drill.
  std::function<Result<std::unique_ptr<http::Server>>()> serve;
  std::function<void(const std::string& line)> log;
};

/// Whether the quarter's sample may be drilled at `now`: from the quarter's 15th day on.
bool is_drill_time(Timestamp now);

/// What is drilled: a tenant, or the cell.
struct DrillSubject {
  std::optional<TenantId> tenant;  // none: the cell
  bool operator==(const DrillSubject&) const = default;
};

class DrillRounds {
 public:
  /// `instance` and `measures` are borrowed.
  static std::unique_ptr<DrillRounds> start(instance::Instance& instance, Measures& measures,
                                            DrillSettings settings);
  virtual ~DrillRounds() = default;
  /// As soon as no other runs; forgotten when the process ends before. kConflict when the subject waits
  /// already, kLimitExceeded when 100 do.
  virtual Status ask(DrillSubject subject) = 0;
};

}  // namespace oa::api
