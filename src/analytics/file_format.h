// What kind of file it is that somebody brought.
#pragma once

#include "oa/analytics/file_options.h"
#include "oa/base/io.h"

namespace oa::analytics {

/// By the first bytes: kXlsx of any zip, kXls of any OLE2 file, else kCsv. kImportRejected of a
/// file that is none of them for sure (PDF, pictures, other packers, other binary), or that is not
/// of the format `chosen`, unless that is kAuto.
Result<FileFormat> detect_format(const RangedSource& file, FileFormat chosen);

}  // namespace oa::analytics
