#include "oa/continuity/schedule.h"

#include <gtest/gtest.h>

namespace oa::continuity {
namespace {

using enum catalog::CellRunKind;
using Kinds = std::vector<catalog::CellRunKind>;
using std::chrono::hours;
using std::chrono::minutes;

const Timestamp kNow = Timestamp::parse("2026-06-01T12:00:00Z").value();

Timestamp ago(std::chrono::minutes time) {
  return {kNow.unix_us - std::chrono::microseconds(time).count()};
}

// Everything has just been done.
LastRuns fresh() {
  LastRuns last;
  for (const auto kind : {kFull, kDifferential, kIncremental, kExpire, kVerify, kRestoreCheck})
    last.succeeded[kind] = ago(minutes(1));
  return last;
}

TEST(Schedule, NothingButAFullBackupBeforeThereIsOne) {
  EXPECT_EQ(due_runs({}, {}, kNow), Kinds{kFull});
}

TEST(Schedule, NothingIsDueWhenAllWasJustDone) { EXPECT_TRUE(due_runs({}, fresh(), kNow).empty()); }

TEST(Schedule, OneKindOfBackupAtATime) {
  LastRuns last = fresh();
  last.succeeded[kIncremental] = ago(hours(2));
  last.succeeded[kDifferential] = ago(hours(3));
  last.succeeded[kFull] = ago(hours(4));
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kIncremental});
  last.succeeded[kDifferential] = last.succeeded[kFull] = ago(hours(30));
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kDifferential});
  last.succeeded[kFull] = ago(hours(24 * 8));
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kFull});
}

TEST(Schedule, ABiggerBackupDoesForTheSmallerOnes) {
  LastRuns last = fresh();
  last.succeeded.erase(kIncremental);
  last.succeeded.erase(kDifferential);
  EXPECT_TRUE(due_runs({}, last, kNow).empty());
}

TEST(Schedule, WhatWasNotWrittenIsNotBackedUpAgainButAFullOneIsMade) {
  LastRuns last = fresh();
  last.written_since_backup = false;
  last.succeeded[kIncremental] = last.succeeded[kDifferential] = ago(hours(48));
  last.succeeded[kFull] = ago(hours(49));
  EXPECT_TRUE(due_runs({}, last, kNow).empty());
  last.succeeded[kFull] = ago(hours(24 * 7));
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kFull});
}

TEST(Schedule, ChecksComeSoonAfterTheFirstBackupAndThenByTheirPeriod) {
  LastRuns last;
  last.succeeded[kFull] = ago(minutes(5));
  EXPECT_TRUE(due_runs({}, last, kNow).empty());
  last.succeeded[kFull] = ago(minutes(11));
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kRestoreCheck});
  last = fresh();
  last.succeeded[kExpire] = ago(hours(25));
  last.succeeded[kVerify] = last.succeeded[kRestoreCheck] = ago(hours(24 * 8));
  EXPECT_EQ(due_runs({}, last, kNow), (Kinds{kRestoreCheck, kExpire, kVerify}));
}

TEST(Schedule, WhatFailedIsTriedAgainAfterAWhile) {
  LastRuns last;
  last.failed[kFull] = ago(minutes(3));
  EXPECT_TRUE(due_runs({}, last, kNow).empty());
  last.failed[kFull] = ago(minutes(10));
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kFull});
}

TEST(Schedule, AfterARecoveryAFullOneComesAtOnce) {
  LastRuns last = fresh();
  last.recovered_at = kNow;
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kFull});
  last.recovered_at = ago(minutes(2));  // before the last full one
  EXPECT_TRUE(due_runs({}, last, kNow).empty());
}

TEST(Schedule, AClockThatWasSetBackPutsNothingOff) {
  LastRuns last = fresh();
  last.succeeded[kFull] = last.succeeded[kDifferential] = last.succeeded[kIncremental] =
      ago(-hours(1000));
  EXPECT_EQ(due_runs({}, last, kNow), Kinds{kFull});
}

}  // namespace
}  // namespace oa::continuity
