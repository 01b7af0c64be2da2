// Workbooks of the format .xls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oa/workbooks/sheet.h"
#include "oa/workbooks/xlsx_parts.h"

namespace oa::workbooks {

/// An .xls file of Excel 97 and later (BIFF8, [MS-XLS]), held in memory: its workbook stream, its
/// texts and 16 bytes for each cell of the sheet being read. Formulas have the value last
/// computed. This is ours and not libfreexl because that one drops the values of formulas, takes
/// booleans for numbers and does not tell hidden sheets. Not thread-safe.
class XlsWorkbook {
 public:
  /// Errors: kImportRejected (no workbook, of before Excel 97, damaged, encrypted), kLimitExceeded,
  /// those of `file`.
  static Result<std::unique_ptr<XlsWorkbook>> open(const RangedSource& file,
                                                   const SheetLimits& limits);
  /// Those that have cells, in the workbook's order.
  const std::vector<SheetName>& sheets() const { return sheets_; }
  /// Makes one of sheets() the one to be read, and says how many cells it has. Ends all readers.
  Result<std::uint64_t> load(std::size_t sheet);
  /// A reader of the sheet loaded, which borrows the workbook. Its positions are cells.
  std::unique_ptr<SheetReader> read() const;

  /// A cell as it stands in a record.
  struct RawCell {
    std::uint16_t row = 0;
    std::uint16_t column = 0;
    std::uint16_t style = 0;
    SheetCell::Kind kind = SheetCell::Kind::kNumber;
    union {
      double number = 0;
      std::uint64_t text;  // index of the text
    };
  };

 private:
  explicit XlsWorkbook(const SheetLimits& limits) : limits_(limits) {}
  Status load_globals();

  const SheetLimits limits_;
  Bytes stream_;
  std::vector<SheetName> sheets_;
  std::vector<std::uint32_t> offsets_;  // of the sheets in the stream
  std::vector<NumberMeaning> styles_;
  SharedTexts texts_;  // and those of cells that have their own
  bool system_1904_ = false;
  std::vector<RawCell> cells_;  // of the sheet loaded
};

}  // namespace oa::workbooks
