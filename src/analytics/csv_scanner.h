// Finds the types of a CSV file's columns, and counts its rows, without keeping any of it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "oa/base/io.h"
#include "value_forms.h"

namespace oa::analytics {

/// What a CsvScanner goes by besides the delimiter.
struct ScanRules {
  bool starts_in_header = true;          // at the line break behind it; else at the first row
  std::vector<std::string> null_texts;   // read as an empty cell, at most kMaxTypedBytes each
  FormRules forms = {.enabled = false};  // what columns may be read as besides DuckDB's types
};

/// Reads records (RFC 4180) from the line break behind the header on. On a malformed file its
/// answers mean nothing, which DuckDB then refuses. Not thread-safe.
class CsvScanner {
 public:
  CsvScanner(char delimiter, std::size_t column_count, ScanRules rules = {});
  /// The next bytes, cut anywhere.
  void feed(ByteView bytes);
  /// The file ends here.
  void finish();
  /// Rows so far; a blank line is none, except in a file of one column, where it is an empty cell.
  std::uint64_t row_count() const { return row_count_; }
  /// Whether there was a NUL byte, which DuckDB would take for a character.
  bool has_nul() const { return has_nul_; }
  /// Per column the narrowest type that every value so far fits; VARCHAR while there was none.
  std::vector<ColumnReading> readings() const;
  std::vector<std::string_view> types() const;

 private:
  enum class State : std::uint8_t { kStart, kPlain, kQuoted, kQuoteSeen };
  struct ColumnState {
    TypeSet candidates = kAllTypes;
    FormSet forms = kAllForms;
    bool has_values = false;
    /// No further value changes anything.
    bool is_decided() const { return has_values && candidates == 0 && forms == 0; }
  };
  const std::uint8_t* find_end(const std::uint8_t* at, const std::uint8_t* end) const;
  const std::uint8_t* feed_plain(const std::uint8_t* at, const std::uint8_t* end);
  const std::uint8_t* feed_quoted(const std::uint8_t* at, const std::uint8_t* end);
  void keep(const std::uint8_t* begin, const std::uint8_t* end);
  std::string_view kept() const { return {text_, std::min(length_, sizeof(text_))}; }
  bool is_null(std::string_view text) const;
  void end_value(std::string_view text);
  void end_record(std::string_view text);

  const std::uint8_t delimiter_;
  const ScanRules rules_;
  std::vector<ColumnState> columns_;
  bool ends_plain_[256] = {};  // bytes that end an unquoted value
  State state_ = State::kStart;
  bool after_return_ = false;  // the last byte was CR, so that LF belongs to it
  bool in_header_;             // up to the line break behind it
  bool has_nul_ = false;
  bool blank_ = true;  // the record has no byte yet
  std::size_t column_ = 0;
  std::size_t length_ = 0;              // of the value so far; what exceeds text_ is not kept
  char text_[kMaxTypedBytes + 1] = {};  // one more, so that a longer value is seen to be longer
  std::uint64_t row_count_ = 0;
};

/// kImportRejected: the file holds a NUL byte.
Error nul_rejected();

/// Passes a file on to one reader that goes through it front to back, and scans behind it what it
/// has read, on a thread of its own: DuckDB reads under a lock that all of its threads wait for. It
/// stops the reader with kPreconditionFailed once the columns are not read as expected, with
/// nul_rejected() at a NUL. Thread-safe.
class ScannedSource final : public RangedSource {
 public:
  /// Borrows `csv`. `begin`: end of the header.
  ScannedSource(const RangedSource& csv, std::uint64_t begin, CsvScanner scanner,
                std::vector<ColumnReading> expected);
  ~ScannedSource() override;
  std::uint64_t size() const override { return csv_.size(); }
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;
  /// Whether what was read is not as expected. Waits until all of it is scanned.
  bool mismatch() const;
  /// Rows of the whole file; kInternal when not all of it was read. Waits as mismatch().
  Result<std::uint64_t> row_count() const;

 private:
  void scan();
  Status scan_piece(std::uint64_t end);
  void wait(std::unique_lock<std::mutex>& lock) const;

  const RangedSource& csv_;
  const std::vector<ColumnReading> expected_;
  CsvScanner scanner_;        // the thread's alone while next_ < read_end_
  Bytes piece_;               // the thread's alone
  mutable std::mutex mutex_;  // guards what follows
  mutable std::condition_variable moved_;
  std::uint64_t next_;              // first byte not scanned yet
  mutable std::uint64_t read_end_;  // what the reader has read, without a gap
  std::optional<Error> failure_;    // the first, which ends the scan
  bool mismatch_ = false;
  bool stop_ = false;
  std::thread thread_;  // last: uses all of the above
};

}  // namespace oa::analytics
