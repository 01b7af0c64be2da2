// What the types of columns mean to a query, and values that fit them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/statement.h"
#include "oa/semantics/model.h"

namespace oa::semantics {

enum class TypeClass {
  kText,
  kInteger,
  kReal,
  kDecimal,
  kBoolean,
  kDate,
  kTimestamp,
  kZonedTimestamp,
  kOther,
};

/// Of a SQL type name as DuckDB spells it.
TypeClass class_of(std::string_view type);
bool is_number(TypeClass type);
bool is_temporal(TypeClass type);
/// Whether `=` and `<` between the two mean something.
bool comparable(TypeClass left, TypeClass right);
/// What a value of the type looks like, for errors: "a number".
std::string_view described(TypeClass type);

/// The column of a table, nullptr when the rows do not have it.
const Column* find_column(std::span<const TableSchema> tables, std::string_view table,
                          std::string_view column);

/// A name in double quotes.
std::string quote(std::string_view name);

/// What a dimension of `type` makes of a column.
TypeClass class_as(TypeClass column, const std::optional<DimensionType>& type);

/// A SQL expression and what it is.
struct SqlTerm {
  std::string sql;
  TypeClass type = TypeClass::kOther;
};

/// The column as a dimension of `type` shows it. Moments with a zone stay as they are unless they
/// become dates.
SqlTerm as_dimension(std::string sql, TypeClass column, const std::optional<DimensionType>& type);
/// The same without a zone: moments in UTC, whatever time zone the engine runs in.
SqlTerm in_utc(SqlTerm term);

/// The parameters of a statement.
class Parameters {
 public:
  /// "CAST($3 AS type)".
  std::string add(Value value, std::string_view type);
  /// The value cast so that comparing it with something of `type` is exact; nullopt when it is no
  /// value of such a type, or NULL.
  std::optional<std::string> add_as(const Value& value, TypeClass type);
  std::size_t size() const { return values_.size(); }
  std::vector<Value> take() { return std::move(values_); }

 private:
  std::vector<Value> values_;
};

/// Whether add_as() takes it.
bool fits(const Value& value, TypeClass type);

}  // namespace oa::semantics
