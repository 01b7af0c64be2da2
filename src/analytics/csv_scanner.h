// Finds the types of a CSV file's columns, and counts its rows, without keeping any of it.
#pragma once

#include <algorithm>
#include <mutex>
#include <string_view>
#include <vector>

#include "oa/base/io.h"
#include "value_types.h"

namespace oa::analytics {

/// Reads records (RFC 4180) from the line break behind the header on. On a malformed file its
/// answers mean nothing, which DuckDB then refuses. Not thread-safe.
class CsvScanner {
 public:
  CsvScanner(char delimiter, std::size_t column_count);
  /// The next bytes, cut anywhere.
  void feed(ByteView bytes);
  /// The file ends here.
  void finish();
  /// Rows so far; a blank line is none, except in a file of one column, where it is an empty cell.
  std::uint64_t row_count() const { return row_count_; }
  /// Per column the narrowest type that every value so far fits; VARCHAR while there was none.
  std::vector<std::string_view> types() const;

 private:
  enum class State : std::uint8_t { kStart, kPlain, kQuoted, kQuoteSeen };
  struct ColumnState {
    TypeSet candidates = kAllTypes;
    bool has_values = false;
  };
  const std::uint8_t* feed_plain(const std::uint8_t* at, const std::uint8_t* end);
  const std::uint8_t* feed_quoted(const std::uint8_t* at, const std::uint8_t* end);
  void keep(const std::uint8_t* begin, const std::uint8_t* end);
  std::string_view kept() const { return {text_, std::min(length_, sizeof(text_))}; }
  void end_value(std::string_view text);
  void end_record(std::string_view text);

  const std::uint8_t delimiter_;
  std::vector<ColumnState> columns_;
  bool ends_plain_[256] = {};  // bytes that end an unquoted value
  State state_ = State::kStart;
  bool after_return_ = false;  // the last byte was CR, so that LF belongs to it
  bool in_header_ = true;      // up to the line break behind it
  bool blank_ = true;          // the record has no byte yet
  std::size_t column_ = 0;
  std::size_t length_ = 0;              // of the value so far; what exceeds text_ is not kept
  char text_[kMaxTypedBytes + 1] = {};  // one more, so that a longer value is seen to be longer
  std::uint64_t row_count_ = 0;
};

/// Passes a file on to one reader that goes through it front to back, scans what goes by and stops
/// with kPreconditionFailed once the columns are not of the types expected. Thread-safe.
class ScannedSource final : public RangedSource {
 public:
  /// Borrows `csv`. `begin`: end of the header.
  ScannedSource(const RangedSource& csv, std::uint64_t begin, CsvScanner scanner,
                std::vector<std::string_view> expected_types);
  std::uint64_t size() const override { return csv_.size(); }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;
  /// Whether it stopped the reader.
  bool mismatch() const;
  /// Rows of the whole file; kInternal when not all of it was read.
  Result<std::uint64_t> row_count() const;

 private:
  const RangedSource& csv_;
  const std::vector<std::string_view> expected_types_;
  mutable std::mutex mutex_;  // guards what follows
  mutable CsvScanner scanner_;
  mutable std::uint64_t next_;  // first byte not scanned yet
  mutable bool mismatch_ = false;
};

}  // namespace oa::analytics
