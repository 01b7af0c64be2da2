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
  VersionId version;               // of the target object
  std::uint64_t parquet_bytes = 0; // plaintext size of the Parquet
};

struct CsvOptions {
  char delimiter = 0;                                        // 0: detect
  std::uint64_t max_bytes = std::uint64_t{64} << 30;
  std::size_t max_columns = 2000;
};

/// Imports `csv` into a new version of `target` (sealed Parquet, zstd). All or nothing: a bad line fails the import
/// with kImportRejected naming line and reason, and no version appears. No byte of it touches a disk unsealed.
/// Values with leading zeros stay text. Errors: kImportRejected, kLimitExceeded, kDiskFull, those of SealedObjects.
Result<ImportResult> import_csv(SealedObjects& objects, const RangedSource& csv, const ObjectKey& target,
                                const CsvOptions& options, Progress& progress);

/// Row count and schema of a stored Parquet version.
Result<RowsInfo> describe_rows(SealedObjects& objects, const ObjectKey& key, const VersionId& version);

}  // namespace oa::analytics
