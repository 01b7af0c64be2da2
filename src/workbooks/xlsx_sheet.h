// The cells of one sheet part of an .xlsx workbook.
#pragma once

#include <memory>
#include <vector>

#include "oa/workbooks/sheet.h"
#include "oa/workbooks/xlsx_parts.h"

namespace oa::workbooks {

/// What a sheet's cells refer to; borrowed by its reader.
struct SheetContext {
  const std::vector<NumberMeaning>& styles;
  const SharedTexts& texts;
  bool system_1904 = false;
  SheetLimits limits;
};

std::unique_ptr<SheetReader> read_xlsx_sheet(std::unique_ptr<ZipStream> part,
                                             const SheetContext& context);

}  // namespace oa::workbooks
