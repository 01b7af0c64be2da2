// The demo's generated tables and the semantic models over them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oa::demo {

/// One dataset of the demo: its table as CSV text, its model, and the fields that its reports ask
/// for.
struct Table {
  std::string name;
  std::size_t workspace = 0;  // index: 0 Sales, 1 Operations
  std::string model_yaml;
  std::string csv;
  std::string dimension;           // a text dimension
  std::vector<std::string> board;  // the values of it that the board looks at
  std::string date_dimension;      // empty when there is none
  std::vector<std::string> measures;
};

/// `canary_cell`, when not empty, stands in one cell of each table. Deterministic.
std::vector<Table> demo_tables(std::uint64_t order_rows, std::string_view canary_cell);

}  // namespace oa::demo
