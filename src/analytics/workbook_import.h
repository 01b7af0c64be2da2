// Workbooks, of either format, into sealed Parquet.
#pragma once

#include "oa/analytics/file_import.h"

namespace oa::analytics {

/// import_file() of a file that begins like `format`, which is kXlsx or kXls.
Result<ImportResult> import_workbook(SealedObjects& objects, const RangedSource& file,
                                     FileFormat format, const ObjectKey& target,
                                     const FileOptions& options, Progress& progress);

Result<std::vector<std::string>> workbook_sheet_names(const RangedSource& file, FileFormat format,
                                                      const FileOptions& options);

}  // namespace oa::analytics
