#include "periods.h"

#include <fmt/format.h>

#include <charconv>

namespace oa::reports {

using semantics::Grain;
using std::chrono::days;
using std::chrono::month;
using std::chrono::months;
using std::chrono::year_month_day;

std::optional<Day> day_of(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](std::size_t begin, std::size_t length) {
    int value = -1;
    const char* const end = text.data() + begin + length;
    const auto parsed = std::from_chars(text.data() + begin, end, value);
    return parsed.ptr == end ? value : -1;
  };
  const int y = number(0, 4), m = number(5, 2), d = number(8, 2);
  if (y < 0 || m < 0 || d < 0) return std::nullopt;
  const year_month_day date{std::chrono::year(y), month(static_cast<unsigned>(m)),
                            std::chrono::day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  return Day(date);
}

std::string to_text(Day day) {
  const year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

Day day_of(Timestamp moment) {
  return std::chrono::floor<days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(moment.unix_us)));
}

Day period_start(Day day, Grain grain) {
  const year_month_day date(day);
  const auto first = [&](month m) { return Day(date.year() / m / 1); };
  switch (grain) {
    case Grain::kDay:
      return day;
    case Grain::kWeek:
      return day - (std::chrono::weekday(day) - std::chrono::Monday);
    case Grain::kMonth:
      return first(date.month());
    case Grain::kQuarter:
      return first(month((static_cast<unsigned>(date.month()) - 1) / 3 * 3 + 1));
    case Grain::kYear:
      return first(std::chrono::January);
  }
  return day;
}

Day previous_period(Day start, Grain grain) { return period_start(start - days(1), grain); }

Day next_period(Day start, Grain grain) {
  const year_month_day date(start);
  switch (grain) {
    case Grain::kDay:
      return start + days(1);
    case Grain::kWeek:
      return start + days(7);
    case Grain::kMonth:
      return Day(date + months(1));
    case Grain::kQuarter:
      return Day(date + months(3));
    case Grain::kYear:
      return Day(date + months(12));
  }
  return start;
}

}  // namespace oa::reports
