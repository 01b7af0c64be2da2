// Postgres' binary COPY format (its manual, "COPY", "Binary Format"), read from a sender that is
// not trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oa/analytics/row_source.h"
#include "oa/base/bytes.h"

namespace oa::sources {

/// How a field travels.
enum class Wire : std::uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kDate,
  kTimestamp,
  kText
};

struct WireColumn {
  Column column;  // as the rows get it
  Wire wire = Wire::kText;
  int precision = 38;  // of kNumeric
  int scale = 9;
};

struct CopyLimits {
  std::size_t max_field_bytes = 0;
  std::size_t max_row_bytes = 0;
};

/// Decodes one table's stream, given message by message; messages may be cut anywhere. Not
/// thread-safe. Errors: kImportRejected, kLimitExceeded; both name table, column and row.
class CopyReader {
 public:
  CopyReader(std::string table, std::vector<WireColumn> columns, const CopyLimits& limits)
      : table_(std::move(table)), columns_(std::move(columns)), limits_(limits) {}

  void feed(std::string_view bytes);
  /// Appends the rows that are whole to `batch` until it is full().
  Status decode(analytics::RowBatch& batch);
  /// What was fed and is not decoded yet.
  std::size_t pending_bytes() const { return buffer_.size() - at_; }
  /// kImportRejected when the stream has ended too early.
  Status finish() const;
  std::uint64_t rows() const { return rows_; }

 private:
  enum class Part { kHeader, kRows, kEnd };
  Error malformed(const std::string& what) const;
  Error rejected(const WireColumn& column, const std::string& what) const;
  Result<bool> read_header();
  /// The bytes of the row at at_, 0 when it is not whole yet.
  Result<std::size_t> measure_row() const;
  Status read_row(std::size_t size, analytics::RowBatch& batch);
  Status read_field(const WireColumn& column, ByteView field, analytics::RowBatch& batch) const;
  Status read_numeric(const WireColumn& column, ByteView field, analytics::RowBatch& batch) const;
  ByteView rest() const { return as_bytes(std::string_view(buffer_).substr(at_)); }

  std::string table_;
  std::vector<WireColumn> columns_;
  CopyLimits limits_;
  Part part_ = Part::kHeader;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace oa::sources
