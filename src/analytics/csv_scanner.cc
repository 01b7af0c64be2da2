#include "csv_scanner.h"

#include <cstring>

namespace oa::analytics {

CsvScanner::CsvScanner(char delimiter, std::size_t column_count)
    : delimiter_(static_cast<std::uint8_t>(delimiter)), columns_(column_count) {
  for (const std::uint8_t c : {delimiter_, std::uint8_t{'\n'}, std::uint8_t{'\r'}})
    ends_plain_[c] = true;
}

void CsvScanner::feed(ByteView bytes) {
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  while (at < end) {
    if (after_return_ && *at == '\n') ++at;
    after_return_ = false;
    if (at == end) break;
    if (state_ == State::kStart) {
      // Blanks before an opening quote are no part of the value.
      if (*at == ' ' && delimiter_ != ' ') {
        keep(at, at + 1);
        blank_ = false;
        ++at;
        continue;
      }
      state_ = *at == '"' ? State::kQuoted : State::kPlain;
      if (state_ == State::kQuoted) {
        length_ = 0;
        blank_ = false;
        ++at;
        continue;
      }
    }
    at = state_ == State::kPlain ? feed_plain(at, end) : feed_quoted(at, end);
  }
}

const std::uint8_t* CsvScanner::feed_plain(const std::uint8_t* at, const std::uint8_t* end) {
  const std::uint8_t* const begin = at;
  while (at < end && !ends_plain_[*at]) ++at;
  if (at > begin) blank_ = false;
  // Most values lie whole in one piece and need not be copied.
  const bool whole = length_ == 0 && at < end;
  if (!whole) keep(begin, at);
  if (at == end) return end;
  const auto size = static_cast<std::size_t>(at - begin);
  const std::string_view text =
      whole ? std::string_view(reinterpret_cast<const char*>(begin), size) : kept();
  if (*at == delimiter_) {
    end_value(text);
    blank_ = false;
  } else {
    after_return_ = *at == '\r';
    end_record(text);
  }
  return at + 1;
}

const std::uint8_t* CsvScanner::feed_quoted(const std::uint8_t* at, const std::uint8_t* end) {
  if (state_ == State::kQuoteSeen) {
    if (*at != '"') {  // it closed the value
      state_ = State::kPlain;
      return at;
    }
    keep(at, at + 1);
    state_ = State::kQuoted;
    return at + 1;
  }
  const auto* quote =
      static_cast<const std::uint8_t*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
  keep(at, quote == nullptr ? end : quote);
  if (quote == nullptr) return end;
  state_ = State::kQuoteSeen;
  return quote + 1;
}

void CsvScanner::keep(const std::uint8_t* begin, const std::uint8_t* end) {
  const auto count = static_cast<std::size_t>(end - begin);
  const std::size_t room = sizeof(text_) - std::min(length_, sizeof(text_));
  std::memcpy(text_ + (sizeof(text_) - room), begin, std::min(count, room));
  length_ += count;
}

void CsvScanner::end_value(std::string_view text) {
  if (!text.empty() && column_ < columns_.size()) {
    ColumnState& column = columns_[column_];
    column.has_values = true;
    if (column.candidates != 0) column.candidates &= types_of(text);
  }
  length_ = 0;
  ++column_;
  state_ = State::kStart;
}

void CsvScanner::end_record(std::string_view text) {
  const bool row = !in_header_ && (!blank_ || columns_.size() == 1);
  end_value(text);
  if (row) ++row_count_;
  in_header_ = false;
  column_ = 0;
  blank_ = true;
}

void CsvScanner::finish() {
  if (!blank_) end_record(kept());
}

std::vector<std::string_view> CsvScanner::types() const {
  std::vector<std::string_view> types;
  for (const ColumnState& column : columns_)
    types.push_back(type_name(column.has_values ? column.candidates : 0));
  return types;
}

ScannedSource::ScannedSource(const RangedSource& csv, std::uint64_t begin, CsvScanner scanner,
                             std::vector<std::string_view> expected_types)
    : csv_(csv),
      expected_types_(std::move(expected_types)),
      scanner_(std::move(scanner)),
      next_(begin) {}

Status ScannedSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  OA_TRY(csv_.read_at(offset, out));
  const std::lock_guard lock(mutex_);
  const std::uint64_t end = offset + out.size();
  // A reader that leaves a gap is not scanned on; row_count() tells. One that reads again is not
  // scanned twice.
  if (offset <= next_ && end > next_) {
    scanner_.feed(out.subspan(next_ - offset));
    next_ = end;
    if (next_ == csv_.size()) scanner_.finish();
    mismatch_ = mismatch_ || scanner_.types() != expected_types_;
  }
  if (!mismatch_) return {};
  return make_error(ErrorCode::kPreconditionFailed, "analytics.import",
                    "The columns are of other types");
}

bool ScannedSource::mismatch() const {
  const std::lock_guard lock(mutex_);
  return mismatch_;
}

Result<std::uint64_t> ScannedSource::row_count() const {
  const std::lock_guard lock(mutex_);
  if (next_ == csv_.size()) return scanner_.row_count();
  return make_error(ErrorCode::kInternal, "analytics.import",
                    "The query engine did not read all of the file");
}

}  // namespace oa::analytics
