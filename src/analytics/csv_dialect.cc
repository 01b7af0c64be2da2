#include "csv_dialect.h"

#include <algorithm>
#include <array>

#include "column_names.h"

namespace oa::analytics {
namespace {

constexpr std::size_t kLookBytes = std::size_t{256} << 10;
constexpr std::size_t kLookRecords = 20;
// The comma last: values hold it most often.
constexpr std::string_view kCandidates = "\t;|,";

using Counts = std::array<std::size_t, kCandidates.size()>;

// How many of each candidate every whole record has, outside of quotes. Blank lines are none.
std::vector<Counts> count_candidates(std::string_view text, bool whole_file) {
  std::vector<Counts> records;
  Counts counts{};
  bool quoted = false;
  bool blank = true;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) {
      if (!blank) records.push_back(counts);
      if (records.size() == kLookRecords) return records;
      counts = {};
      blank = true;
      continue;
    }
    blank = false;
    const std::size_t candidate = kCandidates.find(c);
    if (!quoted && candidate != std::string_view::npos) ++counts[candidate];
  }
  if (whole_file && !blank) records.push_back(counts);
  return records;
}

// The delimiter that all records have as many of; 0 when there is none.
Result<char> regular_delimiter(const RangedSource& csv) {
  std::string text(std::min<std::uint64_t>(csv.size(), kLookBytes), '\0');
  OA_TRY(csv.read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  const auto records = count_candidates(text, text.size() == csv.size());
  if (records.size() < 2) return '\0';
  for (std::size_t i = 0; i < kCandidates.size(); ++i) {
    const std::size_t count = records[0][i];
    if (count > 0 && std::ranges::all_of(records, [&](const Counts& c) { return c[i] == count; }))
      return kCandidates[i];
  }
  return '\0';
}

}  // namespace

Result<CsvLayout> read_csv_layout(const RangedSource& csv, const FileOptions& options) {
  CsvOptions first_options;
  first_options.delimiter = options.delimiter;
  first_options.max_columns = options.limits.max_columns;
  if (options.delimiter == 0) {
    OA_ASSIGN(first_options.delimiter, regular_delimiter(csv));
  }
  OA_ASSIGN(FirstRecord first, read_first_record(csv, first_options));
  const bool named =
      options.header == Choice::kYes ||
      (options.header == Choice::kAuto && could_be_names(first.values, options.null_texts));
  CsvLayout layout;
  layout.header.delimiter = first.delimiter;
  layout.first_break = first.first_break;
  layout.misleading_break = first.misleading_break;
  layout.header.end = named ? first.end : first.begin;
  if (!named) std::ranges::fill(first.values, std::string());
  layout.header.names = column_names(first.values);
  layout.rules.starts_in_header = named;
  layout.rules.null_texts = options.null_texts;
  layout.rules.forms = {true, options.decimal_comma, options.date_order};
  return layout;
}

}  // namespace oa::analytics
