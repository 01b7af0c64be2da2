#include "oa/continuity/scratch_cluster.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "continuity_testkit.h"
#include "oa/keys/local_key_service.h"
#include "oa/wal/receiver.h"
#include "recovery_settings.h"
#include "scratch_folder.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Three numbers, the moments and places just behind them, all of it archived.
struct History {
  Timestamp after[3];
  wal::Lsn place[3];
};

const History& history() {
  static const History made = [] {
    History numbers;
    // A test that runs alone comes within a second of the first backup.
    const Timestamp from = cluster().repository().info().value().backups.front().restorable_from();
    while (Timestamp::now() < from) std::this_thread::sleep_for(milliseconds(20));
    cluster().session().command("TRUNCATE numbers").value();
    for (int i = 0; i < 3; ++i) {
      numbers.after[i] = cluster().add(i + 1);
      numbers.place[i] = *wal::Lsn::parse(cluster().value("SELECT pg_current_wal_insert_lsn()"));
      cluster().value(fmt::format("SELECT pg_create_restore_point('after {}')", i + 1));
    }
    cluster().archive();
    return numbers;
  }();
  return made;
}

Result<std::unique_ptr<ScratchCluster>> restored(Repository& repository, const std::string& folder,
                                                 const Target& target, const LogSource& log = {}) {
  return ScratchCluster::restore(repository, log, folder + "/scratch", {.target = target},
                                 no_progress());
}

std::string numbers_in(const ScratchCluster& scratch) {
  auto session = SqlSession::open(scratch.settings(), "postgres", scratch.settings().database);
  if (!session.ok()) return session.error().cause;
  const auto text =
      session->value("SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), 'none') FROM numbers");
  return text.ok() ? *text : text.error().cause;
}

std::string numbers_at(const Target& target) {
  history();
  const TestFolder folder;
  const auto scratch = restored(cluster().repository(), folder.path(), target);
  if (!scratch.ok()) {
    return fmt::format("{} {} {}", error_info(scratch.error().code).name, scratch.error().message,
                       scratch.error().cause);
  }
  return numbers_in(**scratch);
}

TEST(Scratch, AtAMoment) {
  const TestFolder folder;
  RecordingProgress progress;
  const Timestamp moment = history().after[1];
  std::string inside;
  {
    const auto scratch =
        ScratchCluster::restore(cluster().repository(), {}, folder.path() + "/scratch",
                                {.target = Target::at(moment)}, progress);
    ASSERT_OK(scratch);
    EXPECT_EQ(numbers_in(**scratch), "1 2");
    EXPECT_EQ(progress.steps, (std::vector<std::string>{"Restoring", "Replaying"}));
    const Reached& reached = (*scratch)->reached();
    EXPECT_EQ(reached.timeline.value, 1u);
    EXPECT_LE(reached.lsn, history().place[2]);
    ASSERT_TRUE(reached.last_commit.has_value());
    EXPECT_LE(*reached.last_commit, moment);
    // It neither changes, nor listens, nor archives.
    auto session = *SqlSession::open((*scratch)->settings(), "postgres", "postgres");
    EXPECT_FALSE(session.command("CREATE TABLE x ()").ok());
    EXPECT_EQ(*session.value("SHOW listen_addresses"), "");
    EXPECT_EQ(*session.value("SHOW archive_mode"), "off");
    inside = (*scratch)->folder();
    EXPECT_TRUE(fs::exists(inside));
    // Somebody who uses it keeps it.
    const auto swept = sweep_scratch(folder.path() + "/scratch");
    ASSERT_OK(swept);
    EXPECT_EQ(*swept, 0u);
  }
  EXPECT_FALSE(fs::exists(inside));
}

TEST(Scratch, JustBeforeAndAtACommit) {
  const TestFolder folder;
  history();
  Timestamp commit;
  {
    const auto scratch =
        restored(cluster().repository(), folder.path(), Target::at(history().after[2]));
    ASSERT_OK(scratch);
    commit = (*scratch)->reached().last_commit.value();
  }
  EXPECT_EQ(numbers_at(Target::at(commit)), "1 2 3");
  EXPECT_EQ(numbers_at(Target::before(commit)), "1 2");
  EXPECT_EQ(numbers_at(Target::at({commit.unix_us - 1})), "1 2");
}

TEST(Scratch, AtAPlaceANameOrTheEnd) {
  EXPECT_EQ(numbers_at(Target::position(history().place[0])), "1");
  EXPECT_EQ(numbers_at(Target::restore_point("after 2")), "1 2");
  EXPECT_EQ(numbers_at(Target::latest()), cluster().value("SELECT string_agg(n::text, ' ' ORDER BY "
                                                          "n) FROM numbers"));
  EXPECT_EQ(numbers_at(Target::restore_point("never made")).substr(0, 18), "backup/wal-missing");
}

// The moment is one, however it is written and whatever zone the server is set to.
TEST(Scratch, TimeZones) {
  const Timestamp moment = history().after[0];
  std::string east = Timestamp{moment.unix_us + 5'400'000'000}.rfc3339();
  east.replace(east.size() - 1, 1, "+01:30");
  cluster().session().command("ALTER DATABASE oneanalytics SET timezone = 'Asia/Kolkata'").value();
  const auto target = Target::parse(east);
  ASSERT_OK(target);
  EXPECT_EQ(numbers_at(*target), "1");
  cluster().session().command("ALTER DATABASE oneanalytics RESET timezone").value();
}

TEST(Scratch, OutsideTheWindow) {
  const auto code = [](const Target& target) { return numbers_at(target).substr(0, 21); };
  const BackupInfo first = cluster().repository().info().value().backups.front();
  EXPECT_EQ(code(Target::at({first.started_at.unix_us})), "backup/outside-window");
  EXPECT_EQ(code(Target::at({0})), "backup/outside-window");
  EXPECT_EQ(code(Target::at({Timestamp::now().unix_us + 3'600'000'000})), "backup/outside-window");
  EXPECT_EQ(code(Target::position({first.start_lsn})), "backup/outside-window");
}

TEST(Scratch, LaterThanTheLog) {
  history();
  const Timestamp moment = cluster().add(4);
  EXPECT_EQ(numbers_at(Target::at(moment)).substr(0, 18), "backup/wal-missing");
}

// Only just now: a marker, a switch, and the archive has it.
TEST(Scratch, SecondsAgo) {
  const Timestamp moment = cluster().add(5);
  const auto archived = [] {
    const auto name = wal::SegmentName::parse(
        cluster().value("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"), {});
    return name.ok() ? name->end() : wal::Lsn{};
  };
  const auto marker =
      make_restorable(cluster().settings(), moment, archived,
                      {.patience = milliseconds(0), .timeout = seconds(30)}, no_progress());
  ASSERT_OK(marker);
  const std::string numbers = numbers_at(Target::at(moment));
  EXPECT_EQ(numbers.substr(numbers.size() - 1), "5") << numbers;
  const auto never = make_restorable(
      cluster().settings(), moment, [] { return wal::Lsn{}; }, {.timeout = milliseconds(50)},
      no_progress());
  EXPECT_EQ(code_of(never), ErrorCode::kTimeout);
  const Timestamp tomorrow{Timestamp::now().unix_us + 86'400'000'000};
  EXPECT_EQ(code_of(make_restorable(cluster().settings(), tomorrow, archived, {}, no_progress())),
            ErrorCode::kOutsideWindow);
}

// The streamed log, without any switch, has what the archive has not yet.
TEST(Scratch, SecondsAgoFromTheStreamedLog) {
  const TestFolder folder;
  const TenantId cell = TenantId::random();
  RootKeySource root;
  root.key_file = folder.path() + "/root.key";
  auto keys = LocalKeyService::create(folder.path() + "/keys", root);
  ASSERT_OK(keys);
  ASSERT_OK((*keys)->create_tenant_key(cell));
  auto log = wal::open_local_wal(folder.path() + "/wal", **keys, cell, wal::Access::kWrite);
  ASSERT_OK(log);
  wal::ReceiverSettings settings;
  settings.conninfo = "host=" + cluster().settings().host + " user=oa_replication";
  settings.slot = "scratch_test";
  auto receiver = wal::Receiver::start(settings, **log);
  ASSERT_OK(receiver);
  const Timestamp moment = cluster().add(6);
  const auto durable = [&] { return (*receiver)->state().durable; };
  const auto marker =
      make_restorable(cluster().settings(), moment, durable,
                      {.patience = seconds(20), .timeout = seconds(20)}, no_progress());
  ASSERT_OK(marker);
  cluster().add(7);
  const auto scratch =
      restored(cluster().repository(), folder.path(), Target::at(moment), {.tail = log->get()});
  ASSERT_OK(scratch);
  const std::string numbers = numbers_in(**scratch);
  EXPECT_EQ(numbers.substr(numbers.size() - 1), "6") << numbers;
  (*receiver)->stop();
  ASSERT_OK(wal::drop_slot(settings));
}

TEST(Scratch, MissingSegmentIsNotTheEnd) {
  history();
  const TestFolder folder;
  cluster().add(8);
  const std::string lost = cluster().value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
  cluster().archive();
  const Timestamp behind = cluster().add(9);
  cluster().add(10);
  cluster().archive();
  copy_repository(folder.path() + "/r");
  fs::remove(find_file(folder.path() + "/r/archive", lost));
  auto repository = repository_at(folder.path() + "/r", passphrase());
  EXPECT_EQ(code_of(restored(repository, folder.path(), Target::at(behind))),
            ErrorCode::kWalMissing);
  EXPECT_EQ(code_of(restored(repository, folder.path(), Target::latest())), ErrorCode::kWalMissing);
  // What is before the gap is there.
  const auto scratch = restored(repository, folder.path(), Target::at(history().after[0]));
  ASSERT_OK(scratch);
  EXPECT_EQ(numbers_in(**scratch), "1");
}

TEST(Scratch, DamagedSegment) {
  const TestFolder folder;
  const Timestamp moment = history().after[1];
  copy_repository(folder.path() + "/r");
  const std::string segment = wal::SegmentName::containing({1}, history().place[0], {}).str();
  damage(find_file(folder.path() + "/r/archive", segment));
  auto repository = repository_at(folder.path() + "/r", passphrase());
  EXPECT_EQ(code_of(restored(repository, folder.path(), Target::at(moment))),
            ErrorCode::kRepositoryDamaged);
  const auto swept = sweep_scratch(folder.path() + "/scratch");
  ASSERT_OK(swept);
  EXPECT_EQ(*swept, 0u);  // it cleared up after itself
}

TEST(Scratch, Cancelled) {
  const TestFolder folder;
  history();
  RecordingProgress progress;
  progress.cancel = [&] { return progress.updates > 2; };
  EXPECT_EQ(code_of(ScratchCluster::restore(cluster().repository(), {}, folder.path() + "/scratch",
                                            {.target = Target::latest()}, progress)),
            ErrorCode::kCancelled);
}

// Another one is being restored: this one waits for it, and need not.
TEST(Scratch, OneIsRestoredAtATime) {
  const TestFolder folder;
  history();
  const std::string scratch = folder.path() + "/scratch";
  fs::create_directory(scratch);
  fs::permissions(scratch, fs::perms{0711});
  std::optional<RestoreTurn> other(RestoreTurn::take(scratch, seconds(1), no_progress()).value());
  const ScratchOptions options{.target = Target::at(history().after[0])};
  RecordingProgress given_up;
  given_up.cancel = [&] { return !given_up.steps.empty(); };
  EXPECT_EQ(
      code_of(ScratchCluster::restore(cluster().repository(), {}, scratch, options, given_up)),
      ErrorCode::kCancelled);
  EXPECT_EQ(given_up.steps, std::vector<std::string>{"Waiting for another restore"});
  RecordingProgress patient;
  patient.cancel = [&] {
    other.reset();
    return false;
  };
  const auto made = ScratchCluster::restore(cluster().repository(), {}, scratch, options, patient);
  ASSERT_OK(made);
  EXPECT_EQ(patient.steps,
            (std::vector<std::string>{"Waiting for another restore", "Restoring", "Replaying"}));
  EXPECT_EQ(numbers_in(**made), "1");
  // While it is used, another one may be restored.
  EXPECT_TRUE(RestoreTurn::take(scratch, seconds(0), no_progress()).ok());
}

TEST(Scratch, SpaceForTheClusterItsLogAndAReserve) {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  EXPECT_EQ(space_needed(10 * kGiB, 2 * kGiB, 1000 * kGiB), 13 * kGiB);
  EXPECT_EQ(space_needed(10 * kGiB, 0, 1000 * kGiB), 11 * kGiB);
  EXPECT_EQ(space_needed(10 * kGiB, 500 * kGiB, 1000 * kGiB), 19 * kGiB);  // no more is kept
  EXPECT_EQ(space_needed(kGiB, 0, 10 * kGiB), kGiB + kGiB / 2);
}

// The connections that we try meanwhile are refused, and that is no cause.
TEST(Scratch, CauseIsWhatEndedTheServer) {
  const TestFolder folder;
  const std::string path = folder.path() + "/log";
  const auto cause = [&](std::string_view log) {
    std::ofstream(path) << log;
    return recovery_error(path, Target::latest()).cause;
  };
  constexpr std::string_view kPoll =
      "2026-04-16 09:42:11 UTC [7] FATAL:  the database system is starting up\n";
  const std::string polls = std::string(kPoll) + std::string(kPoll);
  EXPECT_EQ(cause(polls + "x [1] FATAL:  could not open file \"a\"\n" + polls + "x LOG:  ended\n"),
            "FATAL:  could not open file \"a\"");
  EXPECT_EQ(cause("FATAL:  first\n" + polls + "x [1] PANIC:  second\n"), "PANIC:  second");
  EXPECT_EQ(cause("LOG:  nothing\n"), "LOG:  nothing\n");
}

TEST(Scratch, PathTooLongForASocket) {
  EXPECT_EQ(
      code_of(restored(cluster().repository(), "/tmp/" + std::string(90, 'x'), Target::latest())),
      ErrorCode::kInvalidArgument);
}

// The volume fills up under a restore that had room when it began.
TEST(Scratch, DiskFullOnTheWay) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make a small file system";
  history();
  const TestFolder folder;
  const SmallDisk disk(folder.path() + "/small", 512);
  ASSERT_TRUE(disk.mounted());
  const std::string scratch = folder.path() + "/small/scratch";
  for (const std::string full_at : {"Restoring", "Replaying"}) {
    SCOPED_TRACE(full_at);
    RecordingProgress progress;
    progress.on_step = [&](std::string_view step) {
      if (step == full_at) disk.fill_up_to(0);
    };
    const auto failed =
        ScratchCluster::restore(cluster().repository(), {}, scratch,
                                {.target = Target::at(history().after[1])}, progress);
    EXPECT_EQ(code_of(failed), ErrorCode::kDiskFull) << failed.error().cause;
    EXPECT_EQ(progress.steps.back(), full_at);
    EXPECT_TRUE(programs_on(scratch).empty());
    disk.make_room();
    EXPECT_EQ(sweep_scratch(scratch).value(), 0u);  // it has cleared up after itself
    const auto again = ScratchCluster::restore(cluster().repository(), {}, scratch,
                                               {.target = Target::at(history().after[1])},
                                               no_progress());
    ASSERT_OK(again);
    EXPECT_EQ(numbers_in(**again), "1 2");
  }
  cluster().add(12);
}

// A moment before an upgrade is read with today's statements, and the live cluster stays as it is.
TEST(Scratch, OfBeforeAnUpgrade) {
  const TestFolder folder;
  ArchivingCluster older(folder.path());
  const std::int64_t newest = catalog::Database::newest_migration();
  ASSERT_OK(catalog::Database::migrate_up_to(older.settings(), newest - 1));
  older.session()
      .command("INSERT INTO oa.tenants (id, name, plan, created_at)"
               " VALUES ('6f2b1c3a-5d4e-4f60-8a7b-9c8d7e6f5a4b', 'Before', 'scale', now())")
      .value();
  ASSERT_OK(older.repository().backup(BackupType::kFull, no_progress()));
  older.archive();
  const auto place = wal::Lsn::parse(older.value("SELECT pg_current_wal_insert_lsn()"));
  ASSERT_OK(place);
  ASSERT_OK(catalog::Database::migrate(older.settings()));
  older.archive();
  for (const auto at_target : {AtTarget::kPause, AtTarget::kPromote}) {
    RecordingProgress progress;
    const auto scratch = ScratchCluster::restore(
        older.repository(), {}, folder.path() + "/scratch",
        {.target = Target::position(*place), .at_target = at_target}, progress);
    ASSERT_OK(scratch);
    EXPECT_TRUE(catalog::Database::is_older((*scratch)->settings()).value());
    ASSERT_OK((*scratch)->make_current(progress));
    EXPECT_EQ(progress.steps.back(), "Upgrading");
    EXPECT_FALSE(catalog::Database::is_older((*scratch)->settings()).value());
    ASSERT_OK((*scratch)->make_current(progress));
    const auto then = catalog::Database::open((*scratch)->settings());
    ASSERT_OK(then);
    EXPECT_EQ((*then)->list_tenants().value().at(0).name, "Before");
  }
  EXPECT_EQ(older.value("SELECT timeline_id FROM pg_control_checkpoint()"), "1");
}

// Killed while it restores, recovers or is used; the live server and the next one do not notice.
TEST(Scratch, KilledIsSwept) {
  history();
  const TestFolder folder;
  const std::string scratch = folder.path() + "/scratch";
  fs::create_directory(scratch);
  const auto folders = [&] {
    return std::ranges::count_if(fs::directory_iterator(scratch),
                                 [](const auto& entry) { return entry.is_directory(); });
  };
  for (const int delay_ms : {0, 300, 900, 1600, 2500}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto kept = restored(cluster().repository(), folder.path(), Target::latest());
      for (;;) pause();
    }
    for (int i = 0; i < 1000 && folders() == 0; ++i) std::this_thread::sleep_for(milliseconds(10));
    std::this_thread::sleep_for(milliseconds(delay_ms));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    const auto swept = sweep_scratch(scratch);
    ASSERT_OK(swept);
    EXPECT_EQ(*swept, 1u);
    EXPECT_EQ(folders(), 0);
    EXPECT_TRUE(programs_on(scratch).empty());
  }
  EXPECT_EQ(numbers_at(Target::at(history().after[1])), "1 2");
  cluster().add(11);
}

}  // namespace
}  // namespace oa::continuity
