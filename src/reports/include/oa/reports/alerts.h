// Alerts, evaluated on demand: does a measure meet a condition now, and when did it of late?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/catalog/repositories.h"
#include "oa/reports/dataset_reader.h"

namespace oa::reports {

/// {"type":"threshold","op":"lt","value":1000}: gt, gte, lt, lte, eq or ne.
/// {"type":"change","percent":-12.5} or {"type":"change","absolute":500}: against the period
/// before; a positive number is a rise of at least that much, a negative one a fall. Either may say
/// which date counts: "dimension":"order_date"; else it is the model's first date that has the
/// alert's grain.
struct AlertCondition {
  enum class Kind { kThreshold, kChangePercent, kChangeAbsolute };
  enum class Comparison { kGt, kGte, kLt, kLte, kEq, kNe };
  Kind kind = Kind::kThreshold;
  Comparison comparison = Comparison::kGt;  // of a threshold
  double value = 0;                         // threshold, percent or amount
  std::optional<std::string> dimension;
};

/// kInvalidArgument with the member's path; kUnsupported for kinds that are evaluated elsewhere
/// (anomaly, custom).
Result<AlertCondition> decode_condition(const JsonText& condition);

/// One period of the alert's grain.
struct AlertPoint {
  std::string period;  // its first day; empty for a measure without a date
  std::optional<double> value;
  std::optional<double> reference;  // the threshold, or the measure in the period before
  catalog::AlertOutcome outcome = catalog::AlertOutcome::kNoData;
};

struct AlertAssessment {
  AlertPoint current;               // the newest period up to today that has rows
  std::vector<AlertPoint> preview;  // the periods of the last 30 days, oldest first
};

/// What the alert says at `now`, as `viewer` sees the rows. Errors: those of decode_condition() and
/// DatasetReader; kQueryInvalid for a change of a measure that has no date.
Result<AlertAssessment> assess_alert(const DatasetReader& dataset, const catalog::Alert& alert,
                                     const semantics::Viewer& viewer, Timestamp now,
                                     Progress& progress);

struct EvaluatedAlert {
  catalog::AlertEvaluation evaluation;  // as it stands in the history
  std::optional<AlertAssessment> assessment;
  std::optional<Error> error;  // why there is none
};

/// Evaluates as the person who made the alert, who must still be allowed to read the workspace, and
/// keeps the outcome in its history; what cannot be evaluated is kept as `error`. Errors: kNotFound, kCancelled, kConflict (switched off), those of
/// the database.
Result<EvaluatedAlert> evaluate_alert(catalog::Database& database, SealedObjects& objects,
                                      TenantId tenant, AlertId alert, Timestamp now,
                                      Progress& progress);

}  // namespace oa::reports
