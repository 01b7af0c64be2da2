#include "oa/analytics/row_source.h"

#include "oa/base/assert.h"

namespace oa::analytics {

RowBatch::RowBatch(std::span<const Column> columns) : cells_(columns.size()) {
  for (const Column& column : columns) {
    if (column.type == "VARCHAR") {
      kinds_.push_back(Kind::kText);
    } else if (column.type == "DOUBLE") {
      kinds_.push_back(Kind::kReal);
    } else {
      kinds_.push_back(column.type.starts_with("DECIMAL") ? Kind::kDecimal : Kind::kInteger);
    }
  }
}

RowBatch::Cells& RowBatch::next(Kind kind) {
  OA_ASSERT(column_ < cells_.size() && kinds_[column_] == kind);
  Cells& cells = cells_[column_++];
  cells.valid.push_back(1);
  return cells;
}

void RowBatch::null() {
  OA_ASSERT(column_ < cells_.size());
  Cells& cells = cells_[column_];
  cells.valid.push_back(0);
  switch (kinds_[column_++]) {
    case Kind::kInteger:
      cells.integers.push_back(0);
      break;
    case Kind::kReal:
      cells.reals.push_back(0);
      break;
    case Kind::kDecimal:
      cells.decimals.push_back(0);
      break;
    case Kind::kText:
      cells.text_end.push_back(static_cast<std::uint32_t>(cells.text.size()));
      break;
  }
}

void RowBatch::integer(std::int64_t value) { next(Kind::kInteger).integers.push_back(value); }

void RowBatch::real(double value) { next(Kind::kReal).reals.push_back(value); }

void RowBatch::decimal(Int128 unscaled) { next(Kind::kDecimal).decimals.push_back(unscaled); }

void RowBatch::text(std::string_view value) {
  Cells& cells = next(Kind::kText);
  cells.text += value;
  OA_ASSERT(cells.text.size() <= UINT32_MAX);
  cells.text_end.push_back(static_cast<std::uint32_t>(cells.text.size()));
  text_bytes_ += value.size();
}

void RowBatch::end_row() {
  OA_ASSERT(column_ == cells_.size());
  column_ = 0;
  ++rows_;
}

void RowBatch::clear() {
  for (Cells& cells : cells_) {
    cells.valid.clear();
    cells.integers.clear();
    cells.reals.clear();
    cells.decimals.clear();
    cells.text_end.clear();
    cells.text.clear();
  }
  column_ = rows_ = text_bytes_ = 0;
}

}  // namespace oa::analytics
