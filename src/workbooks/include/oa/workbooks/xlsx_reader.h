// Workbooks of the format .xlsx.
#pragma once

#include <memory>
#include <vector>

#include "oa/workbooks/sheet.h"
#include "oa/workbooks/xlsx_parts.h"

namespace oa::workbooks {

/// Reads an .xlsx file (Office Open XML, transitional and strict) part by part, never whole; only
/// the shared texts and styles are held in memory. Formulas have the value last computed, rich text
/// is its text, phonetic runs are left out. Not thread-safe.
class XlsxWorkbook {
 public:
  /// Borrows `file`. Errors: kImportRejected (no workbook, damaged, encrypted), kLimitExceeded,
  /// those of `file`.
  static Result<std::unique_ptr<XlsxWorkbook>> open(const RangedSource& file,
                                                    const ZipLimits& zip_limits,
                                                    const SheetLimits& limits);
  /// Those that have cells, in the workbook's order.
  const std::vector<SheetName>& sheets() const { return sheets_; }
  /// A reader of one of sheets(), which borrows the workbook. Its positions are bytes of the packed
  /// part, up to packed_bytes().
  Result<std::unique_ptr<SheetReader>> read(std::size_t sheet);
  std::uint64_t packed_bytes(std::size_t sheet) const { return parts_[sheet].packed_bytes; }

 private:
  XlsxWorkbook(ZipArchive zip, const SheetLimits& limits) : zip_(std::move(zip)), limits_(limits) {}
  Status load();

  const ZipArchive zip_;
  const SheetLimits limits_;
  std::vector<SheetName> sheets_;
  std::vector<ZipEntry> parts_;  // of the sheets
  std::vector<NumberMeaning> styles_;
  SharedTexts texts_;
  bool system_1904_ = false;
};

}  // namespace oa::workbooks
