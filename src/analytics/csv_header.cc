#include "csv_header.h"

#include <algorithm>
#include <array>

#include "column_names.h"
#include "csv_rejection.h"

namespace oa::analytics {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDelimiters = ",;\t|";

Error rejected(std::string message, std::string hint) {
  return make_error(ErrorCode::kImportRejected, "analytics.import", std::move(message))
      .with_hint(std::move(hint));
}

// The header record without its line break.
Result<std::string_view> header_record(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if (text[end] == '"') quoted = !quoted;
    if (!quoted && (text[end] == '\n' || text[end] == '\r')) break;
  }
  const std::string_view record = text.substr(0, end);
  if (record.size() > kMaxLineBytes) return rejected_line(1, "is longer than 2000000 bytes");
  if (quoted) return rejected_line(1, "has a quoted value that is not closed");
  if (!is_utf8(record)) {
    return rejected_line(1, "is not UTF-8").with_hint("Save the file as UTF-8 and import it again");
  }
  if (record.find('\0') != std::string_view::npos) {
    return rejected_line(1, "holds a NUL byte").with_hint("Check that the file is CSV");
  }
  if (record.find_first_not_of(" \t") == std::string_view::npos) {
    return rejected("The file has no header", "The first line must name the columns");
  }
  return record;
}

Result<char> delimiter_of(std::string_view record, char chosen) {
  if (chosen != 0) {
    const bool fits = chosen > 0 && chosen != '"' && chosen != '\n' && chosen != '\r';
    if (fits) return chosen;
    return make_error(ErrorCode::kInvalidArgument, "analytics.import",
                      "This character cannot be a delimiter");
  }
  std::array<std::size_t, kDelimiters.size()> counts{};
  bool quoted = false;
  for (const char c : record) {
    if (c == '"') quoted = !quoted;
    const std::size_t candidate = kDelimiters.find(c);
    if (!quoted && candidate != std::string_view::npos) ++counts[candidate];
  }
  return kDelimiters[static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin())];
}

// Takes one value off the front of `record`, its delimiter included; false after the last.
bool take_value(std::string_view& record, char delimiter, std::string& value) {
  value.clear();
  std::size_t at = 0;
  if (record.starts_with('"')) {
    for (at = 1; at < record.size(); ++at) {
      if (record[at] == '"' && (++at >= record.size() || record[at] != '"')) break;
      value += record[at];
    }
  }
  for (; at < record.size() && record[at] != delimiter; ++at) value += record[at];
  const bool more = at < record.size();
  record.remove_prefix(std::min(at + 1, record.size()));
  return more;
}

// The line break that is the first in `text`.
std::string_view line_break_in(std::string_view text) {
  const std::size_t at = text.find_first_of("\r\n");
  if (at == std::string_view::npos) return "";
  if (text[at] == '\n') return "\n";
  return text.substr(at).starts_with("\r\n") ? "\r\n" : "\r";
}

}  // namespace

Result<FirstRecord> read_first_record(const RangedSource& csv, const CsvOptions& options) {
  if (csv.size() == 0) return rejected("The file is empty", "The first line must name the columns");
  // The longest line and its break; a longer one is seen to be longer.
  std::string text(std::min<std::uint64_t>(csv.size(), kByteOrderMark.size() + kMaxLineBytes + 2),
                   '\0');
  OA_TRY(csv.read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  OA_ASSIGN(std::string_view record, header_record(text));
  FirstRecord first;
  OA_ASSIGN(first.delimiter, delimiter_of(record, options.delimiter));
  first.begin = static_cast<std::uint64_t>(record.data() - text.data());
  first.end = first.begin + record.size();
  first.first_break = line_break_in(text);
  const std::string_view behind = line_break_in(std::string_view(text).substr(first.end));
  first.misleading_break = !behind.empty() && behind != first.first_break;
  std::string value;
  for (bool more = true; more;) {
    more = take_value(record, first.delimiter, value);
    if (first.values.size() == options.max_columns) {
      return make_error(
          ErrorCode::kLimitExceeded, "analytics.import",
          "The file has more than " + std::to_string(options.max_columns) + " columns");
    }
    first.values.push_back(value);
  }
  return first;
}

Result<CsvHeader> read_csv_header(const RangedSource& csv, const CsvOptions& options) {
  OA_ASSIGN(const FirstRecord first, read_first_record(csv, options));
  return CsvHeader{first.delimiter, first.end, column_names(first.values)};
}

}  // namespace oa::analytics
