// A SQL statement whose values are bound, never pasted into its text.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace oa {

/// A bound value; the first alternative is NULL. Dates, timestamps and decimals travel as text and
/// are cast in the statement.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct Statement {
  std::string sql;                // parameters are $1, $2 …
  std::vector<Value> parameters;  // parameters[0] is $1
};

}  // namespace oa
