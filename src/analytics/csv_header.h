// The first record of a CSV file, which names the columns.
#pragma once

#include "oa/analytics/importer.h"

namespace oa::analytics {

struct CsvHeader {
  char delimiter = ',';
  std::uint64_t end = 0;  // offset of the first byte behind the record's text
  std::vector<std::string>
      names;  // unique without regard to case; an empty one is named column<position>
};

/// Reads the header record (RFC 4180, with or without a UTF-8 byte order mark) and, unless
/// `options` names one, takes as delimiter the one of , ; tab | that it holds most of. This is ours
/// and not DuckDB's guess because that one reads a ragged file as one column and skips lines it
/// does not understand. Errors: kImportRejected, kLimitExceeded (columns), kInvalidArgument
/// (delimiter), those of `csv`.
Result<CsvHeader> read_csv_header(const RangedSource& csv, const CsvOptions& options);

}  // namespace oa::analytics
