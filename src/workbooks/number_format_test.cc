#include "oa/workbooks/number_format.h"

#include <gtest/gtest.h>

namespace oa::workbooks {
namespace {

using enum NumberMeaning;
using Kind = SheetCell::Kind;

TEST(NumberFormat, MeaningOfCodes) {
  for (const char* code :
       {"General", "GENERAL", "0.00", "#,##0.00 [$€-407]", "0.00E+00", "@", "\"day\" 0", "0\\d", "",
        "_-* #,##0\\ _h_-;-* #,##0", "[Red]0", "# ?/?", "0%", "\"", "[", "0;yyyy"}) {
    EXPECT_EQ(meaning_of_format(code), kNumber) << code;
  }
  for (const char* code : {"yyyy-mm-dd", "dd.mm.yyyy", "d/m/yy", "mmmm", "[$-409]d-mmm;@",
                           "[$-F800]dddd, mmmm dd, yyyy", "YYYY", "yyyy\"h\"", "d;0"}) {
    EXPECT_EQ(meaning_of_format(code), kDate) << code;
  }
  for (const char* code :
       {"yyyy-mm-dd hh:mm:ss", "d.m.yy h:mm AM/PM", "hh:mm d", "dd/mm/yyyy [h]"}) {
    EXPECT_EQ(meaning_of_format(code), kMoment) << code;
  }
  for (const char* code : {"hh:mm:ss", "h:mm AM/PM", "[h]:mm", "mm:ss.0", "[mm]", "[ss]"}) {
    EXPECT_EQ(meaning_of_format(code), kClock) << code;
  }
}

TEST(NumberFormat, MeaningOfBuiltins) {
  EXPECT_EQ(meaning_of_builtin(0), kNumber);
  EXPECT_EQ(meaning_of_builtin(14), kDate);
  EXPECT_EQ(meaning_of_builtin(20), kClock);
  EXPECT_EQ(meaning_of_builtin(22), kMoment);
  EXPECT_EQ(meaning_of_builtin(46), kClock);
  EXPECT_EQ(meaning_of_builtin(49), kNumber);
  EXPECT_EQ(meaning_of_builtin(57), kDate);
  EXPECT_EQ(meaning_of_builtin(4'000'000'000), kNumber);
}

std::string shown(double number, NumberMeaning meaning, bool system_1904 = false) {
  const SheetCell cell = cell_of_number(number, meaning, system_1904);
  switch (cell.kind) {
    case Kind::kDate:
      return date_text(cell.ticks);
    case Kind::kMoment:
      return moment_text(cell.ticks);
    case Kind::kClock:
      return clock_text(cell.ticks);
    default:
      return number_text(cell.number);
  }
}

TEST(NumberFormat, DatesOfBothSystems) {
  EXPECT_EQ(shown(1, kDate), "1900-01-01");
  EXPECT_EQ(shown(59, kDate), "1900-02-28");
  EXPECT_EQ(shown(60, kDate), "1900-02-28") << "the day that never was";
  EXPECT_EQ(shown(61, kDate), "1900-03-01");
  EXPECT_EQ(shown(45351, kDate), "2024-02-29");
  EXPECT_EQ(shown(2958465, kDate), "9999-12-31");
  EXPECT_EQ(shown(2958466, kDate), "2958466") << "past the last year";
  EXPECT_EQ(shown(-1, kDate), "1899-12-29");
  EXPECT_EQ(shown(0, kDate, true), "1904-01-01");
  EXPECT_EQ(shown(43889, kDate, true), "2024-02-29");
  EXPECT_EQ(shown(45351, kNumber), "45351");
}

TEST(NumberFormat, MomentsToTheMillisecond) {
  EXPECT_EQ(shown(45351.5, kMoment), "2024-02-29 12:00:00");
  EXPECT_EQ(shown(45351.5, kDate), "2024-02-29 12:00:00") << "the time is hidden, not absent";
  EXPECT_EQ(shown(45351, kMoment), "2024-02-29 00:00:00");
  EXPECT_EQ(shown(45351.521006944443, kMoment), "2024-02-29 12:30:15");
  EXPECT_EQ(shown(45351.99999999999, kMoment), "2024-03-01 00:00:00");
  EXPECT_EQ(shown(45351.000002893517, kMoment), "2024-02-29 00:00:00.250");
}

TEST(NumberFormat, ClockTimes) {
  EXPECT_EQ(shown(0.5, kClock), "12:00:00");
  EXPECT_EQ(shown(1.5, kClock), "36:00:00");
  EXPECT_EQ(shown(-0.25, kClock), "-06:00:00");
  EXPECT_EQ(shown(0.000011574074074074073, kClock), "00:00:01");
  EXPECT_EQ(shown(1e300, kClock), "1e+300");
}

TEST(NumberFormat, ShortestTextOfNumbers) {
  EXPECT_EQ(number_text(100000), "100000");
  EXPECT_EQ(number_text(-7), "-7");
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1234.5), "1234.5");
  EXPECT_EQ(number_text(999999999999999), "999999999999999");
  EXPECT_EQ(number_text(1e15), "1e+15");
  EXPECT_EQ(number_text(0.30000000000000004), "0.30000000000000004");
}

TEST(NumberFormat, IsoMoments) {
  SheetCell cell;
  ASSERT_TRUE(parse_iso_moment("2024-02-29", cell));
  EXPECT_EQ(cell.kind, Kind::kDate);
  EXPECT_EQ(date_text(cell.ticks), "2024-02-29");
  ASSERT_TRUE(parse_iso_moment("1969-12-31T23:59:59.75Z", cell));
  EXPECT_EQ(cell.kind, Kind::kMoment);
  EXPECT_EQ(moment_text(cell.ticks), "1969-12-31 23:59:59.750");
  ASSERT_TRUE(parse_iso_moment("2024-02-29T12:30", cell));
  EXPECT_EQ(moment_text(cell.ticks), "2024-02-29 12:30:00");
  for (const char* text :
       {"", "x", "2024-02-30", "2024-13-01", "2024-02-29 12:30", "2024-02-29T25:00",
        "2024-02-29T12:30:15+01:00", "2024-02-29T12", "2024-02-29x", "0000-01-01"}) {
    EXPECT_FALSE(parse_iso_moment(text, cell)) << text;
  }
}

}  // namespace
}  // namespace oa::workbooks
