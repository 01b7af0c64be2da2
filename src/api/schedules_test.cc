#include "schedules.h"

#include "drill_rounds.h"

#include <gtest/gtest.h>

namespace oa::api {
namespace {

using enum catalog::ScheduleFrequency;

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }

TEST(Schedules, TheFirstRunIsAtOnce) {
  const auto now = at("2026-03-01T10:00:00Z");
  EXPECT_EQ(first_run(kDaily, now), now);
  EXPECT_EQ(first_run(kWeekly, now), now);
  EXPECT_EQ(first_run(kOff, now), std::nullopt);
}

TEST(Schedules, TheNextRunIsAtTheSameTimeOfDay) {
  const auto due = at("2026-03-01T10:00:00Z");
  EXPECT_EQ(next_run(kDaily, due, due), at("2026-03-02T10:00:00Z"));
  EXPECT_EQ(next_run(kDaily, due, at("2026-03-01T10:00:59Z")), at("2026-03-02T10:00:00Z"));
  EXPECT_EQ(next_run(kWeekly, due, at("2026-03-01T10:00:59Z")), at("2026-03-08T10:00:00Z"));
}

TEST(Schedules, RunsThatWereMissedAreNotMadeUpFor) {
  const auto due = at("2026-03-01T10:00:00Z");
  EXPECT_EQ(next_run(kDaily, due, at("2026-03-02T09:59:59Z")), at("2026-03-02T10:00:00Z"));
  EXPECT_EQ(next_run(kDaily, due, at("2026-03-02T10:00:00Z")), at("2026-03-03T10:00:00Z"));
  EXPECT_EQ(next_run(kDaily, due, at("2026-04-10T09:00:00Z")), at("2026-04-10T10:00:00Z"));
  EXPECT_EQ(next_run(kWeekly, due, at("2026-03-20T00:00:00Z")), at("2026-03-22T10:00:00Z"));
}

TEST(Schedules, AClockThatWentBackChangesNothing) {
  const auto due = at("2026-03-01T10:00:00Z");
  EXPECT_EQ(next_run(kDaily, due, at("2026-02-01T00:00:00Z")), at("2026-03-02T10:00:00Z"));
}

TEST(DrillRounds, AQuartersDrillsBeginOnItsFifteenthDay) {
  const auto at = [](const char* text) { return Timestamp::parse(text).value(); };
  EXPECT_FALSE(is_drill_time(at("2026-10-01T00:00:00Z")));
  EXPECT_FALSE(is_drill_time(at("2026-10-14T23:59:59Z")));
  EXPECT_TRUE(is_drill_time(at("2026-10-15T00:00:00Z")));
  EXPECT_TRUE(is_drill_time(at("2026-12-31T23:59:59Z")));
  EXPECT_FALSE(is_drill_time(at("2027-01-01T00:00:00Z")));
}

}  // namespace
}  // namespace oa::api
