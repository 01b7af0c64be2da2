// A measure's cell as a number to compare with.
#pragma once

#include <optional>

#include "oa/base/statement.h"

namespace oa::reports {

/// Integers, reals and decimals; nothing for NULL, NaN, infinities and what is no number.
std::optional<double> measure_value(const Value& cell);

/// By how much, and by how many percent of the absolute `reference`, the value is above it; nothing
/// when a double cannot say, or for a percentage of 0.
std::optional<double> absolute_change(double value, double reference);
std::optional<double> percent_change(double value, double reference);

}  // namespace oa::reports
