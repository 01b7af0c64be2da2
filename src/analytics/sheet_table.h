// A sheet as a table: which row names the columns, and of which types they are.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "oa/analytics/file_options.h"
#include "oa/analytics/row_source.h"
#include "oa/base/progress.h"
#include "oa/workbooks/sheet.h"

namespace oa::analytics {

/// Opens the same sheet at its first row.
using OpenSheet = std::function<Result<std::unique_ptr<workbooks::SheetReader>>()>;

/// Reads the whole sheet once to decide header and types, as file_import.h says; the source reads
/// it again and borrows what `open` does. `total`: of the sheet's positions, in `unit`, for
/// `progress`. Errors: kImportRejected (no values), kLimitExceeded (columns), kCancelled, those of
/// the reader.
Result<std::unique_ptr<RowSource>> read_sheet_table(OpenSheet open, const FileOptions& options,
                                                    std::uint64_t total, std::string_view unit,
                                                    Progress& progress);

}  // namespace oa::analytics
