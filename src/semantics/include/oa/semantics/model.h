// A dataset's semantic model (`model.yaml`): which tables there are, how they join, what can be
// asked for and who may see which rows. docs/semantic-model.md is the manual of the document.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/column.h"
#include "oa/base/result.h"
#include "oa/base/statement.h"

namespace oa::semantics {

inline constexpr std::size_t kMaxModelBytes = std::size_t{1} << 20;

/// Where something stands in the model's text; both count from 1, columns in characters.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  auto operator<=>(const Position&) const = default;
};

/// `table.column` of the text: the table up to the first dot, the column exactly as its source
/// names it. With a single table, the table may be left out.
struct ColumnRef {
  std::string table;
  std::string column;
  Position at;
};

struct ModelSource {
  std::string type;  // postgres, csv, excel …; empty when the model has no source
  std::string ref;   // the name of a secret, never the secret; may be empty
};

struct ModelTable {
  std::string name;                      // [A-Za-z_][A-Za-z0-9_]*, unique without regard to case
  std::vector<std::string> primary_key;  // columns; empty when there is none
  std::string from;  // of a database: "schema.table" or "table" as it is called there; else empty
  Position at;
};

enum class JoinKind { kManyToOne, kOneToOne, kOneToMany };

/// Rows match when `left` equals `right`. Between two tables there is at most one way.
struct Join {
  ColumnRef left;
  ColumnRef right;
  JoinKind kind = JoinKind::kManyToOne;
  Position at;
};

enum class Grain { kDay, kWeek, kMonth, kQuarter, kYear };
std::string_view to_text(Grain grain);
std::optional<Grain> grain_of(std::string_view text);

enum class DimensionType { kText, kNumber, kBoolean, kDate, kTimestamp };

/// Dimensions and measures share one set of ids, [A-Za-z_][A-Za-z0-9_]*.
struct Dimension {
  std::string id;
  std::string label;  // the id when the model gives none
  ColumnRef column;
  std::optional<DimensionType> type;  // absent: the column's; kDate makes dates of timestamps
  std::vector<Grain> grains;          // those that a query may ask for; only of dates
  Position at;
};

enum class MeasureType { kSum, kCount, kCountDistinct, kAvg, kMin, kMax, kRatio, kDerived };

struct Measure {
  std::string id;     // of one that is nested: `<outer id>.numerator` or `<outer id>.denominator`
  std::string label;  // the id when the model gives none
  std::string format;
  MeasureType type = MeasureType::kCount;
  std::string table;                // whose rows are aggregated; empty for kRatio and kDerived
  std::optional<ColumnRef> column;  // none for kRatio, kDerived and a kCount of rows
  std::string numerator;            // kRatio: ids of measures
  std::string denominator;
  std::string expression;  // kDerived: numbers, ids of measures, + - * / and parentheses
  bool nested = false;     // cannot be asked for by itself
  Position at;
  Position numerator_at;
  Position denominator_at;
  Position expression_at;
};

/// Whoever has one of the roles, is in one of the teams or is one of the users sees only the rows
/// of which the predicate is true.
struct SecurityRule {
  std::string name;
  std::vector<std::string> roles;
  std::vector<std::string> teams;  // names or ids
  std::vector<std::string> users;  // UUIDs in lower case
  std::string predicate;
  Position at;
  Position predicate_at;
};

struct SemanticModel {
  std::string dataset;
  ModelSource source;
  std::vector<ModelTable> tables;  // at least one
  std::vector<Join> joins;
  std::vector<Dimension> dimensions;
  std::vector<Measure> measures;  // nested ones too
  /// Absent: everybody sees everything. Present, even when empty: whom no rule matches sees
  /// nothing.
  std::optional<std::vector<SecurityRule>> security;

  /// nullptr when there is none. The pointers live as long as the model.
  const ModelTable* table(std::string_view name) const;
  const Dimension* dimension(std::string_view id) const;
  const Measure* measure(std::string_view id) const;
};

/// Parses and checks everything that needs no rows. kModelInvalid with "line 7, column 12: …" for
/// the first problem and how many more there are; kLimitExceeded. The caller keeps the text.
Result<SemanticModel> parse_model(std::string_view yaml);

/// Whether the model fits the rows: tables, columns, join keys, types that a measure can take.
/// kModelInvalid with the position in the model.
Status check_against(const SemanticModel& model, std::span<const TableSchema> tables);

/// What the model says of a key, as a question about the rows.
struct KeyCheck {
  std::string key;  // "customers.id", fit to print
  std::string table;
  std::vector<std::string> columns;
  bool counts_absent = false;  // of a primary key, which tells rows apart by absent values too
  Position at;

  /// One number: how many values are there several times. Of the values whose hash modulo `parts`
  /// is `part`, so that memory for all of them is not needed at once.
  Statement duplicates(std::uint64_t parts = 1, std::uint64_t part = 0) const;
};

/// For each primary key and each column that a join calls "one". Where a value of it is there
/// several times, queries may count rows several times, or several rows once.
std::vector<KeyCheck> key_checks(const SemanticModel& model);

}  // namespace oa::semantics
