#include <fmt/format.h>

#include <boost/json.hpp>

#include "oa/durability/replication.h"

namespace oa::durability {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr double kLateSeconds = 60, kTooLateSeconds = 300;
constexpr std::int64_t kSilenceSeconds = 600;

json::value moment(const std::optional<Timestamp>& at) {
  return at.has_value() ? json::value(at->rfc3339()) : json::value(nullptr);
}
json::value text(const std::optional<std::string>& value) {
  return value.has_value() ? json::value(*value) : json::value(nullptr);
}

json::object named(const ObjectKey& key, const VersionId& version) {
  return {{"tenant", key.tenant.str()},
          {"class", to_text(key.retention_class)},
          {"name", key.name},
          {"version", version.value}};
}

void read_named(ObjectReader& reader, ObjectKey& key, VersionId& version) {
  key.tenant = reader.id<TenantId>("tenant");
  const std::string retention_class = reader.text("class");
  bool known = false;
  for (const auto one :
       {RetentionClass::kRows, RetentionClass::kOriginals, RetentionClass::kArchives,
        RetentionClass::kWal, RetentionClass::kLedger}) {
    if (to_text(one) != retention_class) continue;
    key.retention_class = one;
    known = true;
  }
  if (!known) reader.fail("class", "is no class of objects");
  key.name = reader.text("name");
  version.value = reader.text("version");
}

json::object to_json(const ReplicaFault& fault) {
  json::object object = named(fault.key, fault.version);
  object["code"] = fault.code;
  object["message"] = fault.message;
  object["found_at"] = fault.found_at.rfc3339();
  object["looked_at"] = fault.looked_at.rfc3339();
  return object;
}

json::array to_json(const std::vector<ReplicaFault>& faults) {
  json::array array;
  for (const auto& fault : faults) array.push_back(to_json(fault));
  return array;
}

Result<ReplicaFault> read_fault(const json::value& value) {
  ObjectReader reader(value, "fault");
  ReplicaFault fault;
  read_named(reader, fault.key, fault.version);
  fault.code = reader.text("code");
  fault.message = reader.text("message");
  fault.found_at = reader.timestamp("found_at");
  fault.looked_at = reader.timestamp("looked_at");
  OA_TRY(reader.finish());
  return fault;
}

Result<ReplicationState::Canary> read_canary(const json::value& value) {
  ObjectReader reader(value, "canary");
  ReplicationState::Canary canary;
  read_named(reader, canary.key, canary.version);
  canary.written_at = reader.timestamp("written_at");
  OA_TRY(reader.finish());
  return canary;
}

}  // namespace

JsonText ReplicationState::document() const {
  json::object document{
      {"looked_at", moment(looked_at)},
      {"canary_at", moment(canary_at)},
      {"lag_us", lag_us.has_value() ? json::value(*lag_us) : json::value(nullptr)},
      {"primary_error", text(primary_error)},
      {"replica_error", text(replica_error)},
      {"compared", compared},
      {"faults", to_json(faults)}};
  if (pending.has_value()) {
    json::object canary = named(pending->key, pending->version);
    canary["written_at"] = pending->written_at.rfc3339();
    document["pending"] = std::move(canary);
  }
  return JsonText::of(document);
}

Result<ReplicationState> ReplicationState::parse(const JsonText& document) {
  OA_ASSIGN(const auto value, parse_json(document.str(), {1 << 20, 8}));
  ReplicationState state;
  if (value.is_object() && value.get_object().empty()) return state;
  ObjectReader reader(value, "replication");
  state.looked_at = reader.optional_timestamp("looked_at");
  state.canary_at = reader.optional_timestamp("canary_at");
  if (const auto* lag = reader.find("lag_us"); lag != nullptr && !lag->is_null())
    state.lag_us = reader.integer("lag_us");
  state.primary_error = reader.optional_text("primary_error");
  state.replica_error = reader.optional_text("replica_error");
  state.compared = reader.unsigned_integer("compared");
  const json::array faults = reader.array("faults");
  const auto* pending = reader.find("pending");
  OA_TRY(reader.finish());
  for (const auto& one : faults) {
    OA_ASSIGN(auto fault, read_fault(one));
    state.faults.push_back(std::move(fault));
  }
  if (pending != nullptr) {
    OA_ASSIGN(state.pending, read_canary(*pending));
  }
  return state;
}

std::string_view to_text(ReplicaAlarmCode code) {
  switch (code) {
    case ReplicaAlarmCode::kReplicaFault:
      return "replica-fault";
    case ReplicaAlarmCode::kReplicaLag:
      return "replica-lag";
    case ReplicaAlarmCode::kReplicaUnreachable:
      return "replica-unreachable";
    case ReplicaAlarmCode::kPrimaryUnreachable:
      return "primary-unreachable";
    case ReplicaAlarmCode::kNotLooked:
      return "replica-not-looked-at";
  }
  OA_ASSERT(false);
}

std::optional<double> replica_lag_seconds(const ReplicationState& state, Timestamp now) {
  std::optional<std::int64_t> lag = state.lag_us;
  if (state.pending.has_value())
    lag = std::max(lag.value_or(0), now.unix_us - state.pending->written_at.unix_us);
  if (!lag.has_value()) return std::nullopt;
  return static_cast<double>(*lag) / kSecond;
}

std::vector<ReplicaAlarm> replica_alarms(const ReplicationState& state, Timestamp now) {
  std::vector<ReplicaAlarm> alarms;
  if (!state.faults.empty())
    alarms.push_back({ReplicaAlarmCode::kReplicaFault, true,
                      fmt::format("the replica lacks or falsifies {} versions that the primary has",
                                  state.faults.size())});
  const auto lag = replica_lag_seconds(state, now);
  if (lag.has_value() && *lag > kLateSeconds)
    alarms.push_back({ReplicaAlarmCode::kReplicaLag, *lag > kTooLateSeconds,
                      fmt::format("what is written takes {:.0f} s to the replica", *lag)});
  if (state.primary_error.has_value())
    alarms.push_back({ReplicaAlarmCode::kPrimaryUnreachable, true,
                      "the primary did not take or give an object: " + *state.primary_error});
  if (state.replica_error.has_value())
    alarms.push_back({ReplicaAlarmCode::kReplicaUnreachable, true,
                      "the replica did not give an object: " + *state.replica_error});
  if (!state.looked_at.has_value() ||
      now.unix_us - state.looked_at->unix_us > kSilenceSeconds * kSecond)
    alarms.push_back({ReplicaAlarmCode::kNotLooked, state.looked_at.has_value(),
                      "nobody has looked at the replica for ten minutes: is the service running?"});
  return alarms;
}

json::object to_json(const ReplicationState& state, Timestamp now) {
  const auto lag = replica_lag_seconds(state, now);
  bool critical = false;
  json::array alarms;
  for (const auto& alarm : replica_alarms(state, now)) {
    critical = critical || alarm.critical;
    alarms.push_back(json::object{{"code", to_text(alarm.code)},
                                  {"severity", alarm.critical ? "critical" : "warning"},
                                  {"message", alarm.message}});
  }
  return {{"state", critical         ? "at-risk"
                    : alarms.empty() ? "ok"
                                     : "warning"},
          {"lag_seconds", lag.has_value() ? json::value(*lag) : json::value(nullptr)},
          {"looked_at", moment(state.looked_at)},
          {"canary_at", moment(state.canary_at)},
          {"compared", state.compared},
          {"faults", to_json(state.faults)},
          {"alarms", std::move(alarms)}};
}

}  // namespace oa::durability
