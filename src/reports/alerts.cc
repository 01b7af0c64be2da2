#include "oa/reports/alerts.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "measure_value.h"
#include "oa/reports/viewer.h"
#include "periods.h"

namespace oa::reports {
namespace {

using catalog::AlertOutcome;
using Comparison = AlertCondition::Comparison;
using semantics::Filter;
using semantics::FilterOp;
using semantics::Grain;

constexpr auto kPreviewDays = std::chrono::days(30);
constexpr std::array<std::string_view, 6> kComparisons = {"gt", "gte", "lt", "lte", "eq", "ne"};

// A number that a condition holds; conditions are checked, so that it is finite.
double number_of(ObjectReader& reader, const char* name) {
  const json::value& value = reader.member(name);
  if (value.is_number()) return value.to_number<double>();
  reader.fail(name, "is not a number");
  return 0;
}

bool holds(Comparison comparison, double value, double threshold) {
  switch (comparison) {
    case Comparison::kGt:
      return value > threshold;
    case Comparison::kGte:
      return value >= threshold;
    case Comparison::kLt:
      return value < threshold;
    case Comparison::kLte:
      return value <= threshold;
    case Comparison::kEq:
      return value == threshold;
    case Comparison::kNe:
      return value != threshold;
  }
  return false;
}

// Whether the value moved by at least `wanted` in the direction of its sign.
bool moved(double change, double wanted) {
  return wanted >= 0 ? change >= wanted && change != 0 : change <= wanted;
}

AlertPoint judge(const AlertCondition& condition, std::string period, std::optional<double> value,
                 std::optional<double> before) {
  AlertPoint point{std::move(period), value, before, AlertOutcome::kNoData};
  if (condition.kind == AlertCondition::Kind::kThreshold) point.reference = condition.value;
  if (!value.has_value() || !point.reference.has_value()) return point;
  bool fires = false;
  if (condition.kind == AlertCondition::Kind::kThreshold) {
    fires = holds(condition.comparison, *value, condition.value);
  } else if (condition.kind == AlertCondition::Kind::kChangeAbsolute) {
    const auto change = absolute_change(*value, *before);
    if (!change.has_value()) return point;
    fires = moved(*change, condition.value);
  } else {
    const auto percent = percent_change(*value, *before);
    if (!percent.has_value()) return point;  // there is no percentage of nothing
    fires = moved(*percent, condition.value);
  }
  point.outcome = fires ? AlertOutcome::kFiring : AlertOutcome::kOk;
  return point;
}

// The date that counts, if the model has one.
std::optional<std::string> date_of(const semantics::SemanticModel& model,
                                   const AlertCondition& condition, Grain grain) {
  if (condition.dimension.has_value()) return condition.dimension;
  for (const auto& dimension : model.dimensions) {
    if (std::ranges::find(dimension.grains, grain) != dimension.grains.end()) return dimension.id;
  }
  return std::nullopt;
}

Filter dated(const std::string& field, FilterOp op, Day day) {
  Filter filter;
  filter.field = field;
  filter.op = op;
  filter.values = {to_text(day)};
  return filter;
}

struct Period {
  Day start;
  std::optional<double> value;
};

// Reads the periods of an answer of (date, measure).
Result<std::vector<Period>> periods_of(const QueryAnswer& answer) {
  std::vector<Period> periods;
  for (std::uint64_t row = 0; row < answer.row_count; ++row) {
    const auto* text = std::get_if<std::string>(&answer.fields[0].cells[row]);
    const auto day = text == nullptr ? std::nullopt : day_of(*text);
    if (!day.has_value()) {
      return make_error(ErrorCode::kQueryInvalid, "alerts.evaluate",
                        "the alert's dimension is no date");
    }
    periods.push_back({*day, measure_value(answer.fields[1].cells[row])});
  }
  return periods;
}

std::optional<double> value_at(const std::vector<Period>& periods, Day start) {
  for (const Period& period : periods) {
    if (period.start == start) return period.value;
  }
  return std::nullopt;
}

Result<AlertAssessment> assess_total(const DatasetReader& dataset, const catalog::Alert& alert,
                                     const AlertCondition& condition,
                                     const semantics::Viewer& viewer, const AskOptions& options,
                                     Progress& progress) {
  if (condition.kind != AlertCondition::Kind::kThreshold) {
    return make_error(
               ErrorCode::kQueryInvalid, "alerts.evaluate",
               "the dataset's model has no date of the alert's grain, so that nothing changes")
        .with_hint("give the model a date dimension with grains, or use a threshold");
  }
  semantics::QueryRequest request;
  request.measures = {alert.measure};
  OA_ASSIGN(const QueryAnswer answer, dataset.ask(request, viewer, options, progress));
  AlertAssessment assessment;
  if (answer.row_count > 0) {
    assessment.current =
        judge(condition, "", measure_value(answer.fields[0].cells[0]), std::nullopt);
  }
  return assessment;
}

}  // namespace

Result<AlertCondition> decode_condition(const JsonText& text) {
  const json::value value = text.value();
  ObjectReader reader(value, "condition");
  AlertCondition condition;
  const std::string type = reader.text("type");
  if (type == "anomaly" || type == "custom") {
    return make_error(ErrorCode::kUnsupported, "alerts.evaluate",
                      "alerts of this kind are not evaluated here: " + type);
  }
  if (type == "threshold") {
    const auto found = std::ranges::find(kComparisons, reader.text("op"));
    if (found == kComparisons.end()) reader.fail("op", "is not gt, gte, lt, lte, eq or ne");
    condition.comparison = static_cast<Comparison>(found - kComparisons.begin());
    condition.value = number_of(reader, "value");
  } else if (type == "change") {
    const bool percent = reader.find("percent") != nullptr;
    condition.kind =
        percent ? AlertCondition::Kind::kChangePercent : AlertCondition::Kind::kChangeAbsolute;
    condition.value = number_of(reader, percent ? "percent" : "absolute");
  } else {
    reader.fail("type", "is not threshold or change");
  }
  condition.dimension = reader.optional_text("dimension");
  OA_TRY(reader.finish());
  return condition;
}

Result<AlertAssessment> assess_alert(const DatasetReader& dataset, const catalog::Alert& alert,
                                     const semantics::Viewer& viewer, Timestamp now,
                                     Progress& progress) {
  OA_ASSIGN(const AlertCondition condition, decode_condition(alert.condition));
  const auto grain = semantics::grain_of(alert.grain);
  if (!grain.has_value()) {
    return make_error(ErrorCode::kInvalidArgument, "alerts.evaluate",
                      "the alert's grain is not day, week, month, quarter or year");
  }
  const AskOptions options{now, std::nullopt, {}};
  const auto date = date_of(dataset.model(), condition, *grain);
  if (!date.has_value()) return assess_total(dataset, alert, condition, viewer, options, progress);

  const Day today = day_of(now);
  const Day first = period_start(today - kPreviewDays, *grain);
  semantics::QueryRequest request;
  request.dimensions = {{*date, *grain}};
  request.measures = {alert.measure};
  request.filters = {dated(*date, FilterOp::kLt, today + std::chrono::days(1))};
  request.order_by = {{*date, true}};
  request.limit = 2;
  OA_ASSIGN(const QueryAnswer newest_answer, dataset.ask(request, viewer, options, progress));
  OA_ASSIGN(const auto newest, periods_of(newest_answer));
  request.filters.push_back(dated(*date, FilterOp::kGte, previous_period(first, *grain)));
  request.limit = 100;
  OA_ASSIGN(const QueryAnswer recent_answer, dataset.ask(request, viewer, options, progress));
  OA_ASSIGN(const auto recent, periods_of(recent_answer));

  AlertAssessment assessment;
  if (!newest.empty()) {
    const Day start = newest.front().start;
    assessment.current = judge(condition, to_text(start), newest.front().value,
                               value_at(newest, previous_period(start, *grain)));
  }
  for (Day start = first; start <= today; start = next_period(start, *grain)) {
    assessment.preview.push_back(judge(condition, to_text(start), value_at(recent, start),
                                       value_at(recent, previous_period(start, *grain))));
  }
  return assessment;
}

Result<EvaluatedAlert> evaluate_alert(catalog::Database& database, SealedObjects& objects,
                                      TenantId tenant, AlertId id, Timestamp now,
                                      Progress& progress) {
  OA_ASSIGN(auto snapshot, database.begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const catalog::Alert alert, catalog::Alerts(snapshot).get(id));
  if (!alert.enabled) {
    return make_error(ErrorCode::kConflict, "alerts.evaluate", "the alert is switched off");
  }
  EvaluatedAlert evaluated;
  evaluated.evaluation.alert_id = id;
  evaluated.evaluation.evaluated_at = now;
  auto assessed = [&]() -> Result<AlertAssessment> {
    OA_ASSIGN(auto dataset, dataset_in(snapshot, alert.dataset_id, alert.workspace_id));
    OA_ASSIGN(const auto viewer, reader_of(snapshot, alert.created_by, alert.workspace_id));
    OA_ASSIGN(const auto reader, DatasetReader::open(objects, tenant, std::move(dataset)));
    return assess_alert(*reader, alert, viewer, now, progress);
  }();
  if (assessed.ok()) {
    const AlertPoint& current = assessed->current;
    evaluated.evaluation.outcome = current.outcome;
    evaluated.evaluation.value = current.value;
    evaluated.evaluation.reference = current.reference;
    evaluated.evaluation.detail = JsonText::of(json::object{{"period", current.period}});
    evaluated.assessment = std::move(assessed).value();
  } else {
    if (assessed.error().code == ErrorCode::kCancelled) return std::move(assessed).error();
    evaluated.evaluation.outcome = AlertOutcome::kError;
    evaluated.evaluation.detail =
        JsonText::of(json::object{{"code", error_info(assessed.error().code).name}});
    evaluated.error = std::move(assessed).error();
  }
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_TRY(catalog::AlertHistory(transaction).append({&evaluated.evaluation, 1}));
  OA_TRY(transaction.commit());
  return evaluated;
}

}  // namespace oa::reports
