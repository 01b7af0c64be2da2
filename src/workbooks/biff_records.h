// The records of an .xls workbook's stream (BIFF8, [MS-XLS] 2.1.4).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/base/bytes.h"

namespace oa::workbooks {

/// kImportRejected: "The workbook is damaged".
Error damaged_biff(std::string cause);

struct BiffRecord {
  std::uint16_t type = 0;
  std::vector<ByteView> pieces;  // its data, and that of the CONTINUE records behind it
  ByteView data() const { return pieces.front(); }
};

/// Goes through the records from `at` on.
class BiffRecords {
 public:
  explicit BiffRecords(ByteView stream, std::size_t at = 0) : stream_(stream), at_(at) {}
  /// Nothing behind the last; kImportRejected of a record that is cut.
  Result<std::optional<BiffRecord>> next();

 private:
  ByteView stream_;
  std::size_t at_;
};

/// Reads values and strings that go on from one piece of a record to the next. Past the end every
/// value is 0 and failed() is true.
class BiffReader {
 public:
  explicit BiffReader(const BiffRecord& record, std::size_t skip = 0) : pieces_(record.pieces) {
    this->skip(skip);
  }
  std::uint64_t number(std::size_t bytes);
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  double real();
  void skip(std::uint64_t bytes);
  /// An XLUnicodeRichExtendedString whose length has `length_bytes`, as UTF-8; runs and phonetic
  /// text are left out. At most `most_bytes`, else failed().
  std::string text(std::size_t length_bytes, std::size_t most_bytes);
  bool failed() const { return failed_; }

 private:
  bool fill();
  const std::vector<ByteView>& pieces_;
  std::size_t piece_ = 0;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace oa::workbooks
