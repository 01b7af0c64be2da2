#include "oa/base/clock.h"

#include <chrono>
#include <cstdio>

namespace oa {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Reads exactly `digits` decimal digits; -1 when there are others.
int number(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Error bad_time() {
  return make_error(ErrorCode::kInvalidArgument, "timestamp.parse", "not an RFC 3339 moment")
      .with_hint("write it like 2026-04-16T09:42:11Z");
}

}  // namespace

Timestamp Timestamp::now() {
  using std::chrono::duration_cast;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp{duration_cast<std::chrono::microseconds>(since).count()};
}

std::int64_t Timestamp::unix_seconds() const { return floor_div(unix_us, kMicrosPerSecond); }

std::string Timestamp::rfc3339() const {
  const std::int64_t seconds = unix_seconds();
  const std::int64_t micros = unix_us - seconds * kMicrosPerSecond;
  const std::int64_t days = floor_div(seconds, 86400);
  const std::int64_t of_day = seconds - days * 86400;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(of_day / 3600),
                static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60),
                static_cast<int>(micros));
  return text;
}

Result<Timestamp> Timestamp::parse(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':') {
    return bad_time();
  }
  const int year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2);
  const int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59) {
    return bad_time();
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return bad_time();
  std::size_t at = 19;
  std::int64_t micros = 0;
  if (text[at] == '.') {
    std::int64_t scale = 100'000;
    std::size_t digits = 0;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
      micros += (text[at] - '0') * scale;
      scale /= 10;
    }
    if (digits == 0 || digits > 6) return bad_time();
  }
  std::int64_t offset_s = 0;
  if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    ++at;
  } else if (at + 6 == text.size() && (text[at] == '+' || text[at] == '-') && text[at + 3] == ':') {
    const int hours = number(text, at + 1, 2), minutes = number(text, at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return bad_time();
    offset_s = (text[at] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    at += 6;
  } else {
    return bad_time();
  }
  if (at != text.size()) return bad_time();
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset_s;
  return Timestamp{seconds * kMicrosPerSecond + micros};
}

}  // namespace oa
