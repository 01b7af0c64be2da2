#include "steps.h"

#include <thread>

namespace oa::drill {
namespace {

constexpr auto kPause = std::chrono::seconds(2);

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

json::value moment(const std::optional<Timestamp>& at) {
  return at.has_value() ? json::value(at->rfc3339()) : json::value(nullptr);
}

json::value number(const std::optional<double>& value) {
  return value.has_value() ? json::value(*value) : json::value(nullptr);
}

json::object to_json(const Step& step, bool for_operators) {
  json::object document{{"name", step.name},
                        {"state", to_text(step.state)},
                        {"started_at", step.started_at.rfc3339()},
                        {"seconds", step.seconds},
                        {"attempts", step.attempts},
                        {"figures", step.figures},
                        {"code", step.code.empty() ? json::value(nullptr) : json::value(step.code)}};
  if (for_operators) document["message"] = step.message;
  return document;
}

json::array steps_json(const Drill& drill, bool for_operators) {
  json::array steps;
  for (const Step& step : drill.steps) steps.push_back(to_json(step, for_operators));
  return steps;
}

}  // namespace

std::string_view to_text(StepState state) {
  switch (state) {
    case StepState::kRunning:
      return "validating";
    case StepState::kSuccessful:
      return "successful";
    case StepState::kFailed:
      return "failed";
    case StepState::kTimedOut:
      return "timed_out";
  }
  OA_ASSERT(false);
}

std::string_view to_text(Kind kind) { return kind == Kind::kCell ? "cell" : "tenant"; }

Status check_recovery_time(const Drill& drill, const Limits& limits, json::object& figures) {
  figures["seconds"] = *drill.recovery_seconds;
  figures["promised_seconds"] = limits.recovery_time.count();
  if (*drill.recovery_seconds <= static_cast<double>(limits.recovery_time.count())) return {};
  return make_error(ErrorCode::kTimeout, "drill",
                    "people could work again later than was promised");
}

Error failed(std::string message) {
  return make_error(ErrorCode::kDrillFailed, "drill", std::move(message));
}

std::optional<std::uint64_t> unsigned_of(const json::value& value) {
  if (value.is_uint64()) return value.as_uint64();
  if (value.is_int64() && value.as_int64() >= 0) return static_cast<std::uint64_t>(value.as_int64());
  return std::nullopt;
}

catalog::DrillRow row_of(const Drill& drill) {
  catalog::DrillRow row;
  row.id = drill.id;
  row.source = drill.source;
  row.recovery = drill.recovery;
  row.state = to_text(drill.state);
  row.started_at = drill.started_at;
  row.finished_at = drill.finished_at;
  row.number = drill.number;
  row.keep_until = drill.keep_until;
  row.detail = JsonText::of(json::object{{"kind", to_text(drill.kind)},
                                         {"steps", steps_json(drill, true)},
                                         {"recovery_seconds", number(drill.recovery_seconds)},
                                         {"data_age_seconds", number(drill.data_age_seconds)}});
  return row;
}

json::object to_json(const catalog::DrillRow& row) {
  json::object document{
      {"id", row.id.str()},
      {"tenant_id", row.source.str()},
      {"recovery_tenant_id",
       row.recovery.has_value() ? json::value(row.recovery->str()) : json::value(nullptr)},
      {"state", row.state},
      {"started_at", row.started_at.rfc3339()},
      {"finished_at", moment(row.finished_at)},
      {"record", row.number.has_value() ? json::value(*row.number) : json::value(nullptr)},
      {"keep_until", moment(row.keep_until)}};
  const json::value detail = row.detail.value();
  for (const auto& member : detail.as_object()) document[member.key()] = member.value();
  // Those of before there were others are of tenants.
  document.emplace("kind", to_text(Kind::kTenant));
  if (document.at("kind") == json::value(to_text(Kind::kCell))) document["tenant_id"] = nullptr;
  return document;
}

json::object to_json(const Drill& drill) { return to_json(row_of(drill)); }

json::object record_of(const Drill& drill, const std::string& seed) {
  return {{"format", "oa-drill-record:v1"},
          {"kind", to_text(drill.kind)},
          {"id", drill.id.str()},
          {"outcome", to_text(drill.state)},
          {"started_at", drill.started_at.rfc3339()},
          {"finished_at", moment(drill.finished_at)},
          {"recovery_seconds", number(drill.recovery_seconds)},
          {"data_age_seconds", number(drill.data_age_seconds)},
          {"seed", seed},
          {"steps", steps_json(drill, false)}};
}

Status Steps::keep() { return catalog::Drills(database_).update(row_of(drill_)); }

Status Steps::run(const std::string& name, unsigned attempts, const Work& work) {
  Step& begins = drill_.steps.emplace_back();
  begins.name = name;
  begins.started_at = Timestamp::now();
  OA_TRY(keep());
  const auto begun = Clock::now();
  deadline_.begin(name, 0, "");
  Status done;
  for (unsigned attempt = 1;; ++attempt) {
    json::object figures;
    done = work(figures);
    drill_.steps.back().attempts = attempt;
    drill_.steps.back().figures = std::move(figures);
    if (done.ok() || attempt == attempts || deadline_.cancelled() ||
        !error_info(done.error().code).retryable)
      break;
    std::this_thread::sleep_for(kPause);
  }
  Step& step = drill_.steps.back();
  step.seconds = seconds_since(begun);
  step.state = StepState::kSuccessful;
  if (!done.ok()) {
    const bool late = deadline_.over() || done.error().code == ErrorCode::kTimeout;
    step.state = late ? StepState::kTimedOut : StepState::kFailed;
    step.code = error_info(late ? ErrorCode::kTimeout : done.error().code).name;
    step.message = done.error().message;
    drill_.state = step.state;
  }
  OA_TRY(keep());
  return done;
}

}  // namespace oa::drill
