// A shop of the size of a test, in the manner of TPC-H: made the same on every machine, with what
// makes joins hard – keys that are NULL or lead nowhere, parents without children, NULL groups.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/analytics/row_writer.h"

namespace oa::golden_answers {

/// Cells as texts; nullopt is NULL.
struct MadeTable {
  std::string name;
  std::vector<Column> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

std::vector<MadeTable> retail_tables();

/// The rows as an import sees them, each text read as its column's type.
std::unique_ptr<analytics::RowSource> rows_of(const MadeTable& table);

}  // namespace oa::golden_answers
