#include "csv_rejection.h"

#include <charconv>

namespace oa::analytics {
namespace {

constexpr std::string_view kLinePrefix = "CSV Error on Line: ";
constexpr std::string_view kColumnsPhrase = "Expected Number of Columns: ";
constexpr std::string_view kFoundPhrase = " Found: ";

struct Fault {
  std::string_view phrase;  // of DuckDB 1.4's CSVError texts
  std::string_view reason;
  std::string_view hint;
};

constexpr Fault kFaults[] = {
    {kColumnsPhrase, "has another number of values than the header names columns",
     "Quote values that hold the delimiter or a line break"},
    {"Value with unterminated quote found", "has a quoted value that is not closed",
     "Close the quote, and write a quote inside of a quoted value twice"},
    {"Maximum line size of", "is longer than 2000000 bytes",
     "Look for a quote that is never closed"},
    {"Invalid unicode", "is not UTF-8", "Save the file as UTF-8 and import it again"},
    {"Error when converting column", "has a value that does not fit the type of its column",
     "Make the column's values all of one kind"},
    {"state machine reached an invalid state", "is not well-formed CSV (RFC 4180)",
     "Use one kind of line break, and quote values that hold quotes"},
    {"It was not possible to automatically detect", "is not well-formed CSV (RFC 4180)",
     "Check that the file is CSV"},
};

std::optional<std::uint64_t> number_at(std::string_view text, std::size_t position) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data() + position, text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

// "has 3 values where the header names 2 columns". The texts around the numbers are DuckDB's, the
// numbers are counts.
std::optional<std::string> count_reason(std::string_view message, std::size_t phrase) {
  const auto expected = number_at(message, phrase + kColumnsPhrase.size());
  const std::size_t found_phrase = message.find(kFoundPhrase, phrase);
  if (!expected || found_phrase == std::string_view::npos) return std::nullopt;
  const auto found = number_at(message, found_phrase + kFoundPhrase.size());
  if (!found) return std::nullopt;
  return "has " + std::to_string(*found) + " values where the header names " +
         std::to_string(*expected);
}

}  // namespace

Error rejected_line(std::uint64_t line, std::string_view reason) {
  return make_error(ErrorCode::kImportRejected, "analytics.import",
                    "Line " + std::to_string(line) + " " + std::string(reason));
}

std::optional<Error> csv_rejection(std::string_view engine_message) {
  for (const Fault& fault : kFaults) {
    // The last one: what stands before may be quoted from the file.
    const std::size_t phrase = engine_message.rfind(fault.phrase);
    if (phrase == std::string_view::npos) continue;
    std::string reason(fault.reason);
    if (fault.phrase == kColumnsPhrase)
      reason = count_reason(engine_message, phrase).value_or(reason);
    std::optional<std::uint64_t> line;
    // Only at the very beginning is the line number the engine's and not the file's.
    if (engine_message.starts_with(kLinePrefix))
      line = number_at(engine_message, kLinePrefix.size());
    Error error =
        line ? rejected_line(*line, reason)
             : make_error(ErrorCode::kImportRejected, "analytics.import", "The file " + reason);
    return std::move(error).with_hint(std::string(fault.hint));
  }
  return std::nullopt;
}

}  // namespace oa::analytics
