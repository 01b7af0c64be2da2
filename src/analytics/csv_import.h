// The import of CSV in UTF-8, once it is known how the file is laid out.
#pragma once

#include "csv_header.h"
#include "csv_scanner.h"
#include "oa/analytics/importer.h"

namespace oa::analytics {

struct CsvLayout {
  CsvHeader header;  // `end` is where the scanner begins, with or without a header
  ScanRules rules;
  std::string_view first_break = {};  // of the first record, as these two
  bool misleading_break = false;
};

/// import_csv() of a file of this layout; its size is not checked.
Result<ImportResult> import_csv_as(SealedObjects& objects, const RangedSource& csv,
                                   const ObjectKey& target, const CsvLayout& layout,
                                   Progress& progress);

/// kLimitExceeded when the file is larger.
Status check_csv_size(const RangedSource& csv, std::uint64_t max_bytes);

}  // namespace oa::analytics
