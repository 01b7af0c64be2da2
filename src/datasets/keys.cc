#include "keys.h"

#include <algorithm>

#include "oa/analytics/query_engine.h"
#include "oa/analytics/row_writer.h"

namespace oa::datasets {
namespace {

constexpr char kOp[] = "dataset.check_keys";
// Values that are looked at together: at 80 bytes each they fit into the engine's memory.
constexpr std::uint64_t kValuesAtOnce = 8'000'000;
constexpr std::uint64_t kMaxParts = 4096;
constexpr std::chrono::hours kTimeout{1};  // of one statement; people can cancel

bool has_columns(const std::vector<TableSchema>& tables, const semantics::KeyCheck& check) {
  const auto table = std::ranges::find(tables, check.table, &TableSchema::name);
  return table != tables.end() && std::ranges::all_of(check.columns, [&](const auto& name) {
           return std::ranges::find(table->columns, name, &Column::name) != table->columns.end();
         });
}

Result<std::uint64_t> count_in(analytics::QueryEngine& engine, const semantics::KeyCheck& check,
                               std::uint64_t parts, Progress& progress) {
  analytics::QueryLimits limits;
  limits.timeout = kTimeout;
  std::uint64_t duplicates = 0;
  for (std::uint64_t part = 0; part < parts; ++part) {
    OA_ASSIGN(const auto answer, engine.run(check.duplicates(parts, part), limits, progress));
    const auto* count = std::get_if<std::int64_t>(&answer.columns.at(0).cells.at(0));
    if (count == nullptr) return make_error(ErrorCode::kInternal, kOp, "a count is no number");
    duplicates += static_cast<std::uint64_t>(*count);
  }
  return duplicates;
}

// In more parts while their values need too much memory.
Result<std::uint64_t> count_duplicates(analytics::QueryEngine& engine,
                                       const semantics::KeyCheck& check, std::uint64_t row_count,
                                       Progress& progress) {
  for (std::uint64_t parts = 1 + row_count / kValuesAtOnce;; parts *= 4) {
    auto counted = count_in(engine, check, parts, progress);
    const bool too_much = !counted.ok() && counted.error().code == ErrorCode::kLimitExceeded;
    if (!too_much || parts > kMaxParts) return counted;
  }
}

Error not_unique(const semantics::KeyCheck& check, std::uint64_t duplicates) {
  return make_error(ErrorCode::kModelInvalid, kOp,
                    "line " + std::to_string(check.at.line) + ", column " +
                        std::to_string(check.at.column) + ": the key " + check.key +
                        " is not unique: the rows have " + std::to_string(duplicates) +
                        (duplicates == 1 ? " value" : " values") + " of it several times")
      .with_hint("mend the rows, or take the key (or the join's \"one\") out of the model");
}

}  // namespace

Status check_keys(SealedObjects& objects, const StoredRows& rows,
                  const semantics::SemanticModel& model,
                  const std::vector<semantics::KeyCheck>& checks, Progress& progress) {
  const auto tables = analytics::tables_of(rows.columns, model.tables.front().name);
  std::vector<semantics::KeyCheck> asked;
  std::ranges::copy_if(checks, std::back_inserter(asked),
                       [&](const auto& check) { return has_columns(tables, check); });
  if (asked.empty()) return {};
  progress.begin("checking keys", asked.size(), "keys");
  OA_ASSIGN(const auto source, objects.open(rows.key, rows.version));
  OA_ASSIGN(const auto engine, analytics::QueryEngine::open(*source, tables));
  std::uint64_t done = 0;
  for (const auto& check : asked) {
    if (progress.cancelled())
      return make_error(ErrorCode::kCancelled, kOp, "cancelled; nothing was changed");
    OA_ASSIGN(const std::uint64_t duplicates,
              count_duplicates(*engine, check, rows.row_count, progress));
    if (duplicates > 0) return not_unique(check, duplicates);
    progress.update(++done);
  }
  return {};
}

Status check_keys(SealedObjects& objects, const StoredRows& rows,
                  const semantics::SemanticModel& model, Progress& progress) {
  return check_keys(objects, rows, model, semantics::key_checks(model), progress);
}

}  // namespace oa::datasets
