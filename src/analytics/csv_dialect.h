// How a CSV file in UTF-8 is laid out, where its options leave that to be guessed.
#pragma once

#include "csv_import.h"
#include "oa/analytics/file_options.h"

namespace oa::analytics {

/// The layout of `csv` as `options` say or as its first lines look. The delimiter is the first of
/// tab ; | , that each of the first 20 records has as many of, else the one that the first record
/// has most of. Errors as read_first_record().
Result<CsvLayout> read_csv_layout(const RangedSource& csv, const FileOptions& options);

}  // namespace oa::analytics
