#include "csv_header.h"

#include <algorithm>
#include <array>
#include <unordered_set>

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

std::string lower_case(std::string text) {
  // ASCII is what SQL identifiers are compared by.
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string unique_name(std::string name, std::size_t position,
                        std::unordered_set<std::string>& taken) {
  if (name.find_first_not_of(" \t") == std::string::npos)
    name = "column" + std::to_string(position);
  std::string candidate = name;
  for (std::size_t number = 1; !taken.insert(lower_case(candidate)).second; ++number) {
    candidate = name + "_" + std::to_string(number);
  }
  return candidate;
}

}  // namespace

Result<CsvHeader> read_csv_header(const RangedSource& csv, const CsvOptions& options) {
  if (csv.size() == 0) return rejected("The file is empty", "The first line must name the columns");
  // One byte past the longest line, so that a longer one is seen to be longer.
  std::string text(std::min<std::uint64_t>(csv.size(), kByteOrderMark.size() + kMaxLineBytes + 1),
                   '\0');
  OA_TRY(csv.read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  OA_ASSIGN(std::string_view record, header_record(text));
  CsvHeader header;
  OA_ASSIGN(header.delimiter, delimiter_of(record, options.delimiter));
  header.end = static_cast<std::uint64_t>(record.data() + record.size() - text.data());

  std::unordered_set<std::string> taken;
  std::string value;
  for (bool more = true; more;) {
    more = take_value(record, header.delimiter, value);
    if (header.names.size() == options.max_columns) {
      return make_error(
          ErrorCode::kLimitExceeded, "analytics.import",
          "The file has more than " + std::to_string(options.max_columns) + " columns");
    }
    header.names.push_back(unique_name(value, header.names.size() + 1, taken));
  }
  return header;
}

}  // namespace oa::analytics
