// A sheet of a workbook, whatever its format: rows of typed cells.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/result.h"

namespace oa::workbooks {

inline constexpr std::uint64_t kMaxSheetRows = 1'048'576;
inline constexpr std::uint32_t kMaxSheetColumns = 16'384;

struct SheetCell {
  enum class Kind : std::uint8_t {
    kNumber,   // number
    kBoolean,  // number: 0 or 1
    kText,     // text, not empty
    kError,    // a formula without a value
    kDate,     // ticks: days since 1970-01-01
    kMoment,   // ticks: microseconds since 1970-01-01T00:00
    kClock,    // ticks: milliseconds, a time of day or a duration
  };
  std::uint32_t column = 0;  // the first is 0
  Kind kind = Kind::kNumber;
  double number = 0;
  std::int64_t ticks = 0;
  std::string_view text = {};
};

/// One row's cells that hold something, ascending. Texts are those of the workbook or in `own`.
struct SheetRow {
  std::uint64_t number = 0;  // the first is 1
  std::vector<SheetCell> cells;
  std::list<std::string> own;
};

/// One sheet's rows, front to back. Not thread-safe.
class SheetReader {
 public:
  virtual ~SheetReader() = default;
  /// The next row that has cells; nullptr behind the last. Valid until the next call.
  virtual Result<const SheetRow*> next() = 0;
  /// How far the reader is in its unit (bytes, rows); never decreases.
  virtual std::uint64_t position() const = 0;
};

/// Bounds of a sheet.
struct SheetLimits {
  std::size_t max_cell_bytes = std::size_t{1} << 20;
  std::uint64_t max_shared_text_bytes = std::uint64_t{256} << 20;
};

struct SheetName {
  std::string name;
  bool hidden = false;
};

}  // namespace oa::workbooks
