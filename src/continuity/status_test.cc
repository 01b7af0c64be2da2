#include "oa/continuity/status.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "oa/continuity/retention.h"

namespace oa::continuity {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kHour = 3600 * kSecond, kDay = 24 * kHour;
const Timestamp kNow = Timestamp::parse("2026-06-01T12:00:00Z").value();

Timestamp ago(std::int64_t us) { return {kNow.unix_us - us}; }

catalog::CellRun run_that_ended(Timestamp at, std::int64_t took_us) {
  catalog::CellRun run;
  run.state = catalog::CellRunState::kSucceeded;
  run.started_at = Timestamp{at.unix_us - took_us};
  run.finished_at = at;
  return run;
}

// All is well.
Observed healthy() {
  Observed seen;
  seen.now = kNow;
  seen.on = true;
  seen.on_since = ago(100 * kDay);
  seen.server = catalog::ServerState();
  seen.server->now = kNow;
  seen.server->lsn = 5'000;
  seen.server->size_bytes = 1 << 30;
  seen.server->receiver = catalog::ServerState::Receiver{5'000, 0, false};
  seen.server->slot = catalog::ServerState::Slot{false, 1 << 30};
  seen.server->archiver.on = true;
  seen.server->archiver.archived_at = ago(30 * kSecond);
  BackupInfo full, incremental;
  full.label = "full";
  full.stopped_at = ago(6 * kDay);
  full.database_bytes = incremental.database_bytes = 1'000'000'000;
  incremental.type = BackupType::kIncremental;
  incremental.stopped_at = ago(kHour);
  incremental.stop_lsn = {4'000};
  seen.repository = RepositoryInfo{true, {full, incremental}, {}};
  seen.space = Cell::Space{1 << 30, 1 << 20, 80, 100};
  seen.last_restore_check = seen.last_good_restore_check = run_that_ended(ago(kDay), 9 * kSecond);
  return seen;
}

std::vector<AlarmCode> alarms_of(const Observed& seen) {
  std::vector<AlarmCode> codes;
  for (const auto& alarm : status_of(seen).alarms) codes.push_back(alarm.code);
  return codes;
}

using Codes = std::vector<AlarmCode>;

TEST(CellStatus, AllIsWell) {
  const auto status = status_of(healthy());
  EXPECT_TRUE(status.alarms.empty()) << status.alarms[0].message;
  EXPECT_EQ(status.earliest, Timestamp{ago(6 * kDay).unix_us + kSecond});
  EXPECT_EQ(status.latest, kNow);
  EXPECT_EQ(status.rpo_seconds, 0);
  EXPECT_EQ(status.last_full_at, ago(6 * kDay));
  EXPECT_EQ(status.last_backup_at, ago(kHour));
  EXPECT_EQ(status.last_verified_restore_seconds, 9);
  EXPECT_EQ(status.log_bytes_since_backup, 1'000u);
}

// All is well with a cluster that others run.
Observed healthy_cluster() {
  Observed seen = healthy();
  seen.archive_command = seen.server->archiver.command = "ours";
  seen.cluster = ClusterView();
  seen.cluster->leader = "n1";
  return seen;
}

TEST(CellStatus, OfAClusterThatOthersRun) {
  EXPECT_EQ(alarms_of(healthy_cluster()), Codes());
  const auto with = [](const std::function<void(Observed&)>& change) {
    Observed seen = healthy_cluster();
    change(seen);
    return alarms_of(seen);
  };
  EXPECT_EQ(with([](auto& seen) { seen.cluster->leader.clear(); }), Codes{AlarmCode::kNoLeader});
  EXPECT_EQ(with([](auto& seen) { seen.cluster->paused = true; }), Codes{AlarmCode::kClusterPaused});
  EXPECT_EQ(with([](auto& seen) { seen.cluster->missing = {"n2"}; }), Codes{AlarmCode::kNodeMissing});
  EXPECT_EQ(with([](auto& seen) { seen.server->archiver.command = "cp"; }),
            Codes{AlarmCode::kArchiveCommand});
  EXPECT_EQ(with([](auto& seen) { seen.server->slot.reset(); }), Codes{AlarmCode::kSlotMissing});
  const Error away = make_error(ErrorCode::kDatabaseUnavailable, "test", "away");
  EXPECT_EQ(with([&](auto& seen) { seen.cluster->trouble = away; }), Codes{AlarmCode::kClusterSilent});
  EXPECT_EQ(with([](auto& seen) {
              seen.system_identifier = "7";
              seen.cluster->system_identifier = "8";
            }),
            Codes{AlarmCode::kOtherCluster});
  EXPECT_EQ(with([](auto& seen) { seen.system_identifier = seen.cluster->system_identifier = "7"; }),
            Codes());
  // Postgres shows no command while archiving is off.
  EXPECT_EQ(with([](auto& seen) {
              seen.server->archiver.on = false;
              seen.server->archiver.command = "(disabled)";
            }),
            Codes{AlarmCode::kArchiveFailing});
  // Nobody can write, so nothing more would be lost, however old the last backup is.
  const auto gone = [&](Observed& seen) {
    seen.server.reset();
    seen.database_trouble = away;
    seen.cluster->trouble = away;
  };
  EXPECT_EQ(with(gone), (Codes{AlarmCode::kDatabaseAway, AlarmCode::kClusterSilent}));
  for (int code = 0; code < kAlarmCodes; ++code)
    EXPECT_FALSE(to_text(static_cast<AlarmCode>(code)).empty());
}

TEST(CellStatus, NothingOn) {
  Observed seen;
  seen.now = kNow;
  const auto status = status_of(seen);
  EXPECT_FALSE(status.on);
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kOff});
  EXPECT_EQ(status.alarms[0].severity, Severity::kCritical);
}

TEST(CellStatus, WithoutTheReceiverTheArchiveCounts) {
  Observed seen = healthy();
  seen.server->receiver.reset();
  auto status = status_of(seen);
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kReceiverDown});
  EXPECT_EQ(status.rpo_seconds, 30);
  EXPECT_EQ(status.latest, ago(30 * kSecond));
  seen.server->archiver.archived_at = ago(6 * 60 * kSecond);
  EXPECT_EQ(alarms_of(seen), (Codes{AlarmCode::kRpoAtRisk, AlarmCode::kReceiverDown}));
  EXPECT_EQ(status_of(seen).alarms[0].severity, Severity::kCritical);
}

TEST(CellStatus, TheReceiverLags) {
  Observed seen = healthy();
  seen.server->receiver->lag_us = 20 * kSecond;
  seen.server->receiver->durable_lsn = 4'900;
  const auto status = status_of(seen);
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kReceiverLag});
  EXPECT_EQ(status.rpo_seconds, 20);
  EXPECT_EQ(status.lag_bytes, 100u);
  EXPECT_EQ(status.latest, ago(20 * kSecond));
}

TEST(CellStatus, ArchivingFails) {
  Observed seen = healthy();
  seen.server->archiver.failed_at = ago(10 * kSecond);
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kArchiveFailing});
  EXPECT_EQ(status_of(seen).alarms[0].severity, Severity::kWarning);  // the receiver has it
  seen.server->archiver.failed_at = ago(40 * kSecond);                // it went well since
  EXPECT_TRUE(alarms_of(seen).empty());
}

TEST(CellStatus, WhatTheReceiverFoundDamagedOrMissedIsTold) {
  Observed seen = healthy();
  seen.receiver = wal::ReceiverState();
  EXPECT_TRUE(alarms_of(seen).empty());
  seen.receiver->damaged.emplace();
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kWalGap});
  seen.receiver->damaged.reset();
  seen.receiver->gap.emplace();
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kWalGap});
}

TEST(CellStatus, TheSlotIsLost) {
  Observed seen = healthy();
  seen.server->slot->lost = true;
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kSlotStalled});
}

TEST(CellStatus, BackupsAreLate) {
  Observed seen = healthy();
  seen.repository->backups[1].stopped_at = ago(27 * kHour);
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kBackupOverdue});
  seen.server->lsn = seen.repository->backups[1].stop_lsn.value;  // nothing was written since
  EXPECT_TRUE(alarms_of(seen).empty());
  seen = healthy();
  seen.repository->backups[0].stopped_at = ago(9 * kDay);
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kBackupOverdue});
  seen.repository->backups.clear();
  EXPECT_EQ(alarms_of(seen).front(), AlarmCode::kBackupOverdue);
  EXPECT_FALSE(status_of(seen).earliest.has_value());
}

TEST(CellStatus, WhatWasJustSwitchedOnHasTime) {
  Observed seen = healthy();
  seen.on_since = ago(10 * kSecond);
  seen.repository->backups.clear();
  seen.server->receiver.reset();
  seen.last_restore_check = seen.last_good_restore_check = std::nullopt;
  EXPECT_TRUE(alarms_of(seen).empty());
}

TEST(CellStatus, TheDiskFills) {
  Observed seen = healthy();
  seen.space->free_bytes = 9;
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kDiskLow});
  EXPECT_EQ(status_of(seen).alarms[0].severity, Severity::kWarning);
  seen.space->free_bytes = 2;
  EXPECT_EQ(status_of(seen).alarms[0].severity, Severity::kCritical);
}

TEST(CellStatus, NoProof) {
  Observed seen = healthy();
  seen.last_good_restore_check->finished_at = ago(10 * kDay);
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kNoVerifiedRestore});
  seen = healthy();
  seen.last_restore_check->failure = catalog::JobFailure{"backup/recovery-failed", "why", ""};
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kNoVerifiedRestore});
  EXPECT_EQ(status_of(seen).alarms[0].severity, Severity::kCritical);
}

TEST(CellStatus, TheRepositoryDoesNotAnswerOrIsDamaged) {
  Observed seen = healthy();
  seen.repository.reset();
  seen.repository_trouble = make_error(ErrorCode::kRepositoryUnavailable, "x", "no answer");
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kRepositoryUnavailable});
  seen.repository_trouble = make_error(ErrorCode::kKeyWrong, "x", "another passphrase");
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kRepositoryDamaged});
  seen = healthy();
  seen.last_verify = run_that_ended(ago(kHour), kSecond);
  seen.last_verify->failure = catalog::JobFailure{"backup/repository-damaged", "2 problems", ""};
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kRepositoryDamaged});
}

TEST(CellStatus, TheRestoreWouldTakeTooLong) {
  Observed seen = healthy();
  seen.repository->backups[1].database_bytes = 300'000'000'000;
  seen.last_good_restore_check->detail =
      JsonText::of(json::object{{"restore_bytes_per_second", 100e6},
                                {"replay_bytes_per_second", 50e6},
                                {"start_seconds", 1}});
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kRtoAtRisk});
  EXPECT_NEAR(*status_of(seen).expected_rto_seconds, 3001, 1);
  seen.repository->backups[1].database_bytes = 30'000'000'000;
  seen.server->lsn = 4'000 + 100'000'000'000;
  seen.server->receiver->durable_lsn = seen.server->lsn;
  EXPECT_NEAR(*status_of(seen).expected_rto_seconds, 2301, 1);
}

TEST(TenantWindow, IsTheShortestOfPlanCellAndAge) {
  catalog::Tenant tenant;
  tenant.plan = catalog::Plan::kStarter;
  tenant.created_at = ago(100 * kDay);
  CellStatus status = status_of(healthy());
  status.earliest = ago(40 * kDay);
  EXPECT_EQ(window_of(tenant, {}, status).earliest, ago(7 * kDay));
  tenant.plan = catalog::Plan::kGrowth;
  EXPECT_EQ(window_of(tenant, {}, status).earliest, ago(30 * kDay));
  tenant.plan = catalog::Plan::kScale;
  EXPECT_EQ(window_of(tenant, {}, status).earliest, ago(40 * kDay));
  tenant.created_at = ago(kDay);
  EXPECT_EQ(window_of(tenant, {}, status).earliest, ago(kDay));
  EXPECT_FALSE(window_of(tenant, {}, CellStatus()).earliest.has_value());
}

TEST(TenantWindow, AnUpgradeDoesNotBringBackWhatWasNotKept) {
  catalog::Tenant tenant;
  tenant.plan = catalog::Plan::kScale;
  tenant.created_at = ago(200 * kDay);
  CellStatus status = status_of(healthy());
  status.earliest = ago(95 * kDay);
  const catalog::PlanLeft upgraded[] = {{ago(10 * kDay), catalog::Plan::kStarter}};
  EXPECT_EQ(window_of(tenant, upgraded, status).earliest, ago(17 * kDay));
  const catalog::PlanLeft regretted[] = {{ago(12 * kDay), catalog::Plan::kScale},
                                         {ago(10 * kDay), catalog::Plan::kStarter}};
  EXPECT_EQ(window_of(tenant, regretted, status).earliest, ago(90 * kDay));
  tenant.plan = catalog::Plan::kStarter;
  const catalog::PlanLeft downgraded[] = {{ago(3 * kDay), catalog::Plan::kScale}};
  EXPECT_EQ(window_of(tenant, downgraded, status).earliest, ago(7 * kDay));
}

TEST(CellStatus, AReceiverThatDoesNotGetOnCountsForNothing) {
  Observed seen = healthy();
  seen.server->receiver->durable_lsn = 4'000;
  seen.server->receiver->stalled = true;
  const auto status = status_of(seen);
  EXPECT_EQ(status.rpo_seconds, 30);
  EXPECT_EQ(status.latest, ago(30 * kSecond));
  EXPECT_EQ(alarms_of(seen), Codes{AlarmCode::kReceiverLag});
}

TEST(CellStatus, NothingIsPromisedWithoutABackup) {
  Observed seen = healthy();
  seen.on_since = ago(10 * kSecond);
  seen.repository->backups.clear();
  const auto status = status_of(seen);
  EXPECT_FALSE(status.rpo_seconds.has_value());
  EXPECT_EQ(status.state(), CellState::kStarting);
}

TEST(TenantWindow, AMomentLiesInItOrIsRefused) {
  const TenantWindow window{7, ago(7 * kDay), ago(kSecond), std::nullopt};
  EXPECT_TRUE(check_moment(window, *window.earliest, kNow).ok());
  EXPECT_TRUE(check_moment(window, kNow, kNow).ok());
  for (const auto at : {Timestamp{window.earliest->unix_us - 1}, Timestamp{kNow.unix_us + 1}}) {
    const Status refused = check_moment(window, at, kNow);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kOutsideWindow);
    EXPECT_FALSE(refused.error().hint.empty());
  }
  EXPECT_FALSE(check_moment({7, std::nullopt, std::nullopt, std::nullopt}, ago(kSecond), kNow).ok());
  const TenantWindow unknown{7, std::nullopt, std::nullopt,
                             make_error(ErrorCode::kRepositoryUnavailable, "x", "no answer")};
  EXPECT_EQ(check_moment(unknown, ago(kSecond), kNow).error().code,
            ErrorCode::kRepositoryUnavailable);
}

TEST(KeptDays, TheLongestOfAll) {
  using enum catalog::Plan;
  EXPECT_EQ(kept_days(std::vector<catalog::Plan>{}), 7);
  EXPECT_EQ(kept_days(std::vector{kStarter}), 7);
  EXPECT_EQ(kept_days(std::vector{kStarter, kGrowth}), 30);
  const std::vector<std::pair<TenantId, catalog::Plan>> all = {
      {TenantId::random(), kStarter}, {TenantId::random(), kScale}, {TenantId::random(), kGrowth}};
  EXPECT_EQ(kept_days(all), 90);
}

}  // namespace
}  // namespace oa::continuity
