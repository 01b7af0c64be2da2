// Uploaded files as they are kept: sealed, class originals, for one year.
#pragma once

#include "oa/analytics/file_import.h"
#include "oa/catalog/records.h"
#include "staged.h"

namespace oa::datasets {

ObjectKey original_key(TenantId tenant, DatasetId dataset);

/// Seals `file` as a new version of `staged` and says what a record of it is. kLimitExceeded before
/// anything is written when the file is larger than any format may be; kCancelled.
Result<catalog::KeptOriginal> keep_original(SealedObjects& objects, StagedVersion& staged,
                                            const RangedSource& file,
                                            const analytics::FileOptions& options,
                                            Progress& progress);

/// The rows of a kept original, imported with its options as a new version of `target`.
Result<analytics::ImportResult> import_original(SealedObjects& objects, TenantId tenant,
                                                const catalog::KeptOriginal& original,
                                                const ObjectKey& target,
                                                analytics::RejectedRows& rejected,
                                                Progress& progress);

}  // namespace oa::datasets
