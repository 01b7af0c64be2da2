// Rows on their way into a dataset, whatever they come from: typed, in batches, in order.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "oa/base/column.h"
#include "oa/base/result.h"

namespace oa::analytics {

/// The digits of a DECIMAL of up to 38 digits; GCC and Clang have it on every 64-bit machine.
__extension__ typedef __int128 Int128;

/// Up to kMaxRows rows, column by column. A producer calls one setter per column of a row, in the
/// order of the columns, then end_row(); which setter must fit the column's type, one of BOOLEAN,
/// BIGINT, DOUBLE, DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE, VARCHAR and DECIMAL(p,s) with 1–38
/// digits. Text is checked to be UTF-8 by write_rows(). Not thread-safe.
class RowBatch {
 public:
  static constexpr std::size_t kMaxRows = 2048;
  static constexpr std::size_t kMaxTextBytes = std::size_t{4}
                                               << 20;  // in all of a batch; see full()

  struct Cells {
    std::vector<std::uint8_t> valid;  // 0: NULL
    std::vector<std::int64_t>
        integers;                  // BOOLEAN, BIGINT, DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE
    std::vector<double> reals;     // DOUBLE
    std::vector<Int128> decimals;  // DECIMAL: the value times ten to the scale
    std::vector<std::uint32_t> text_end;  // VARCHAR: end of each text in `text`
    std::string text;
  };

  explicit RowBatch(std::span<const Column> columns);

  void null();
  void boolean(bool value) { integer(value ? 1 : 0); }
  /// BIGINT, DATE (days since 1970-01-01) or TIMESTAMP, with or without zone (microseconds since
  /// 1970-01-01T00:00:00 in UTC).
  void integer(std::int64_t value);
  void real(double value);
  void decimal(Int128 unscaled);
  void text(std::string_view value);
  void end_row();

  std::size_t rows() const { return rows_; }
  /// No further row should be added.
  bool full() const { return rows_ == kMaxRows || text_bytes_ >= kMaxTextBytes; }
  void clear();
  const std::vector<Cells>& columns() const { return cells_; }

 private:
  enum class Kind : std::uint8_t { kInteger, kReal, kDecimal, kText };
  Cells& next(Kind kind);
  std::vector<Kind> kinds_;
  std::vector<Cells> cells_;
  std::size_t column_ = 0;
  std::size_t rows_ = 0;
  std::size_t text_bytes_ = 0;
};

/// One table's rows, read once from front to back. Used from one thread at a time, not always the
/// same one.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Constant for the life of the source.
  virtual const std::vector<Column>& columns() const = 0;
  /// Appends rows to the empty `batch` until it is full() or no row is left; an empty batch ends
  /// the table. An error ends the source.
  virtual Status next(RowBatch& batch) = 0;
  /// How far the source is, in its own unit (bytes of a file, rows of a table); never decreases.
  virtual std::uint64_t position() const = 0;
};

}  // namespace oa::analytics
