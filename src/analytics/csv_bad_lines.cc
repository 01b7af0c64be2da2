#include "csv_bad_lines.h"

#include <algorithm>

#include "csv_rejection.h"

namespace oa::analytics {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxOpenQuotes = RejectedRows::kMaxRows;

// Whether the bytes so far are UTF-8 (RFC 3629).
class Utf8Check {
 public:
  bool accepts(std::uint8_t byte) {
    if (rest_ > 0) {
      const bool good = byte >= low_ && byte <= high_;
      low_ = 0x80;
      high_ = 0xBF;
      rest_ = good ? rest_ - 1 : 0;
      return good;
    }
    if (byte < 0x80) return true;
    rest_ = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
    if (byte == 0xE0) low_ = 0xA0;
    if (byte == 0xED) high_ = 0x9F;
    if (byte == 0xF0) low_ = 0x90;
    if (byte == 0xF4) high_ = 0x8F;
    const bool good = byte >= 0xC2 && byte <= 0xF4;
    if (!good) *this = {};
    return good;
  }
  bool whole() const { return rest_ == 0; }

 private:
  int rest_ = 0;  // continuation bytes still to come
  std::uint8_t low_ = 0x80, high_ = 0xBF;
};

class Walker {
 public:
  Walker(const RangedSource& text, const BadLineRules& rules, RejectedRows& rejected)
      : text_(text), rules_(rules), rejected_(rejected) {}

  Status walk(Progress& progress);
  std::optional<Error> first_error() const { return first_error_; }

 private:
  enum class State : std::uint8_t { kStart, kPlain, kQuoted, kQuoteSeen, kClosed };
  struct Record {
    std::uint64_t line = 1;       // where it begins
    std::uint64_t next_line = 0;  // offset behind its first line break; 0 while it has none
    std::uint64_t bytes = 0;
    std::size_t values = 1;
    bool blank = true, bad_text = false, nul = false, behind_quote = false;
    Utf8Check utf8 = {};
  };

  void take(std::uint8_t byte);
  void take_quoted_break(std::uint8_t byte);
  void end_record();
  void judge();
  void reject(const std::string& reason, const std::string& hint);
  bool open_quote() const {
    return state_ == State::kQuoted || (record_.behind_quote && record_.next_line > 0);
  }
  void go_back();

  const RangedSource& text_;
  const BadLineRules& rules_;
  RejectedRows& rejected_;
  std::optional<Error> first_error_;
  State state_ = State::kStart;
  Record record_;
  std::uint64_t at_ = 0;  // of the byte being taken
  std::uint64_t line_ = 1;
  bool after_return_ = false;
  std::uint64_t next_at_ = 0;  // where reading goes on when it is not at_ + 1
  std::size_t open_quotes_ = 0;
};

void Walker::reject(const std::string& reason, const std::string& hint) {
  ++rejected_.total;
  if (rejected_.rows.size() < RejectedRows::kMaxRows) {
    rejected_.rows.push_back({record_.line, reason});
  }
  if (!first_error_) first_error_ = rejected_line(record_.line, reason).with_hint(hint);
}

void Walker::judge() {
  const bool row = !record_.blank || rules_.columns == 1;
  if (record_.bytes > kMaxLineBytes) {
    reject("is longer than " + std::to_string(kMaxLineBytes) + " bytes",
           "Look for a quote that is never closed");
  } else if (record_.behind_quote) {
    reject("has text behind a closing quote", "Write a quote inside of a quoted value twice");
  } else if (record_.nul) {
    reject("holds a NUL byte", "Check that the file is CSV");
  } else if (record_.bad_text || !record_.utf8.whole()) {
    reject("is not " + rules_.encoding, rules_.encoding == "UTF-8"
                                            ? "Save the file as UTF-8 and import it again"
                                            : "Check the encoding that the import was told");
  } else if (row && rules_.columns != 0 && record_.values != rules_.columns) {
    reject("has " + std::to_string(record_.values) + " values where the " +
               (rules_.has_header ? "header names " : "first line has ") +
               std::to_string(rules_.columns),
           "Quote values that hold the delimiter or a line break");
  }
}

// A quote is open: its line is bad, and the lines that it has swallowed are looked at by
// themselves.
void Walker::go_back() {
  reject("has a quoted value that is not closed",
         "Close the quote, and write a quote inside of a quoted value twice");
  ++open_quotes_;
  line_ = record_.line + 1;
  next_at_ = record_.next_line;
  record_ = {.line = line_};
  state_ = State::kStart;
  after_return_ = false;
}

void Walker::end_record() {
  if (record_.behind_quote && record_.next_line > 0) return go_back();
  judge();
  record_ = {.line = line_};
  state_ = State::kStart;
}

void Walker::take_quoted_break(std::uint8_t byte) {
  const bool second = byte == '\n' && after_return_;
  if (!second) ++line_;
  if (record_.next_line == 0 || (second && record_.next_line == at_)) record_.next_line = at_ + 1;
}

void Walker::take(std::uint8_t byte) {
  const bool line_break = byte == '\n' || byte == '\r';
  if (byte == '\n' && after_return_ && state_ == State::kStart && record_.bytes == 0) {
    after_return_ = false;
    return;  // the second half of the line break before
  }
  if (line_break && state_ == State::kQuoted) {
    take_quoted_break(byte);
  } else if (line_break) {
    after_return_ = byte == '\r';
    ++line_;
    return end_record();
  }
  after_return_ = byte == '\r';
  ++record_.bytes;
  record_.blank = false;
  record_.nul = record_.nul || byte == 0;
  record_.bad_text = !record_.utf8.accepts(byte) || record_.bad_text;
  const bool delimiter = byte == static_cast<std::uint8_t>(rules_.delimiter);
  switch (state_) {
    case State::kStart:
      if (delimiter) {
        ++record_.values;
      } else if (byte != ' ') {
        state_ = byte == '"' ? State::kQuoted : State::kPlain;
      }
      break;
    case State::kQuoted:
      if (byte == '"') state_ = State::kQuoteSeen;
      break;
    case State::kQuoteSeen:
    case State::kClosed:
    case State::kPlain:
      if (byte == '"' && state_ == State::kQuoteSeen) {
        state_ = State::kQuoted;
      } else if (delimiter) {
        ++record_.values;
        state_ = State::kStart;
      } else if (state_ != State::kPlain) {
        record_.behind_quote = record_.behind_quote || byte != ' ';
        state_ = State::kClosed;
      }
      break;
  }
}

Status Walker::walk(Progress& progress) {
  progress.begin("find bad lines", text_.size(), "bytes");
  Bytes piece(kPieceBytes);
  std::uint64_t furthest = 0;
  std::uint64_t begin = 0;  // of the piece
  while (open_quotes_ < kMaxOpenQuotes) {
    if (progress.cancelled()) {
      return make_error(ErrorCode::kCancelled, "analytics.import", "The import was cancelled");
    }
    const std::size_t count = std::min<std::uint64_t>(kPieceBytes, text_.size() - begin);
    const std::span<std::uint8_t> bytes(piece.data(), count);
    OA_TRY(text_.read_at(begin, bytes));
    std::size_t i = begin == 0 && as_text(bytes).starts_with("\xEF\xBB\xBF") ? 3 : 0;
    next_at_ = 0;
    for (; i < count && next_at_ == 0; ++i) {
      at_ = begin + i;
      take(bytes[i]);
      const bool too_long = record_.bytes > kMaxLineBytes && record_.next_line > 0;
      if (too_long && next_at_ == 0 && open_quote()) go_back();
    }
    begin = next_at_ != 0 ? next_at_ : begin + count;
    if (begin > furthest) progress.update(furthest = begin);
    if (begin < text_.size()) continue;
    // The end, unless a quote is still open.
    const bool open = open_quote();
    if (!open && record_.bytes > 0) judge();
    if (!open) return {};
    if (record_.next_line == 0) record_.next_line = text_.size();
    go_back();
    begin = next_at_;
    if (begin == text_.size()) return {};
  }
  return {};
}

}  // namespace

Result<std::optional<Error>> find_bad_lines(const RangedSource& text, const BadLineRules& rules,
                                            RejectedRows& rejected, Progress& progress) {
  rejected = {};
  Walker walker(text, rules, rejected);
  OA_TRY(walker.walk(progress));
  return walker.first_error();
}

}  // namespace oa::analytics
