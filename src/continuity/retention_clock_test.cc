// Expiry over months, with a moved clock: Postgres and pgbackrest run under libfaketime, which reads
// the offset of their clock from a file.
#include <fmt/format.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "continuity_testkit.h"
#include "oa/base/clock.h"
#include "oa/continuity/scratch_cluster.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr int kDays = 112, kFullEvery = 16, kIncrementalAfter = 8;
constexpr const char* kFaketime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

Timestamp days_before(Timestamp at, double days) {
  return {at.unix_us - static_cast<std::int64_t>(days * kDayUs)};
}

// A clock for programs, so many days behind the true one.
class MovedClock {
 public:
  explicit MovedClock(const std::string& folder) : file_(folder + "/clock") { set_back(0); }
  void set_back(double days) const {
    std::ofstream(file_ + ".new") << fmt::format("-{}s\n", static_cast<long>(days * 86400));
    fs::permissions(file_ + ".new", fs::perms(0644));
    fs::rename(file_ + ".new", file_);
  }
  std::vector<std::string> environment() const {
    return {std::string("LD_PRELOAD=") + kFaketime, "FAKETIME_TIMESTAMP_FILE=" + file_,
            "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"};
  }

 private:
  std::string file_;
};

// While it lives, `pgbackrest` is found first as a script that runs the real one on that clock.
class ClockedBackups {
 public:
  ClockedBackups(const std::string& folder, const MovedClock& clock)
      : path_(std::getenv("PATH")), real_(find_pgbackrest().value()) {
    const std::string programs = folder + "/programs";
    fs::create_directory(programs);
    fs::permissions(programs, fs::perms(0755));
    std::ofstream script(programs + "/pgbackrest");
    script << "#!/bin/sh\n";
    for (const auto& variable : clock.environment()) script << "export " << variable << "\n";
    script << "exec " << real_ << " \"$@\"\n";
    script.close();
    fs::permissions(programs + "/pgbackrest", fs::perms(0755));
    setenv("PATH", (programs + ":" + path_).c_str(), 1);
  }
  ~ClockedBackups() { setenv("PATH", path_.c_str(), 1); }
  ClockedBackups(const ClockedBackups&) = delete;
  ClockedBackups& operator=(const ClockedBackups&) = delete;

 private:
  const std::string path_, real_;
};

// The archiving cluster's server on the moved clock.
class ClockedServer {
 public:
  ClockedServer(const ArchivingCluster& cluster, const Repository& repository,
                const MovedClock& clock) {
    std::vector<std::string> arguments = {"/usr/bin/env"};
    for (const auto& variable : clock.environment()) arguments.push_back(variable);
    const std::string folder = cluster.folder() + "/postgres";
    arguments.insert(arguments.end(), {postgres::find_postgres_programs().value() + "/postgres",
                                       "-D", folder + "/data"});
    for (const std::string& setting :
         {std::string("listen_addresses="), "unix_socket_directories=" + folder + "/socket",
          std::string("archive_mode=on"), "archive_command=" + repository.archive_command(),
          std::string("wal_level=replica"), std::string("autovacuum=off"),
          std::string("shared_buffers=32MB"), std::string("checkpoint_timeout=1d")})
      arguments.insert(arguments.end(), {"-c", setting});
    const int log = open((cluster.folder() + "/server.log").c_str(),
                         O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const auto files = repository.files();
    pid_ = postgres::spawn(*postgres::server_account(), arguments, log, files).value();
    close(log);
    for (int i = 0; i < 500; ++i) {
      if (SqlSession::open(cluster.settings(), "postgres", "postgres").ok()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    OA_ASSERT(false);
  }
  ~ClockedServer() {
    kill(pid_, SIGINT);
    postgres::wait_for_exit(pid_);
  }
  ClockedServer(const ClockedServer&) = delete;
  ClockedServer& operator=(const ClockedServer&) = delete;

 private:
  pid_t pid_ = 0;
};

std::set<std::string> archived_segments(const std::string& repository) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(repository + "/archive/main")) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && name.size() > 25 && name[24] == '-')
      names.insert(name.substr(0, 24));
  }
  return names;
}

// That `at` can be restored: a backup ended before, what it builds on is there, and all log from it
// to `at`, here up to the newest.
testing::AssertionResult restorable(const RepositoryInfo& info,
                                    const std::set<std::string>& segments, Timestamp at,
                                    Timestamp now) {
  const auto path = choose_path(info, {}, Target::at(at), now);
  if (!path.ok()) return testing::AssertionFailure() << path.error().message;
  for (const BackupInfo* each = &path->backup; !each->prior.empty(); each = info.find(each->prior))
    if (info.find(each->prior) == nullptr)
      return testing::AssertionFailure() << each->label << " builds on what is gone";
  const auto first = wal::SegmentName::parse(path->backup.first_segment, {}).value();
  const auto last = wal::SegmentName::parse(*segments.rbegin(), {}).value();
  for (auto number = first.number; number <= last.number; ++number) {
    const wal::SegmentName segment{first.timeline, number};
    if (!segments.contains(segment.str()))
      return testing::AssertionFailure() << "segment " << segment.str() << " is gone";
  }
  return testing::AssertionSuccess();
}

struct Written {
  int number = 0;
  Timestamp at;
};

class RetentionClock : public testing::Test {
 protected:
  RetentionClock() : clock_(folder_.path()), backups_(folder_.path(), clock_) {}

  // A row each third day, a full backup each sixteenth and an incremental one between.
  void live_through_the_days() {
    ArchivingCluster cluster(folder_.path());
    cluster.stop();
    const ClockedServer server(cluster, cluster.repository(), clock_);
    for (int day = 0; day < kDays; ++day) {
      clock_.set_back(kDays - day);
      if (day % kFullEvery == 0)
        ASSERT_OK(cluster.repository().backup(BackupType::kFull, no_progress()));
      if (day % kFullEvery == kIncrementalAfter)
        ASSERT_OK(cluster.repository().backup(BackupType::kIncremental, no_progress()));
      if (day % 3 == 1) {
        auto session = SqlSession::open(cluster.settings(), "postgres",
                                        cluster.settings().database).value();
        ASSERT_OK(session.command(fmt::format("INSERT INTO numbers VALUES ({})", day)));
        const auto us = session.value(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").value();
        written_.push_back({day, {std::stoll(us)}});
        ASSERT_OK(session.command("SELECT pg_switch_wal()"));
      }
    }
    clock_.set_back(0);
    ASSERT_OK(cluster.repository().check());  // all of the log is there
    first_label_ = cluster.repository().info().value().backups.front().label;
  }
  std::vector<Timestamp> moments() const {
    std::vector<Timestamp> all;
    for (const auto& each : written_) all.push_back({each.at.unix_us + 1'000'000});
    return all;
  }
  // In days, of the clock at noon of that day.
  static double behind(int day) { return kDays - day - 0.5; }

  TestFolder folder_;
  MovedClock clock_;
  ClockedBackups backups_;
  std::vector<Written> written_;
  std::string first_label_;
};

TEST_F(RetentionClock, InsideTheWindowNothingEverGoesAndOutsideItDoes) {
  live_through_the_days();
  for (const int window : {7, 30, 90}) {
    const std::string copy = folder_.path() + "/copy" + std::to_string(window);
    ASSERT_EQ(system(fmt::format("cp -a {}/repository {}", folder_.path(), copy).c_str()), 0);
    Repository repository = Repository::open({.folder = copy,
                                              .run_folder = folder_.path() + "/run",
                                              .data_folder = folder_.path() + "/postgres/data",
                                              .socket_folder = folder_.path() + "/postgres/socket",
                                              .account = *postgres::server_account()},
                                             passphrase())
                                .value();
    for (int day = 1; day <= kDays; day += 3) {
      SCOPED_TRACE(fmt::format("window of {} days, day {}", window, day));
      clock_.set_back(behind(day));
      const Timestamp now = days_before(Timestamp::now(), behind(day));
      ASSERT_OK(repository.expire(static_cast<unsigned>(window)));
      const auto info = repository.info().value();
      const auto segments = archived_segments(copy);
      const Timestamp begin = days_before(now, window);
      for (const Timestamp at : moments()) {
        if (begin <= at && at <= now) EXPECT_TRUE(restorable(info, segments, at, Timestamp::now()));
      }
      // What only moments outside need: one full period at most.
      ASSERT_FALSE(info.backups.empty());
      EXPECT_GE(info.backups.front().stopped_at, days_before(begin, kFullEvery + 1));
      if (info.backups.front().label != first_label_)
        EXPECT_EQ(*segments.begin(), info.backups.front().first_segment);
    }
    clock_.set_back(0);
    // The oldest of the window, for real.
    for (const auto& each : written_) {
      if (each.at < days_before(Timestamp::now(), window)) continue;
      const auto cluster = ScratchCluster::restore(
          repository, {}, folder_.path() + "/scratch",
          {.target = Target::at({each.at.unix_us + 1'000'000})}, no_progress());
      ASSERT_OK(cluster);
      auto session = SqlSession::open((*cluster)->settings(), "postgres",
                                      (*cluster)->settings().database).value();
      EXPECT_EQ(session.value("SELECT max(n) FROM numbers").value(), std::to_string(each.number));
      break;
    }
  }
}

// The server's clock is put forward an hour and back again: no commit is lost, places in the log say
// exactly where, and a moment means all before the first commit behind it.
TEST_F(RetentionClock, ASteppedClockLosesNothing) {
  constexpr double kHour = 1.0 / 24;
  ArchivingCluster cluster(folder_.path());
  cluster.stop();
  clock_.set_back(3 * kHour);
  const ClockedServer server(cluster, cluster.repository(), clock_);
  ASSERT_OK(cluster.repository().backup(BackupType::kFull, no_progress()));
  auto session =
      SqlSession::open(cluster.settings(), "postgres", cluster.settings().database).value();
  std::vector<Timestamp> at;
  std::vector<wal::Lsn> behind;
  const auto add = [&](int number) {
    session.command(fmt::format("INSERT INTO numbers VALUES ({})", number)).value();
    const auto row = session
                         .row("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,"
                              " pg_current_wal_insert_lsn()")
                         .value();
    at.push_back({std::stoll(*row[0])});
    behind.push_back(*wal::Lsn::parse(*row[1]));
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // behind the backup's last second
  add(1);
  clock_.set_back(2 * kHour);
  add(2);
  clock_.set_back(3 * kHour);
  add(3);
  ASSERT_GT(at[1], at[2]);
  ASSERT_OK(make_restorable(cluster.settings(), at[2],
                            [&] {
                              const auto segment = wal::SegmentName::parse(
                                  session.value("SELECT coalesce(last_archived_wal, '')"
                                                " FROM pg_stat_archiver").value(), {});
                              return segment.ok() ? segment->end() : wal::Lsn();
                            },
                            {.patience = std::chrono::milliseconds(0)}, no_progress()));
  const auto numbers_at = [&](const Target& target) -> std::string {
    const auto restored = ScratchCluster::restore(cluster.repository(), {},
                                                  folder_.path() + "/scratch", {.target = target},
                                                  no_progress());
    if (!restored.ok()) return restored.error().message + restored.error().cause;
    return SqlSession::open((*restored)->settings(), "postgres", (*restored)->settings().database)
        .value()
        .value("SELECT string_agg(n::text, ' ' ORDER BY n) FROM numbers")
        .value();
  };
  EXPECT_EQ(numbers_at(Target::latest()), "1 2 3");
  for (std::size_t i = 0; i < at.size(); ++i)
    EXPECT_EQ(numbers_at(Target::position(behind[i], false)), std::string("1 2 3", 1 + 2 * i));
  EXPECT_EQ(numbers_at(Target::at({at[0].unix_us + 1000})), "1");
  // No commit is behind it, so that it cannot be known that all before it are there.
  EXPECT_TRUE(numbers_at(Target::at({at[1].unix_us + 1000})).starts_with("the write-ahead log ends before"));
  // Of a moment that came twice, what was there the first time.
  EXPECT_EQ(numbers_at(Target::at({at[2].unix_us + 1000})), "1");
  EXPECT_EQ(session.value("SELECT count(*) FROM numbers").value(), "3");
}

}  // namespace
}  // namespace oa::continuity
