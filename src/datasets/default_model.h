#pragma once

#include <span>
#include <string>

#include "oa/base/column.h"

namespace oa::datasets {

/// A name for the one table of a dataset called `dataset_name`: [A-Za-z_][A-Za-z0-9_]*, short.
std::string table_name_of(std::string_view dataset_name);

/// A semantic model to begin with: a dimension for each column of text, dates and booleans, a count
/// of the rows and a sum of each column of numbers.
std::string default_model(std::string_view dataset_name, std::span<const Column> columns);

}  // namespace oa::datasets
