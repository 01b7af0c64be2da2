// Derived measures: numbers, ids of measures, + - * /, a leading minus and parentheses.
#pragma once

#include <string>
#include <vector>

#include "oa/semantics/model.h"
#include "problems.h"

namespace oa::semantics {

inline constexpr std::size_t kMaxExpressionSteps = 500;

/// One step of an expression in postfix order.
struct ExpressionStep {
  enum class Kind { kNumber, kMeasure, kAdd, kSubtract, kMultiply, kDivide, kNegate };
  Kind kind = Kind::kNumber;
  double number = 0;
  std::string measure;
  Position at;
};

/// kModelInvalid, which is added to `problems` too. The ids are not looked up.
Result<std::vector<ExpressionStep>> parse_expression(std::string_view text, Position at,
                                                     Problems& problems);

}  // namespace oa::semantics
