#include "measures.h"

#include <limits>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "oa/continuity/status.h"
#include "oa/durability/replication.h"
#include "oa/durability/status.h"
#include "oa/http/server.h"

namespace oa::api {
namespace {

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Measures::State {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("oa_http_requests_total")
          .Help("Requests by operation and class of status")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& seconds =
      prometheus::BuildHistogram()
          .Name("oa_http_request_seconds")
          .Help("From the head of a request to the end of its response")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& gauges = prometheus::BuildGauge()
                                                      .Name("oa_http_open")
                                                      .Help("Connections and streams of events")
                                                      .Register(registry);
  prometheus::Gauge& connections = gauges.Add({{"kind", "connections"}});
  prometheus::Gauge& streams = gauges.Add({{"kind", "event_streams"}});
  prometheus::Family<prometheus::Counter>& jobs =
      prometheus::BuildCounter()
          .Name("oa_job_attempts_total")
          .Help("Attempts at jobs by kind and outcome: succeeded, or the code of the error")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& job_success =
      prometheus::BuildGauge()
          .Name("oa_job_last_success_timestamp_seconds")
          .Help("When a job of this kind last succeeded in this process")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& job_seconds =
      prometheus::BuildCounter()
          .Name("oa_job_seconds_total")
          .Help("Time that attempts at jobs took, by kind")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& rounds =
      prometheus::BuildCounter()
          .Name("oa_rounds_total")
          .Help("Schedules looked at and tenants swept, by outcome")
          .Register(registry);
  prometheus::Gauge& refused = gauges.Add({{"kind", "refused_total"}});
  prometheus::Family<prometheus::Gauge>& cell =
      prometheus::BuildGauge()
          .Name("oa_continuity")
          .Help("Continuous backup: what there is, in seconds (of the epoch for moments) or bytes")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& alarms =
      prometheus::BuildGauge()
          .Name("oa_continuity_alarm")
          .Help("1 for a warning, 2 for what is critical, 0 for what is well")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& findings =
      prometheus::BuildGauge()
          .Name("oa_doctor_findings")
          .Help("What `oa-backup doctor` finds of this deployment, by severity")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& storage =
      prometheus::BuildGauge()
          .Name("oa_storage")
          .Help("What is stored: versions, bytes, shares, seconds (of the epoch for moments)")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& storage_alarms =
      prometheus::BuildGauge()
          .Name("oa_storage_alarm")
          .Help("1 for a warning, 2 for what is critical, 0 for what is well")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& replication =
      prometheus::BuildGauge()
          .Name("oa_replication")
          .Help("The object store's replica: seconds (of the epoch for moments) or numbers")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& replica_alarms =
      prometheus::BuildGauge()
          .Name("oa_replication_alarm")
          .Help("1 for a warning, 2 for what is critical, 0 for what is well")
          .Register(registry);
  prometheus::Gauge& resident = prometheus::BuildGauge()
                                    .Name("process_resident_memory_bytes")
                                    .Help("Resident memory")
                                    .Register(registry)
                                    .Add({});
};

Measures::Measures() : state_(std::make_unique<State>()) {}
Measures::~Measures() = default;

void Measures::add(const std::string& operation, int status, double seconds) {
  const std::string status_class = fmt::format("{}xx", status / 100);
  state_->requests.Add({{"operation", operation}, {"status", status_class}}).Increment();
  state_->seconds
      .Add({{"operation", operation}},
           prometheus::Histogram::BucketBoundaries{0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30})
      .Observe(seconds);
}

void Measures::add_job(const std::string& kind, const std::string& outcome, double seconds) {
  state_->jobs.Add({{"kind", kind}, {"outcome", outcome}}).Increment();
  state_->job_seconds.Add({{"kind", kind}}).Increment(seconds);
  if (outcome == "succeeded") state_->job_success.Add({{"kind", kind}}).SetToCurrentTime();
}

void Measures::add_round(const std::string& what, const std::string& outcome) {
  state_->rounds.Add({{"what", what}, {"outcome", outcome}}).Increment();
}

void Measures::set_replication(const durability::ReplicationState& state,
                               const ReplicatedCounts& counts) {
  const auto set = [this](const char* what, double value) {
    state_->replication.Add({{"what", what}}).Set(value);
  };
  const Timestamp now = Timestamp::now();
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  set("lag_seconds", durability::replica_lag_seconds(state, now).value_or(unknown));
  set("last_look", state.looked_at.has_value() ? static_cast<double>(state.looked_at->unix_us) / 1e6
                                               : unknown);
  set("faults", static_cast<double>(state.faults.size()));
  set("compared_total", static_cast<double>(state.compared));
  set("primary_answers", counts.primary_answers ? 1 : 0);
  set("outages_total", static_cast<double>(counts.outages));
  set("replica_reads_total", static_cast<double>(counts.replica_reads));
  set("damaged_copies_total", static_cast<double>(counts.damaged_copies));
  using Code = durability::ReplicaAlarmCode;
  for (const Code code : {Code::kReplicaFault, Code::kReplicaLag, Code::kReplicaUnreachable,
                          Code::kPrimaryUnreachable, Code::kNotLooked}) {
    double severity = 0;
    for (const auto& alarm : durability::replica_alarms(state, now))
      if (alarm.code == code) severity = alarm.critical ? 2 : 1;
    state_->replica_alarms.Add({{"alarm", std::string(durability::to_text(code))}}).Set(severity);
  }
}

void Measures::set_cell(const continuity::CellStatus& status) {
  const auto set = [this](const char* what, const std::optional<double>& value) {
    state_->cell.Add({{"what", what}}).Set(value.value_or(std::numeric_limits<double>::quiet_NaN()));
  };
  const auto seconds_of = [](const std::optional<Timestamp>& moment) -> std::optional<double> {
    if (!moment.has_value()) return std::nullopt;
    return static_cast<double>(moment->unix_us) / 1e6;
  };
  const auto number = [](const std::optional<std::uint64_t>& value) -> std::optional<double> {
    if (!value.has_value()) return std::nullopt;
    return static_cast<double>(*value);
  };
  set("on", status.on ? 1 : 0);
  set("receiver_connected", status.receiver_connected ? 1 : 0);
  set("rpo_seconds", status.rpo_seconds);
  set("worst_rpo_seconds", status.worst_rpo_seconds);
  set("lag_bytes", number(status.lag_bytes));
  set("expected_rto_seconds", status.expected_rto_seconds);
  set("earliest_moment", seconds_of(status.earliest));
  set("latest_moment", seconds_of(status.latest));
  set("last_backup", seconds_of(status.last_backup_at));
  set("last_full_backup", seconds_of(status.last_full_at));
  set("last_verified_restore", seconds_of(status.last_verified_restore_at));
  set("last_verified_restore_seconds", status.last_verified_restore_seconds);
  if (status.space.has_value()) {
    set("repository_bytes", static_cast<double>(status.space->repository_bytes));
    set("log_bytes", static_cast<double>(status.space->log_bytes));
    set("free_bytes", static_cast<double>(status.space->free_bytes));
  }
  if (status.cluster.has_value()) {
    std::optional<std::uint64_t> lag;
    for (const auto& [member, files_here] : status.cluster->members)
      if (member.lag_bytes.has_value()) lag = std::max(lag.value_or(0), *member.lag_bytes);
    set("cluster_members", static_cast<double>(status.cluster->members.size()));
    set("cluster_timeline", status.cluster->timeline.value);
    set("cluster_replica_lag_bytes", number(lag));
  }
  for (int code = 0; code < continuity::kAlarmCodes; ++code) {
    double level = 0;
    for (const auto& alarm : status.alarms) {
      if (static_cast<int>(alarm.code) != code) continue;
      level = alarm.severity == continuity::Severity::kCritical ? 2 : std::max(level, 1.0);
    }
    const auto name = continuity::to_text(static_cast<continuity::AlarmCode>(code));
    state_->alarms.Add({{"alarm", std::string(name)}}).Set(level);
  }
}

void Measures::set_findings(const std::map<std::string, std::size_t>& by_severity) {
  for (const auto& [severity, count] : by_severity)
    state_->findings.Add({{"severity", severity}}).Set(static_cast<double>(count));
}

void Measures::set_storage(const durability::StorageStatus& status) {
  const auto set = [this](const char* what, double value) {
    state_->storage.Add({{"what", what}}).Set(value);
  };
  const auto moment = [](const std::optional<Timestamp>& at) {
    return at.has_value() ? static_cast<double>(at->unix_us) / 1e6
                          : std::numeric_limits<double>::quiet_NaN();
  };
  const auto& totals = status.coverage.totals;
  set("versions", static_cast<double>(totals.versions));
  set("bytes", static_cast<double>(totals.bytes));
  set("verified_bytes", static_cast<double>(totals.verified_bytes));
  set("verified_share", status.coverage.share());
  set("oldest_verified", moment(totals.oldest));
  set("damaged", static_cast<double>(totals.damaged));
  set("repaired", static_cast<double>(totals.repaired));
  set("locked", static_cast<double>(totals.locked));
  set("bucket_checked", moment(status.checked_at));
  for (int code = 0; code < durability::kStorageAlarmCodes; ++code) {
    double level = 0;
    for (const auto& alarm : status.alarms)
      if (static_cast<int>(alarm.code) == code) level = std::max(level, alarm.critical ? 2.0 : 1.0);
    const auto name = durability::to_text(static_cast<durability::StorageAlarmCode>(code));
    state_->storage_alarms.Add({{"alarm", std::string(name)}}).Set(level);
  }
}

std::string Measures::text(const http::ServerCounters& counters) const {
  state_->connections.Set(static_cast<double>(counters.connections_open));
  state_->streams.Set(static_cast<double>(counters.event_streams_open));
  state_->refused.Set(static_cast<double>(counters.refused_total));
  state_->resident.Set(resident_bytes());
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace oa::api
