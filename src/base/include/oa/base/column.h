#pragma once

#include <compare>
#include <string>
#include <vector>

namespace oa {

/// A column of a dataset's rows. `type` is a SQL type name as DuckDB spells it: VARCHAR, BIGINT,
/// DOUBLE, DATE, TIMESTAMP, BOOLEAN, DECIMAL(p,s) …
struct Column {
  std::string name;
  std::string type;
  auto operator<=>(const Column&) const = default;
};

/// A table of a dataset's rows, as a semantic model names it.
struct TableSchema {
  std::string name;
  std::vector<Column> columns;
  bool operator==(const TableSchema&) const = default;
};

}  // namespace oa
