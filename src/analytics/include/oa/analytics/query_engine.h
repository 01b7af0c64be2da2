// Questions asked of a dataset's rows.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "oa/base/column.h"
#include "oa/base/io.h"
#include "oa/base/progress.h"
#include "oa/base/statement.h"

namespace oa::analytics {

struct QueryLimits {
  std::chrono::milliseconds timeout{30'000};
  std::uint64_t max_rows = 100'000;
  std::uint64_t max_bytes = std::uint64_t{64} << 20;  // of the answer's cells
};

/// What the cells of an answer's column are: bool, int64, double, and text for the rest. Decimals
/// are text with all their digits; dates are 2024-02-29, timestamps 2024-02-29T12:30:15[.123456],
/// with a Z behind them for TIMESTAMP WITH TIME ZONE.
enum class CellKind { kBoolean, kInteger, kReal, kDecimal, kDate, kTimestamp, kText };
std::string_view to_text(CellKind kind);

struct AnswerColumn {
  std::string name;
  CellKind kind = CellKind::kText;
  std::vector<Value> cells;
};

struct Answer {
  std::vector<AnswerColumn> columns;
  std::uint64_t row_count = 0;
};

/// Name and release of the engine, "duckdb 1.4.4".
std::string engine_release();

/// A locked-down DuckDB over one version of a dataset's rows, which it sees as one view per table
/// and nothing else: no file system, no settings, no extensions. Answers are reproducible: one
/// statement runs on one thread, so that floating-point sums are added in the same order each time;
/// several statements may run at once, one per calling thread. Thread-safe.
class QueryEngine {
 public:
  /// Borrows `rows` (plain Parquet). `tables` as tables_of() gives them.
  static Result<std::unique_ptr<QueryEngine>> open(const RangedSource& rows,
                                                   const std::vector<TableSchema>& tables);
  ~QueryEngine();

  /// Runs one SELECT. Errors: kQueryTimeout, kQueryTooManyRows, kLimitExceeded (memory, bytes,
  /// integers past 64 bits), kCancelled, kQueryInvalid (a value that cannot be cast, division of
  /// what cannot be divided), kPermissionDenied (anything that is no SELECT or leaves the sandbox),
  /// those of `rows`, else kInternal. No error holds a value of a cell.
  Result<Answer> run(const Statement& statement, const QueryLimits& limits, Progress& progress);

 private:
  struct State;
  explicit QueryEngine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::analytics
