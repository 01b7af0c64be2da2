// A comparison for people and for scripts.
#pragma once

#include <string>
#include <vector>

#include "oa/diff/compare.h"

namespace oa::diff {

/// What a command that was asked to (`--exit-code`) returns when the sides differ. No error has it.
inline constexpr int kDifferentExitStatus = 20;

/// `path`, `change`, and `before` and `after` where a side has the field.
json::object to_json(const FieldChange& field);
std::string to_line(const FieldChange& field);

/// The stable JSON form (docs/format.md, "Comparisons"): `changes`, `compared`, `counts`.
json::object to_json(const Comparison& comparison);

/// One line per asset, below it one per field, then the sum and what was not compared. Names and
/// values are as the documents have them: make control characters visible before showing them.
std::vector<std::string> to_lines(const Comparison& comparison);

}  // namespace oa::diff
