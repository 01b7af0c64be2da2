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

/// The first record as it stands there.
struct FirstRecord {
  char delimiter = ',';
  std::uint64_t begin = 0;  // behind a byte order mark
  std::uint64_t end = 0;    // first byte behind the record's text
  std::vector<std::string> values;
  /// The file's first line break (\n, \r or \r\n), be it inside of the record's quotes or behind it;
  /// empty when there is none. DuckDB takes it for that of all records.
  std::string_view first_break;
  bool misleading_break = false;  // what is behind the record is another one
};

/// Reads the first record (RFC 4180, with or without a UTF-8 byte order mark) and, unless `options`
/// names one, takes as delimiter the one of , ; tab | that it holds most of. This is ours and not
/// DuckDB's guess because that one reads a ragged file as one column and skips lines it does not
/// understand. Errors: kImportRejected, kLimitExceeded (columns), kInvalidArgument (delimiter),
/// those of `csv`.
Result<FirstRecord> read_first_record(const RangedSource& csv, const CsvOptions& options);
/// The header that the first record is.
Result<CsvHeader> read_csv_header(const RangedSource& csv, const CsvOptions& options);

}  // namespace oa::analytics
