#include "oa/continuity/status_json.h"

#include <boost/json.hpp>

namespace oa::continuity {
namespace {

template <class T>
json::value or_null(const std::optional<T>& value) {
  if (!value.has_value()) return nullptr;
  if constexpr (std::is_same_v<T, Timestamp>)
    return json::value(value->rfc3339());
  else
    return json::value(*value);
}

json::value to_json(const ClusterView& cluster) {
  json::array members;
  for (const auto& [member, files_here] : cluster.members) {
    members.push_back(json::object{{"name", member.name},
                                   {"role", member.role},
                                   {"state", member.state},
                                   {"timeline", member.timeline.value},
                                   {"lag_bytes", or_null(member.lag_bytes)},
                                   {"pending_restart", member.pending_restart},
                                   {"files_here", files_here}});
  }
  json::object document{{"driver", cluster.driver},
                        {"leader", nullptr},
                        {"timeline", cluster.timeline.value},
                        {"paused", cluster.paused},
                        {"members", std::move(members)}};
  if (!cluster.leader.empty()) document["leader"] = cluster.leader;
  return document;
}

}  // namespace

json::value to_json(const CellStatus& status) {
  json::array alarms;
  for (const auto& alarm : status.alarms) {
    alarms.push_back(json::object{{"code", to_text(alarm.code)},
                                  {"severity", to_text(alarm.severity)},
                                  {"message", alarm.message}});
  }
  json::object document{
      {"state", to_text(status.state())},
      {"now", status.now.rfc3339()},
      {"earliest", or_null(status.earliest)},
      {"latest", or_null(status.latest)},
      {"rpo_seconds", or_null(status.rpo_seconds)},
      {"worst_rpo_seconds", or_null(status.worst_rpo_seconds)},
      {"lag_bytes", or_null(status.lag_bytes)},
      {"worst_lag_bytes", or_null(status.worst_lag_bytes)},
      {"receiver_connected", status.receiver_connected},
      {"synchronous", status.synchronous},
      {"last_full_at", or_null(status.last_full_at)},
      {"last_backup_at", or_null(status.last_backup_at)},
      {"last_verified_restore_at", or_null(status.last_verified_restore_at)},
      {"last_verified_restore_seconds", or_null(status.last_verified_restore_seconds)},
      {"expected_rto_seconds", or_null(status.expected_rto_seconds)},
      {"log_bytes_since_backup", or_null(status.log_bytes_since_backup)},
      {"database_bytes", status.database_bytes},
      {"space", nullptr},
      {"alarms", std::move(alarms)}};
  if (status.space.has_value()) {
    document["space"] = json::object{{"repository_bytes", status.space->repository_bytes},
                                     {"log_bytes", status.space->log_bytes},
                                     {"free_bytes", status.space->free_bytes},
                                     {"volume_bytes", status.space->volume_bytes}};
  }
  document["cluster"] = nullptr;
  if (status.cluster.has_value()) document["cluster"] = to_json(*status.cluster);
  return document;
}

json::value to_json(const catalog::CellRun& run) {
  json::object document{{"id", run.id.str()},
                        {"kind", catalog::to_text(run.kind)},
                        {"state", catalog::to_text(run.state)},
                        {"requested_by", catalog::to_text(run.requested_by)},
                        {"created_at", run.created_at.rfc3339()},
                        {"started_at", or_null(run.started_at)},
                        {"finished_at", or_null(run.finished_at)},
                        {"progress",
                         {{"step", run.progress.step},
                          {"done", run.progress.done},
                          {"total", run.progress.total},
                          {"unit", run.progress.unit}}},
                        {"error", nullptr},
                        {"detail", nullptr}};
  if (run.failure.has_value())
    document["error"] =
        json::object{{"code", run.failure->code}, {"message", run.failure->message}};
  if (run.detail.has_value()) document["detail"] = run.detail->value();
  return document;
}

}  // namespace oa::continuity
