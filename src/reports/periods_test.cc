#include "periods.h"

#include <gtest/gtest.h>

namespace oa::reports {
namespace {

using semantics::Grain;

TEST(Periods, TextThereAndBack) {
  for (const char* text : {"2024-02-29", "0001-01-01", "9999-12-31", "1900-03-01"})
    EXPECT_EQ(to_text(*day_of(text)), text);
  for (const char* text : {"", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10", "2024-1-01",
                           "2024-01-0x", "2024/01/01", "2024-01-01T00:00:00", "-024-01-01"})
    EXPECT_FALSE(day_of(text).has_value()) << text;
  EXPECT_EQ(to_text(day_of(*Timestamp::parse("2024-02-29T23:59:59.999999Z"))), "2024-02-29");
  EXPECT_EQ(to_text(day_of(*Timestamp::parse("1969-12-31T23:00:00Z"))), "1969-12-31");
}

struct Case {
  Grain grain;
  const char *day, *start, *previous, *next;
};

TEST(Periods, StartsAndNeighbours) {
  for (const Case& each : {
           Case{Grain::kDay, "2024-03-01", "2024-03-01", "2024-02-29", "2024-03-02"},
           Case{Grain::kWeek, "2024-03-03", "2024-02-26", "2024-02-19", "2024-03-04"},
           Case{Grain::kWeek, "2024-03-04", "2024-03-04", "2024-02-26", "2024-03-11"},
           Case{Grain::kMonth, "2024-01-31", "2024-01-01", "2023-12-01", "2024-02-01"},
           Case{Grain::kMonth, "2024-12-31", "2024-12-01", "2024-11-01", "2025-01-01"},
           Case{Grain::kQuarter, "2024-02-29", "2024-01-01", "2023-10-01", "2024-04-01"},
           Case{Grain::kQuarter, "2024-12-01", "2024-10-01", "2024-07-01", "2025-01-01"},
           Case{Grain::kYear, "2024-07-01", "2024-01-01", "2023-01-01", "2025-01-01"},
       }) {
    const Day start = period_start(*day_of(each.day), each.grain);
    EXPECT_EQ(to_text(start), each.start);
    EXPECT_EQ(to_text(previous_period(start, each.grain)), each.previous);
    EXPECT_EQ(to_text(next_period(start, each.grain)), each.next);
  }
}

TEST(Periods, NextAndPreviousAreInverse) {
  for (const Grain grain :
       {Grain::kDay, Grain::kWeek, Grain::kMonth, Grain::kQuarter, Grain::kYear}) {
    Day start = period_start(*day_of("1999-12-31"), grain);
    for (int i = 0; i < 500; ++i) {
      const Day next = next_period(start, grain);
      ASSERT_EQ(previous_period(next, grain), start);
      ASSERT_EQ(period_start(next, grain), next);
      ASSERT_EQ(period_start(next - std::chrono::days(1), grain), start);
      start = next;
    }
  }
}

}  // namespace
}  // namespace oa::reports
