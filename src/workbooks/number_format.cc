#include "oa/workbooks/number_format.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace oa::workbooks {
namespace {

constexpr std::int64_t kMillisPerDay = 86'400'000;
constexpr std::int64_t kDays1900 = -25'569;   // 1899-12-30
constexpr std::int64_t kDays1904 = -24'107;   // 1904-01-01
constexpr std::int64_t kFirstDay = -719'162;  // 0001-01-01
constexpr std::int64_t kLastDay = 2'932'896;  // 9999-12-31
constexpr double kMaxSerial = 4e6;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_general(std::string_view code) {
  constexpr std::string_view kGeneral = "general";
  if (code.size() < kGeneral.size()) return false;
  for (std::size_t i = 0; i < kGeneral.size(); ++i) {
    if (lower(code[i]) != kGeneral[i]) return false;
  }
  return true;
}

// What stands in brackets: [h], [mm] and [ss] are elapsed time; colours, conditions and languages
// are nothing.
bool is_elapsed(std::string_view inner) {
  if (inner.empty()) return false;
  const char c = lower(inner[0]);
  if (c != 'h' && c != 'm' && c != 's') return false;
  for (const char other : inner) {
    if (lower(other) != c) return false;
  }
  return true;
}

}  // namespace

NumberMeaning meaning_of_format(std::string_view code) {
  if (is_general(code)) return NumberMeaning::kNumber;
  bool day = false, month = false, time = false;
  for (std::size_t i = 0; i < code.size() && code[i] != ';'; ++i) {
    switch (lower(code[i])) {
      case '"':
        i = code.find('"', i + 1);
        break;
      case '\\':
      case '_':
      case '*':
        ++i;
        break;
      case '[': {
        const std::size_t close = code.find(']', i);
        if (close == std::string_view::npos) return NumberMeaning::kNumber;
        time = time || is_elapsed(code.substr(i + 1, close - i - 1));
        i = close;
        break;
      }
      case 'y':
      case 'd':
        day = true;
        break;
      case 'm':
        month = true;
        break;
      case 'h':
      case 's':
        time = true;
        break;
      case 'e':
        if (i + 1 < code.size() && (code[i + 1] == '+' || code[i + 1] == '-'))
          return NumberMeaning::kNumber;
        break;
      default:
        break;
    }
    if (i == std::string_view::npos) break;
  }
  if (day || (month && !time)) return time ? NumberMeaning::kMoment : NumberMeaning::kDate;
  return time ? NumberMeaning::kClock : NumberMeaning::kNumber;
}

NumberMeaning meaning_of_builtin(unsigned id) {
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) ||
      id == 57 || id == 58)
    return NumberMeaning::kDate;
  if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47) || id == 55 ||
      id == 56)
    return NumberMeaning::kClock;
  return id == 22 ? NumberMeaning::kMoment : NumberMeaning::kNumber;
}

SheetCell cell_of_number(double number, NumberMeaning meaning, bool system_1904) {
  SheetCell cell{.number = number};
  if (meaning == NumberMeaning::kNumber || !(std::abs(number) < kMaxSerial)) return cell;
  const std::int64_t millis = std::llround(number * static_cast<double>(kMillisPerDay));
  if (meaning == NumberMeaning::kClock) {
    cell.kind = SheetCell::Kind::kClock;
    cell.ticks = millis;
    return cell;
  }
  std::int64_t days = floor_div(millis, kMillisPerDay);
  const std::int64_t rest = millis - days * kMillisPerDay;
  if (system_1904) {
    days += kDays1904;
  } else {
    days += kDays1900 + (days >= 0 && days < 60 ? 1 : 0);
  }
  if (days < kFirstDay || days > kLastDay) return cell;
  const bool whole = meaning == NumberMeaning::kDate && rest == 0;
  cell.kind = whole ? SheetCell::Kind::kDate : SheetCell::Kind::kMoment;
  cell.ticks = whole ? days : (days * kMillisPerDay + rest) * 1000;
  return cell;
}

std::string date_text(std::int64_t days) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
  char text[32];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::string clock_text(std::int64_t millis) {
  const std::int64_t all = millis < 0 ? -millis : millis;
  char text[48];
  std::snprintf(text, sizeof(text), "%s%02lld:%02lld:%02lld", millis < 0 ? "-" : "",
                static_cast<long long>(all / 3'600'000), static_cast<long long>(all / 60'000 % 60),
                static_cast<long long>(all / 1000 % 60));
  std::string out = text;
  if (all % 1000 != 0) {
    std::snprintf(text, sizeof(text), ".%03lld", static_cast<long long>(all % 1000));
    out += text;
  }
  return out;
}

std::string moment_text(std::int64_t micros) {
  const std::int64_t millis = floor_div(micros, 1000);
  const std::int64_t days = floor_div(millis, kMillisPerDay);
  return date_text(days) + " " + clock_text(millis - days * kMillisPerDay);
}

std::string number_text(double number) {
  char text[64];
  const bool whole = std::abs(number) < 1e15 && number == std::floor(number);
  const auto end = whole
                       ? std::to_chars(text, text + sizeof(text), static_cast<std::int64_t>(number))
                       : std::to_chars(text, text + sizeof(text), number);
  return std::string(text, end.ptr);
}

bool parse_iso_moment(std::string_view text, SheetCell& cell) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, length = 0;
  double second = 0;
  const std::string copy(text.substr(0, 40));
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &length) != 3) return false;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || year < 1) return false;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(length));
  if (rest.empty()) {
    cell.kind = SheetCell::Kind::kDate;
    cell.ticks = days;
    return true;
  }
  if (std::sscanf(rest.data(), "T%2d:%2d%n", &hour, &minute, &length) != 2) return false;
  rest.remove_prefix(static_cast<std::size_t>(length));
  if (rest.starts_with(':')) {
    const auto parsed = std::from_chars(rest.data() + 1, rest.data() + rest.size(), second,
                                        std::chars_format::fixed);
    if (parsed.ec != std::errc()) return false;
    rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
  }
  const bool in_day =
      hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 61;
  if (!in_day || (!rest.empty() && rest != "Z")) return false;
  cell.kind = SheetCell::Kind::kMoment;
  cell.ticks = (days * kMillisPerDay + hour * 3'600'000LL + minute * 60'000LL +
                std::llround(second * 1000)) *
               1000;
  return true;
}

}  // namespace oa::workbooks
