// The predicates of row-level security.
//
//   predicate  = and { OR and }          and = not { AND not }          not = [NOT] not | "("
//   predicate ")" | test test       = operand ( = | != | <> | < | <= | > | >= ) operand
//              | operand [NOT] IN ( "(" operand { "," operand } ")" | template )
//              | operand IS [NOT] NULL
//   operand    = dimension | table.column | literal | template
//   literal    = 'text' | number | true | false
//   template   = "{{" user.id | user.attributes.NAME "}}"
//
// Names with other characters stand in double quotes; keywords are free of case.
#pragma once

#include <string>
#include <vector>

#include "oa/base/statement.h"
#include "oa/semantics/model.h"
#include "problems.h"

namespace oa::semantics {

inline constexpr std::size_t kMaxPredicateParts = 500;

/// A column that a predicate or filter looks at, as a dimension shows it where it is one.
struct Field {
  ColumnRef column;
  std::optional<DimensionType> type;
};

struct Operand {
  enum class Kind { kField, kLiteral, kAttribute, kUserId };
  Kind kind = Kind::kLiteral;
  Field field;
  Value literal;
  std::string attribute;
  Position at;
};

struct Predicate {
  enum class Kind { kAnd, kOr, kNot, kCompare, kIn, kIsNull };
  Kind kind = Kind::kAnd;
  std::vector<Predicate> parts;   // of kAnd, kOr, kNot
  std::string_view comparison;    // of kCompare: = <> < <= > >=
  bool negated = false;           // NOT IN, IS NOT NULL
  std::vector<Operand> operands;  // of the tests; the left one first
};

/// Parses and resolves names against the model's dimensions and tables, not against columns.
/// kModelInvalid, which is added to `problems` too.
Result<Predicate> parse_predicate(const SemanticModel& model, std::string_view text, Position at,
                                  Problems& problems);

}  // namespace oa::semantics
