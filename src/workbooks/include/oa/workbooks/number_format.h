// What a number in a sheet means: dates are numbers with a number format.
#pragma once

#include <cstdint>
#include <string_view>

#include "oa/workbooks/sheet.h"

namespace oa::workbooks {

enum class NumberMeaning : std::uint8_t { kNumber, kDate, kMoment, kClock };

/// Of a number format code (ECMA-376 18.8.31): by the letters of its first section outside of
/// quotes, brackets and escapes. Years, months or days make a date, hours, minutes or seconds a
/// time of day, both a moment.
NumberMeaning meaning_of_format(std::string_view code);
/// Of a built-in format's number (ECMA-376 18.8.30), those of East Asian languages included.
NumberMeaning meaning_of_builtin(unsigned id);

/// The cell that `number` is by `meaning`. Days are counted from 1899-12-30, before 1900-03-01 from
/// 1899-12-31, since the 1900 system has a 29th of February 1900 (which becomes the 28th); in the
/// 1904 system from 1904-01-01. To the millisecond. A date's number with a fraction is a moment;
/// one outside of the years 1 to 9999 stays a number.
SheetCell cell_of_number(double number, NumberMeaning meaning, bool system_1904);

/// 2024-02-29
std::string date_text(std::int64_t days);
/// 2024-02-29 12:30:00 or, with milliseconds, 2024-02-29 12:30:00.250
std::string moment_text(std::int64_t micros);
/// 12:30:00, 36:00:00, -01:00:00.500
std::string clock_text(std::int64_t millis);
/// The shortest text that gives the number back; whole numbers below 1e15 in digits.
std::string number_text(double number);

/// ISO 8601, as strict workbooks have in date cells: a date, or a moment with or without Z.
bool parse_iso_moment(std::string_view text, SheetCell& cell);

}  // namespace oa::workbooks
