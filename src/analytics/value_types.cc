#include "value_types.h"

#include <algorithm>
#include <cstring>

namespace oa::analytics {
namespace {

constexpr std::size_t kExactDoubleDigits = 15;
constexpr std::size_t kBigintDigits = 18;  // every such number fits
constexpr int kMaxExponent = 290;          // with 15 digits more still far from infinity

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

// A two-digit number of at most `high`, or -1 (this runs for every part of every date).
int take_pair(std::string_view& text, int high) {
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return -1;
  const int number = (text[0] - '0') * 10 + (text[1] - '0');
  if (number > high) return -1;
  text.remove_prefix(2);
  return number;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  // `lower` is letters alone, which bit 5 tells from capitals.
  return std::ranges::equal(text, lower, [](char a, char b) { return (a | 0x20) == b; });
}

TypeSet word_types(std::string_view text) {
  if (equals_ignoring_case(text, "true") || equals_ignoring_case(text, "false")) return kBoolean;
  if (equals_ignoring_case(text, "nan") || equals_ignoring_case(text, "inf")) return kDouble;
  return 0;
}

// Eight digits at once: each byte is 0x30 to 0x39 when adding 6 leaves its upper half as it was.
bool are_eight_digits(const char* at) {
  std::uint64_t bytes;
  std::memcpy(&bytes, at, sizeof(bytes));
  constexpr std::uint64_t kUpper = 0xF0F0F0F0F0F0F0F0, kZeros = 0x3030303030303030;
  return (bytes & kUpper) == kZeros && ((bytes + 0x0606060606060606) & kUpper) == kZeros;
}

bool are_digits(std::string_view text) {
  if (text.size() < 8) return std::ranges::all_of(text, is_digit);
  return are_eight_digits(text.data()) &&
         (text.size() <= 16 ? are_eight_digits(text.data() + text.size() - 8)
                            : std::ranges::all_of(text.substr(8), is_digit));
}

// Most numbers are these, and no further look at them is needed.
bool is_plain_integer(std::string_view text) {
  if (text.empty() || text.size() > kExactDoubleDigits) return false;
  if (text[0] == '0') return text.size() == 1;
  return are_digits(text);
}

bool exponent_fits(std::string_view text) {
  if (!take(text, '-')) take(text, '+');
  int exponent = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    exponent = std::min(exponent * 10 + (c - '0'), kMaxExponent + 1);
  }
  return !text.empty() && exponent <= kMaxExponent;
}

TypeSet number_types(std::string_view text) {
  const bool negative = take(text, '-');
  const bool leading_zero = text.size() > 1 && text[0] == '0' && is_digit(text[1]);
  const bool zero = text == "0";
  const std::size_t digits = take_digits(text);
  if (leading_zero) return 0;
  const TypeSet as_double = digits <= kExactDoubleDigits ? kDouble : TypeSet{0};
  if (text.empty()) {
    if (digits == 0) return 0;
    const bool fits = digits <= kBigintDigits && !(negative && zero);  // -0 would come back as 0
    return static_cast<TypeSet>(as_double | (fits ? kBigint : 0));
  }
  if (take(text, '.')) {
    if (take_digits(text) == 0) return 0;
  } else if (digits == 0) {
    return negative && equals_ignoring_case(text, "inf") ? kDouble : TypeSet{0};
  }
  if (text.empty()) return as_double;
  if (!take(text, 'e') && !take(text, 'E')) return 0;
  return exponent_fits(text) ? as_double : TypeSet{0};
}

bool take_date(std::string_view& text) {
  constexpr int kDays[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int century = take_pair(text, 99);
  const int year_of_century = take_pair(text, 99);
  if (century < 0 || year_of_century < 0 || century + year_of_century == 0 || !take(text, '-'))
    return false;
  const int month = take_pair(text, 12);
  if (month < 1 || !take(text, '-')) return false;
  const int day = take_pair(text, kDays[month]);
  const bool leap = (year_of_century != 0 ? year_of_century : century) % 4 == 0;
  return day > 0 && (leap || month != 2 || day != 29);
}

TypeSet moment_types(std::string_view text) {
  if (!take_date(text)) return 0;
  if (text.empty()) return kDate | kTimestamp;
  if (!take(text, ' ') && !take(text, 'T')) return 0;
  if (take_pair(text, 23) < 0 || !take(text, ':') || take_pair(text, 59) < 0) return 0;
  if (text.empty()) return kTimestamp;
  if (!take(text, ':') || take_pair(text, 59) < 0) return 0;
  if (take(text, '.')) {
    const std::size_t digits = take_digits(text);
    if (digits == 0 || digits > 6) return 0;  // a TIMESTAMP holds microseconds
  }
  if (text.empty()) return kTimestamp;
  if (text == "Z") return kTimestampTz;
  if (!take(text, '+') && !take(text, '-')) return 0;
  if (take_pair(text, 14) < 0) return 0;
  if (take(text, ':') && take_pair(text, 59) < 0) return 0;
  return text.empty() ? kTimestampTz : TypeSet{0};
}

}  // namespace

TypeSet types_of(std::string_view text) {
  if (text.size() > kMaxTypedBytes) return 0;
  if (is_plain_integer(text)) return kBigint | kDouble;
  const bool dated = text.size() >= 10 && text[4] == '-' && is_digit(text[0]);
  if (dated) return moment_types(text);
  // "1, 2, 3": blanks around a number mean nothing. Around a date they do, to DuckDB.
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return 0;
  const std::string_view number = text.substr(first, text.find_last_not_of(' ') - first + 1);
  const char c = number.front();
  return is_digit(c) || c == '-' || c == '.' ? number_types(number) : word_types(text);
}

std::string_view type_name(TypeSet candidates) {
  if (candidates & kBoolean) return "BOOLEAN";
  if (candidates & kBigint) return "BIGINT";
  if (candidates & kDouble) return "DOUBLE";
  if (candidates & kDate) return "DATE";
  if (candidates & kTimestamp) return "TIMESTAMP";
  if (candidates & kTimestampTz) return "TIMESTAMP WITH TIME ZONE";
  return "VARCHAR";
}

}  // namespace oa::analytics
