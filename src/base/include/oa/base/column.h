#pragma once

#include <compare>
#include <string>

namespace oa {

/// A column of a dataset's rows. `type` is a SQL type name as DuckDB spells it: VARCHAR, BIGINT,
/// DOUBLE, DATE, TIMESTAMP, BOOLEAN, DECIMAL(p,s) …
struct Column {
  std::string name;
  std::string type;
  auto operator<=>(const Column&) const = default;
};

}  // namespace oa
