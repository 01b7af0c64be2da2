#include <algorithm>
#include <limits>

#include "bulk_writer.h"
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {

Status AlertHistory::append(std::span<const AlertEvaluation> evaluations) {
  OA_TRY(check_all(evaluations));
  BulkWriter writer(tx_.connection(), "alert_evaluations",
                    {{"alert_id", SqlType::kUuid},
                     {"evaluated_at", SqlType::kTimestamp},
                     {"outcome", SqlType::kText},
                     {"value", SqlType::kDouble},
                     {"reference", SqlType::kDouble},
                     {"detail", SqlType::kJson}},
                    Write::kInsert);
  for (const auto& evaluation : evaluations) {
    writer.add(evaluation.alert_id).add(evaluation.evaluated_at).add(to_text(evaluation.outcome));
    OA_TRY(writer.add(evaluation.value).add(evaluation.reference).add(evaluation.detail).end_row());
  }
  return writer.finish();
}

Result<std::vector<AlertEvaluation>> AlertHistory::list(AlertId alert, std::size_t limit) {
  const std::size_t most = std::numeric_limits<int>::max();
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query(
          "SELECT alert_id, evaluated_at, outcome, value, reference, detail "
          "FROM alert_evaluations WHERE alert_id = $1 "
          "ORDER BY evaluated_at DESC, id DESC LIMIT $2",
          {Parameter::of(alert), Parameter::of(static_cast<std::int64_t>(std::min(limit, most)))}));
  std::vector<AlertEvaluation> evaluations;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    AlertEvaluation evaluation;
    evaluation.alert_id = row.id<AlertId>();
    evaluation.evaluated_at = row.timestamp();
    OA_ASSIGN(evaluation.outcome, row.enumerator<AlertOutcome>());
    evaluation.value = row.optional_real();
    evaluation.reference = row.optional_real();
    OA_ASSIGN(evaluation.detail, row.json());
    evaluations.push_back(std::move(evaluation));
  }
  return evaluations;
}

}  // namespace oa::catalog
