// From a QueryRequest to SQL: what a visual asks, compiled against a semantic model.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/ids.h"
#include "oa/base/json.h"
#include "oa/base/statement.h"
#include "oa/semantics/model.h"

namespace oa::semantics {

inline constexpr std::size_t kMaxQueryDimensions = 32;
inline constexpr std::size_t kMaxQueryMeasures = 64;
inline constexpr std::size_t kMaxFilters = 64;        // in one list
inline constexpr std::size_t kMaxQueryFilters = 256;  // of report, visual and bookmark together
inline constexpr std::size_t kMaxFilterValues = 1000;
inline constexpr std::size_t kMaxFilterTextBytes = 4096;
inline constexpr std::uint64_t kMaxQueryLimit = 100'000;
inline constexpr std::uint64_t kMaxQueryOffset = 1'000'000'000;

struct DimensionRef {
  std::string id;
  std::optional<Grain> grain;
  bool operator==(const DimensionRef&) const = default;
};

enum class FilterOp {
  kEq,  // null among the values of the first four means rows without a value
  kNe,  // keeps rows without a value, unless the value is null
  kIn,
  kNotIn,  // as kNe
  kGt,
  kGte,
  kLt,
  kLte,
  kBetween,   // both ends belong to it
  kContains,  // text, without regard to case, no wildcards
  kIsNull,    // {"value": false} means rows that have a value; absent is true
  kRelative,
};

/// Whole units of the calendar in UTC; weeks begin on Monday (ISO 8601).
///   {"last": 30, "unit": "day"}  the current unit and the 29 before it
///   {"this": "month"}            the current one
///   {"previous": "quarter"}      the one before the current one
struct RelativeDates {
  enum class Kind { kLast, kThis, kPrevious };
  Kind kind = Kind::kThis;
  std::uint64_t count = 1;  // of kLast, 1 to 3660
  Grain unit = Grain::kDay;
  bool operator==(const RelativeDates&) const = default;
};

struct Filter {
  std::string field;  // a dimension (never a grain of it); a measure's id filters after aggregation
  FilterOp op = FilterOp::kEq;
  std::vector<Value> values;  // one; any number from 1 for in, not_in; two for between; a bool for
                              // is_null; none for relative
  std::optional<RelativeDates> relative;
  bool operator==(const Filter&) const = default;
};

struct OrderBy {
  std::string field;  // an output column's id
  bool descending = false;
  bool operator==(const OrderBy&) const = default;
};

struct QueryRequest {
  std::vector<DimensionRef> dimensions;
  std::vector<std::string> measures;
  std::vector<Filter> filters;  // all must hold
  std::vector<OrderBy> order_by;
  std::uint64_t limit = 1000;  // 1 to kMaxQueryLimit
  std::uint64_t offset = 0;    // from a cursor, not part of the JSON form
  bool operator==(const QueryRequest&) const = default;
};

/// Strict decoding of the JSON form; kQueryInvalid with the member's path.
Result<QueryRequest> decode_query(const json::value& value, const std::string& path);
/// An array of filters, as reports and bookmarks hold them.
Result<std::vector<Filter>> decode_filters(const json::value& value, const std::string& path);
/// The JSON form, without the offset; decode_query() of it is `request`.
json::value encode_query(const QueryRequest& request);

/// For whom a query runs. Row-level security looks at nothing else.
struct Viewer {
  UserId user;
  std::vector<std::string> roles;  // texts, e.g. "viewer", and those of the `roles` attribute
  std::vector<std::string> teams;  // names and ids
  JsonText attributes;
};

struct OutputColumn {
  std::string id;  // the name of the answer's column: the dimension's or measure's id, or id.grain
                   // when the query has that dimension with several grains
  std::string field;  // the dimension's or measure's id
  std::string label;
  bool is_measure = false;
  std::string format;  // of the model, may be empty
  std::optional<Grain> grain;
};

struct CompiledQuery {
  Statement statement;
  std::vector<OutputColumn> columns;  // in the order of the answer's columns
  std::string sql_preview;            // the statement laid out for people, values as $1 …
  bool denied = false;                // row-level security shows the viewer no row of any table
};

struct CompileOptions {
  Timestamp now;  // what relative dates are relative to, UTC
};

/// One SELECT over views called as the model's tables; every text and number of model and request
/// is bound, every name is quoted. It asks for one row more than `limit`, which tells whether more
/// follow. Its order is total: order_by, then the other dimensions, NULL last.
///
/// Each measure aggregates the rows of its own table, joined so that no row counts twice: towards
/// "one" directly; across "many" once for each combination of dimension values, for which the table
/// needs a primary key. A row whose join key matches nothing stays, with NULL dimensions. Measures
/// of several tables meet on equal dimensions (NULL equals NULL); a count that has no rows there is
/// 0, other measures are NULL. Ratios and derived measures are computed last, in DOUBLE; division
/// by zero is NULL. A grain's value is the first day of the unit, a DATE.
///
/// The rules that match the viewer are filters of every measure, their tables joined in when the
/// query does not use them; a row that has no counterpart in such a table is not seen, and nothing
/// is when no join leads there, when no rule matches, or when an attribute that a rule names is
/// missing, null, empty, no scalar or array of scalars, or not of the column's type.
///
/// kQueryInvalid, naming the field, for what the model or the rows do not have.
Result<CompiledQuery> compile_query(const SemanticModel& model, std::span<const TableSchema> tables,
                                    const QueryRequest& request, const Viewer& viewer,
                                    const CompileOptions& options);

/// Continues `request` at `offset`. Opaque; good for 24 hours, for this request (whatever its
/// offset), these rows and this viewer with the roles, teams and attributes of now.
std::string make_cursor(const QueryRequest& request, std::string_view rows_version,
                        const Viewer& viewer, std::uint64_t offset, Timestamp now);
/// The offset; kCursorExpired, or kCursorMismatch for a cursor of anything else.
Result<std::uint64_t> read_cursor(std::string_view cursor, const QueryRequest& request,
                                  std::string_view rows_version, const Viewer& viewer,
                                  Timestamp now);

}  // namespace oa::semantics
