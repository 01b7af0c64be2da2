// What holds for the cells of any workbook.
#pragma once

#include <cmath>
#include <functional>
#include <string>

#include "fuzz_input.h"
#include "oa/workbooks/number_format.h"
#include "oa/workbooks/sheet.h"

namespace oa::fuzz {

inline constexpr workbooks::SheetLimits kSheetLimits{.max_cell_bytes = 4096,
                                                     .max_shared_text_bytes = 1 << 20};

/// All cells as text; the code of the error at which they end.
inline std::string walk_sheet(workbooks::SheetReader& reader) {
  using Kind = workbooks::SheetCell::Kind;
  std::string cells;
  std::uint64_t last_row = 0;
  while (true) {
    const auto row = reader.next();
    if (!accepted(row)) return cells + std::string(error_info(row.error().code).name);
    if (*row == nullptr) return cells;
    OA_ASSERT((*row)->number > last_row && (*row)->number <= workbooks::kMaxSheetRows);
    last_row = (*row)->number;
    std::int64_t last_column = -1;
    for (const auto& cell : (*row)->cells) {
      OA_ASSERT(cell.column > last_column && cell.column < workbooks::kMaxSheetColumns);
      last_column = cell.column;
      OA_ASSERT(cell.kind != Kind::kText || (!cell.text.empty() && is_utf8(cell.text)));
      OA_ASSERT(cell.text.size() <= kSheetLimits.max_cell_bytes + 4);
      if (cell.kind == Kind::kDate) cells += workbooks::date_text(cell.ticks);
      if (cell.kind == Kind::kMoment) cells += workbooks::moment_text(cell.ticks);
      if (cell.kind == Kind::kClock) cells += workbooks::clock_text(cell.ticks);
      if (cell.kind == Kind::kNumber) cells += workbooks::number_text(cell.number);
      cells += cell.text;
      cells += '\n';
    }
  }
}

}  // namespace oa::fuzz
