// The measures of a query, taken apart into aggregates over single tables and put together again.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "expression.h"
#include "oa/semantics/query.h"
#include "sql_types.h"

namespace oa::semantics {

Error query_error(std::string what);

/// The type of a column that the model names and the rows may have lost; kQueryInvalid says that
/// `of` shows it.
Result<TypeClass> column_type(std::span<const TableSchema> tables, const ColumnRef& ref,
                              std::string_view of);

/// What the aggregates of a table's rows are called in the statement: "of orders". No table can
/// have a name with a blank.
std::string part_name(std::string_view table);

/// Borrows the model and the tables.
class MeasureSet {
 public:
  MeasureSet(const SemanticModel& model, std::span<const TableSchema> tables)
      : model_(model), tables_(tables) {}

  /// Adds what `measure` is made of. kQueryInvalid when a column is gone or holds no numbers.
  Status add(const Measure& measure);

  /// Those whose rows are aggregated, as they came.
  const std::vector<std::string>& tables() const { return roots_; }
  /// The aggregates over the rows of a table.
  std::vector<const Measure*> aggregates_of(std::string_view table) const;
  /// `sum(column) AS "a3"`; `column` is SQL, empty for a count of rows.
  std::string aggregate_sql(const Measure& aggregate, const std::string& column) const;

  /// The measure, computed of the aggregates.
  Result<SqlTerm> term(const Measure& measure, Parameters& parameters) const;

 private:
  std::string name_of(const Measure& aggregate) const;
  bool is_aggregate(const Measure& measure) const;
  Result<SqlTerm> aggregate_term(const Measure& measure) const;
  Status push(const ExpressionStep& step, std::vector<std::string>& stack,
              Parameters& parameters) const;

  const SemanticModel& model_;
  std::span<const TableSchema> tables_;
  std::vector<std::string> roots_;
  std::vector<const Measure*> aggregates_;
};

}  // namespace oa::semantics
