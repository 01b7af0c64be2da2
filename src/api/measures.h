// What the service measures of itself, in Prometheus' text format.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace oa::http {
struct ServerCounters;
}
namespace oa::continuity {
struct CellStatus;
}
namespace oa::durability {
struct ReplicationState;
struct StorageStatus;
}
namespace oa {
struct ReplicatedCounts;
}

namespace oa::api {

/// Thread-safe.
class Measures {
 public:
  Measures();
  ~Measures();
  void add(const std::string& operation, int status, double seconds);
  /// An attempt at a job; `outcome`: "succeeded" or the code of its error.
  void add_job(const std::string& kind, const std::string& outcome, double seconds);
  /// What the schedules do by themselves, per tenant: "schedule" or "sweep"; of
  /// all: "scrub" and others.
  void add_round(const std::string& what, const std::string& outcome);
  /// What the gauges of continuous backup say from now on.
  void set_cell(const continuity::CellStatus& status);
  /// Of the deployment, by severity.
  void set_findings(const std::map<std::string, std::size_t>& by_severity);
  /// What the gauges of stored data say from now on.
  void set_storage(const durability::StorageStatus& status);
  /// What the gauges of the object store's replica say from now on.
  void set_replication(const durability::ReplicationState& state, const ReplicatedCounts& counts);
  std::string text(const http::ServerCounters& counters) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oa::api
