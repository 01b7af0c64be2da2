// Files that people bring (CSV, .xlsx, .xls) into sealed Parquet.
#pragma once

#include "oa/analytics/file_options.h"
#include "oa/analytics/importer.h"

namespace oa::analytics {

/// A line that does not let its file be imported. `reason` completes "Line 7 …" and never quotes
/// the line.
struct RejectedRow {
  std::uint64_t line = 0;  // of a CSV file as an editor counts them, of a sheet its row; first is 1
  std::string reason;
  bool operator==(const RejectedRow&) const = default;
};

struct RejectedRows {
  static constexpr std::size_t kMaxRows = 100;
  std::vector<RejectedRow> rows;  // the first kMaxRows
  /// All of them. Counting ends at the hundredth quote that is never closed.
  std::uint64_t total = 0;
};

/// Imports `file` into a new version of `target`, as import_csv() does: all or nothing, types
/// decided by all values, no byte on a disk unsealed, no cell in an error. FileOptions says how the
/// file is read.
///
/// CSV: RFC 4180; records end in LF, CRLF or CR, also differently in one file; types as
/// import_csv() gives them, and besides DOUBLE of numbers with a decimal comma and DATE of day and
/// month in either order, as FileOptions says. Bad lines (another number of values than the first
/// line, an unclosed quote, text behind a closing quote, bytes that are not of the encoding, a NUL,
/// more than 2000000 bytes) are all found and put into `rejected`; the error is kImportRejected and
/// names the first.
///
/// Workbooks: one sheet. Rows and columns without any value are left out; the cells of a merged
/// range but its first are empty. A formula's value is the one last computed; an error value such
/// as #N/A is NULL. A column is BOOLEAN, BIGINT (all numbers are whole, below 1e15), DOUBLE, DATE
/// or TIMESTAMP (by the cells' number formats, to the millisecond; 1900 and 1904 systems) when all
/// its values are, else VARCHAR: numbers in their shortest text, dates in ISO 8601, times of day
/// and durations as hh:mm:ss. Text is never read as a number. An .xls file is one of Excel 97 or
/// later, and is held in memory.
///
/// Errors: kImportRejected (not such a file, encrypted, malformed, bad lines), kNotFound (sheet),
/// kInvalidArgument (options), kLimitExceeded, kCancelled, kDiskFull, those of `file` and
/// SealedObjects. Thread-safe for different targets; `progress` is called from the calling thread.
Result<ImportResult> import_file(SealedObjects& objects, const RangedSource& file,
                                 const ObjectKey& target, const FileOptions& options,
                                 RejectedRows& rejected, Progress& progress);

/// Names of a workbook's sheets, hidden ones last; none of a CSV file. Errors as import_file().
Result<std::vector<std::string>> sheet_names(const RangedSource& file, const FileOptions& options);

}  // namespace oa::analytics
