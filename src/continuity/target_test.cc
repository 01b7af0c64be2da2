#include "continuity_testkit.h"
#include "oa/continuity/scratch_cluster.h"

namespace oa::continuity {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

Timestamp second(std::int64_t number) { return {1'800'000'000 * kSecond + number * kSecond}; }

BackupInfo backup(const char* label, int stop, std::uint64_t stop_lsn, std::uint32_t timeline = 1) {
  BackupInfo info;
  info.label = label;
  info.started_at = second(stop - 1);
  info.stopped_at = second(stop);
  info.start_lsn = {stop_lsn - 100};
  info.stop_lsn = {stop_lsn};
  info.timeline = {timeline};
  return info;
}

RepositoryInfo repository(std::vector<BackupInfo> backups) {
  RepositoryInfo info;
  info.stanza = true;
  info.backups = std::move(backups);
  return info;
}

std::string chosen(const RepositoryInfo& info, const std::vector<TimelineInfo>& timelines,
                   const Target& target) {
  const auto path = choose_path(info, timelines, target, second(1000));
  if (!path.ok()) return std::string(error_info(path.error().code).name);
  return path->backup.label + " " + std::to_string(path->timeline.value);
}

TEST(Target, WhatAPersonTypes) {
  const auto typed = [](std::string_view text) {
    const auto target = Target::parse(text);
    return target.ok() ? target->text() : std::string(error_info(target.error().code).name);
  };
  EXPECT_EQ(typed("2026-04-16T09:42:11Z"), "2026-04-16T09:42:11.000000Z");
  EXPECT_EQ(typed("2026-04-16T11:42:11.000001+02:00"), "2026-04-16T09:42:11.000001Z");
  EXPECT_EQ(typed("2026-04-16T00:12:11.5-09:30"), "2026-04-16T09:42:11.500000Z");
  EXPECT_EQ(typed("16/B374D848"), "16/B374D848");
  EXPECT_EQ(typed("latest"), "latest");
  EXPECT_EQ(typed("immediate"), "immediate");
  EXPECT_EQ(typed("before the migration"), "restore point before the migration");
  EXPECT_EQ(typed("release 1/2"), "restore point release 1/2");
  EXPECT_EQ(Target::before(second(0)).text(), "just before " + second(0).rfc3339());
  for (const std::string& text :
       {std::string("2026-04-16T09:42:11"), std::string("2026-04-16 09:42"), std::string(),
        std::string(64, 'x'), std::string("a\nb"), std::string("\xff"), std::string("16/ZZ"),
        std::string("16/"), std::string("/B374D848"), std::string("123456789/0"),
        std::string("16/B374D848 ")})
    EXPECT_EQ(typed(text), "request/invalid") << text;
}

TEST(Path, NewestBackupThatEndedBefore) {
  const auto info =
      repository({backup("a", 10, 1000), backup("b", 20, 2000), backup("c", 30, 3000)});
  EXPECT_EQ(chosen(info, {}, Target::at(second(21))), "b 1");
  EXPECT_EQ(chosen(info, {}, Target::at({second(21).unix_us - 1})), "a 1");
  EXPECT_EQ(chosen(info, {}, Target::before(second(500))), "c 1");
  EXPECT_EQ(chosen(info, {}, Target::position({2999})), "b 0");
  EXPECT_EQ(chosen(info, {}, Target::position({3000})), "c 0");
  EXPECT_EQ(chosen(info, {}, Target::latest()), "c 0");
  EXPECT_EQ(chosen(info, {}, Target::immediate()), "c 0");
  EXPECT_EQ(chosen(info, {}, Target::restore_point("x")), "a 0");
}

TEST(Path, OutsideTheWindow) {
  const auto info = repository({backup("a", 10, 1000)});
  EXPECT_EQ(chosen(info, {}, Target::at({second(11).unix_us - 1})), "backup/outside-window");
  EXPECT_EQ(chosen(info, {}, Target::at(second(1000))), "a 1");
  EXPECT_EQ(chosen(info, {}, Target::at({second(1000).unix_us + 1})), "backup/outside-window");
  EXPECT_EQ(chosen(info, {}, Target::position({999})), "backup/outside-window");
  EXPECT_EQ(chosen(repository({}), {}, Target::latest()), "backup/outside-window");
}

// A recovery at second 50 to second 25 cut off what was done since; timeline 2 begins there.
TEST(Path, EachMomentOnItsTimeline) {
  const auto info = repository({backup("a", 10, 1000), backup("b", 20, 2000), backup("c", 30, 3000),
                                backup("d", 60, 2800, 2)});
  const std::vector<TimelineInfo> timelines = {{{2}, second(50), {{{1}, {2500}}}}};
  EXPECT_EQ(chosen(info, timelines, Target::at(second(40))), "c 1");  // cut off, but still there
  EXPECT_EQ(chosen(info, timelines, Target::at(second(55))), "b 2");  // not c: it was cut off
  EXPECT_EQ(chosen(info, timelines, Target::at(second(70))), "d 2");
  EXPECT_EQ(chosen(info, timelines, Target::latest()), "d 0");
}

// At second 50 another node took over; at 60 the first one, which had stood still, led on; at 80 there
// was an orderly switchover from it.
TEST(Path, ANodeThatStoodStillLeadsOn) {
  const auto info = repository({backup("a", 10, 1000), backup("b", 55, 2600, 2), backup("c", 70, 2900, 1)});
  std::vector<TimelineInfo> timelines = {{{1}, {}, {}, {second(60)}},
                                         {{2}, second(50), {{{1}, {2500}}}}};
  EXPECT_EQ(chosen(info, timelines, Target::at(second(40))), "a 1");
  EXPECT_EQ(chosen(info, timelines, Target::at(second(59))), "b 2");
  EXPECT_EQ(chosen(info, timelines, Target::at(second(61))), "a 1");  // not b: it is on what was left
  EXPECT_EQ(chosen(info, timelines, Target::at(second(75))), "c 1");
  EXPECT_EQ(chosen(info, timelines, Target::latest()), "c 1");
  EXPECT_EQ(chosen(info, timelines, Target::position({2950})), "c 1");
  timelines.push_back({{3}, second(80), {{{1}, {3000}}}});
  EXPECT_EQ(chosen(info, timelines, Target::at(second(79))), "c 1");
  EXPECT_EQ(chosen(info, timelines, Target::at(second(85))), "c 3");
  EXPECT_EQ(chosen(info, timelines, Target::latest()), "c 0");
}

TEST(Path, BackupByName) {
  const auto info = repository({backup("a", 10, 1000), backup("b", 20, 2000)});
  const auto path = choose_path(info, {}, Target::latest(), second(1000), "a");
  ASSERT_OK(path);
  EXPECT_EQ(path->backup.label, "a");
  EXPECT_EQ(code_of(choose_path(info, {}, Target::latest(), second(1000), "x")),
            ErrorCode::kNotFound);
  EXPECT_EQ(code_of(choose_path(info, {}, Target::at(second(15)), second(1000), "b")),
            ErrorCode::kOutsideWindow);
}

}  // namespace
}  // namespace oa::continuity
