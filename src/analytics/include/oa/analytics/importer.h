// Rows in and out of sealed Parquet, through a locked-down DuckDB whose only file system is ours.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oa/base/column.h"
#include "oa/base/progress.h"
#include "oa/objects/sealed_objects.h"

namespace oa::analytics {

struct RowsInfo {
  std::uint64_t row_count = 0;
  std::vector<Column> columns;
};

struct ImportResult {
  RowsInfo rows;
  VersionId version;                // of the target object
  std::uint64_t parquet_bytes = 0;  // plaintext size of the Parquet
};

struct CsvOptions {
  char delimiter = 0;  // 0: the one of , ; tab | that the header has most of
  std::uint64_t max_bytes = std::uint64_t{64} << 30;
  std::size_t max_columns = 2000;
};

/// Imports `csv` into a new version of `target` (sealed Parquet, zstd, rows in the file's order).
/// All or nothing: a bad line fails the import with kImportRejected naming line and reason, never
/// the line's content, and no version appears. No byte of it touches a disk unsealed.
///
/// The file is RFC 4180 in UTF-8; its first line names the columns. A column is BIGINT, DOUBLE,
/// BOOLEAN, DATE, TIMESTAMP or TIMESTAMP WITH TIME ZONE when every value of it comes back from that
/// type unchanged in meaning, else VARCHAR: leading zeros, codes too long for a number and dates
/// that are not ISO 8601 stay text. An empty cell is NULL. Types are decided by all values, not a
/// sample. Errors: kImportRejected, kLimitExceeded, kCancelled, kDiskFull, those of `csv` and
/// SealedObjects. Thread-safe for different targets; `progress` is called from the calling thread.
Result<ImportResult> import_csv(SealedObjects& objects, const RangedSource& csv,
                                const ObjectKey& target, const CsvOptions& options,
                                Progress& progress);

/// Row count and schema of a stored Parquet version; kInvalidArgument when it is none.
Result<RowsInfo> describe_rows(SealedObjects& objects, const ObjectKey& key,
                               const VersionId& version);

}  // namespace oa::analytics
