#include "oa/continuity/pitr.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cluster_swap.h"
#include "continuity_testkit.h"
#include "oa/keys/local_key_service.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* kNumbers =
    "SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), 'none') FROM numbers";

// A cluster with a backup, two numbers, and the moments behind them.
class Pitr : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(live_.repository().backup(BackupType::kFull, no_progress()));
    std::this_thread::sleep_for(milliseconds(1100));  // backups end in whole seconds
    first_ = live_.add(1);
    second_ = live_.add(2);
    live_.archive();
  }
  Result<PitrResult> in_place(const Target& target, const CellChecks& checks = {}) {
    return recover_in_place(live_.repository(), {}, postgres(),
                            {.target = target, .checks = checks}, no_progress());
  }
  std::string postgres() const { return folder_.path() + "/postgres"; }
  std::string scratch_numbers(const Target& target) {
    const auto scratch = ScratchCluster::restore(live_.repository(), {}, folder_.path() + "/s",
                                                 {.target = target}, no_progress());
    if (!scratch.ok()) return scratch.error().message + " " + scratch.error().cause;
    auto session = *SqlSession::open((*scratch)->settings(), "postgres", "oneanalytics");
    return *session.value(kNumbers);
  }
  std::size_t leftovers() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(postgres())) {
      const std::string name = entry.path().filename();
      if (name == "data.next" || name == "data.next.journal") ++count;
      if (name == "recovery")
        for (const auto& inner : fs::directory_iterator(entry.path()))
          count += inner.is_directory();
    }
    return count;
  }

  TestFolder folder_;
  ArchivingCluster live_{folder_.path()};
  Timestamp first_, second_;
};

TEST_F(Pitr, InPlaceThereAndBack) {
  EXPECT_EQ(code_of(in_place(Target::at(first_))), ErrorCode::kBusy);  // the server runs
  live_.stop();
  std::string checked;
  const auto back = in_place(
      Target::at(first_), [&](const catalog::ConnectionSettings& settings, Progress&) -> Status {
        auto session = SqlSession::open(settings, "postgres", "oneanalytics");
        if (!session.ok()) return session.error();
        checked = *session->value(kNumbers);
        return {};
      });
  ASSERT_OK(back);
  EXPECT_EQ(checked, "1");
  EXPECT_EQ(back->reached.timeline.value, 1u);
  EXPECT_TRUE(fs::exists(back->kept_folder + "/PG_VERSION"));
  EXPECT_EQ(leftovers(), 0u);
  live_.start();
  EXPECT_EQ(live_.value(kNumbers), "1");
  EXPECT_EQ(live_.value("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"), "00000002");
  const Timestamp third = live_.add(3);
  live_.archive();
  // Moments of before, what was cut off included, and of after.
  EXPECT_EQ(scratch_numbers(Target::at(first_)), "1");
  EXPECT_EQ(scratch_numbers(Target::latest()), "1 3");
  live_.add(4);
  live_.archive();
  EXPECT_EQ(scratch_numbers(Target::at(third)), "1 3");

  live_.stop();
  const auto undone = undo_recovery(live_.repository(), {}, postgres(), no_progress());
  ASSERT_OK(undone);
  live_.start();
  EXPECT_EQ(live_.value(kNumbers), "1 2");
  EXPECT_EQ(live_.value("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"), "00000003");
  live_.add(5);
  live_.archive();
  EXPECT_EQ(scratch_numbers(Target::latest()), "1 2 5");

  live_.stop();
  ASSERT_OK(undo_recovery(live_.repository(), {}, postgres(), no_progress()));
  live_.start();
  EXPECT_EQ(live_.value(kNumbers), "1 3 4");
  const auto kept = kept_clusters(postgres());
  ASSERT_OK(kept);
  EXPECT_EQ(kept->size(), 1u);
  EXPECT_EQ(leftovers(), 0u);
  ASSERT_OK(live_.repository().backup(BackupType::kFull, no_progress()));
}

// A node took over (here, a recovery to the end), and the one that had stood still leads on without a
// new timeline.
TEST_F(Pitr, MomentsOfAClusterThatIsOnAnOlderTimelineAgain) {
  const TenantId cell = TenantId::random();
  RootKeySource root;
  root.key_file = folder_.path() + "/root.key";
  auto keys = LocalKeyService::create(folder_.path() + "/keys", root);
  ASSERT_OK(keys);
  ASSERT_OK((*keys)->create_tenant_key(cell));
  auto log = wal::open_local_wal(folder_.path() + "/wal", **keys, cell, wal::Access::kWrite);
  ASSERT_OK(log);
  ASSERT_OK((*log)->bind(
      {std::stoull(live_.value("SELECT system_identifier FROM pg_control_system()")), {}}));
  ASSERT_OK((*log)->note_lead({first_, {1}}));

  live_.stop();
  const auto taken_over = in_place(Target::latest());
  ASSERT_OK(taken_over);
  live_.start();
  ASSERT_OK((*log)->note_lead({Timestamp::now(), {2}}));
  const Timestamp other = live_.add(10);
  live_.archive();
  live_.stop();

  fs::remove_all(postgres() + "/data");
  fs::rename(taken_over->kept_folder, postgres() + "/data");
  live_.start();
  ASSERT_EQ(live_.value("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"), "00000001");
  ASSERT_OK((*log)->note_lead({Timestamp::now(), {1}}));
  const Timestamp third = live_.add(3);
  live_.add(4);
  live_.archive();

  const auto numbers = [&](const Target& target) {
    const auto scratch = ScratchCluster::restore(live_.repository(), {.tail = log->get()},
                                                 folder_.path() + "/s", {.target = target},
                                                 no_progress());
    if (!scratch.ok()) return scratch.error().message + " " + scratch.error().cause;
    auto session = *SqlSession::open((*scratch)->settings(), "postgres", "oneanalytics");
    return *session.value(kNumbers);
  };
  EXPECT_EQ(scratch_numbers(Target::latest()), "1 2 10");  // who does not know which one led
  EXPECT_EQ(numbers(Target::latest()), "1 2 3 4");
  EXPECT_EQ(numbers(Target::at(third)), "1 2 3");
  EXPECT_EQ(numbers(Target::at(other)), "1 2 10");  // what was left behind is still there
  EXPECT_EQ(numbers(Target::at(first_)), "1");
}

TEST_F(Pitr, ChecksThatFailLeaveTheOldOne) {
  live_.stop();
  const auto refused =
      in_place(Target::at(first_), [](const catalog::ConnectionSettings&, Progress&) -> Status {
        return make_error(ErrorCode::kPreconditionFailed, "test", "no");
      });
  EXPECT_EQ(code_of(refused), ErrorCode::kPreconditionFailed);
  EXPECT_EQ(code_of(in_place(Target::at({0}))), ErrorCode::kOutsideWindow);
  EXPECT_EQ(code_of(undo_recovery(live_.repository(), {}, postgres(), no_progress())),
            ErrorCode::kNotFound);
  EXPECT_EQ(leftovers(), 0u);
  live_.start();
  EXPECT_EQ(live_.value(kNumbers), "1 2");
}

TEST_F(Pitr, IntoANewFolder) {
  const std::string target = folder_.path() + "/new";
  EXPECT_EQ(code_of(recover_into(live_.repository(), {}, postgres(), {.target = Target::latest()},
                                 no_progress())),
            ErrorCode::kConflict);
  const auto made =
      recover_into(live_.repository(), {}, target, {.target = Target::at(first_)}, no_progress());
  ASSERT_OK(made);
  EXPECT_EQ(live_.value(kNumbers), "1 2");
  const auto server = catalog::EmbeddedPostgres::start(target, catalog::ServerUse::kRun);
  ASSERT_OK(server);
  auto session = *SqlSession::open((*server)->settings(), "postgres", "oneanalytics");
  EXPECT_EQ(*session.value(kNumbers), "1");
  EXPECT_EQ(*session.value("SHOW data_checksums"), "on");
  ASSERT_OK(session.command("INSERT INTO numbers VALUES (9)"));
}

// Killed at any point, the cluster is the old one or the new one, whole.
TEST_F(Pitr, KilledInPlace) {
  live_.stop();
  for (const int delay_ms : {200, 900, 1800, 2600, 3400}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(in_place(Target::at(first_)).ok() ? 0 : 1);
    std::this_thread::sleep_for(milliseconds(delay_ms));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    ASSERT_OK(settle_recovery(postgres()));
    EXPECT_EQ(leftovers(), 0u);
  }
  live_.start();
  const std::string numbers = live_.value(kNumbers);
  const auto kept = kept_clusters(postgres());
  ASSERT_OK(kept);
  EXPECT_EQ(numbers, kept->empty() ? "1 2" : "1");
}

// The steps of a swap that a crash can come between.
class Swap : public testing::Test {
 protected:
  void SetUp() override {
    make("data", "old");
    make("new", "new");
  }
  void make(const std::string& name, const std::string& content) const {
    fs::create_directory(path(name));
    std::ofstream(path(name) + "/content") << content;
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name) + "/content");
    std::string text;
    file >> text;
    return text;
  }
  void journal(const std::string& newcomer, const std::string& back) const {
    struct stat info {};
    OA_ASSERT(stat(path(newcomer).c_str(), &info) == 0);
    std::ofstream(path("data.next.journal"))
        << fmt::format("{} data.before-x {}\n", info.st_ino, back);
  }
  Status settle() const {
    OA_ASSIGN(auto swap, ClusterSwap::lock(folder_.path()));
    return swap.settle();
  }
  TestFolder folder_;
};

TEST_F(Swap, Whole) {
  auto swap = ClusterSwap::lock(folder_.path());
  ASSERT_OK(swap);
  EXPECT_EQ(code_of(ClusterSwap::lock(folder_.path())), ErrorCode::kBusy);
  const auto kept = swap->exchange(path("new"), "");
  ASSERT_OK(kept);
  EXPECT_EQ(content("data"), "new");
  EXPECT_EQ(content(fs::path(*kept).filename()), "old");
  EXPECT_FALSE(fs::exists(path("data.next")));
  EXPECT_FALSE(fs::exists(path("data.next.journal")));
}

TEST_F(Swap, CutShortBeforeTheExchange) {
  journal("new", "");
  fs::rename(path("new"), path("data.next"));
  ASSERT_OK(settle());
  EXPECT_EQ(content("data"), "old");
  EXPECT_FALSE(fs::exists(path("data.next")));
}

TEST_F(Swap, CutShortBeforeTheExchangeOfAKeptOne) {
  journal("new", "data.before-1");
  fs::rename(path("new"), path("data.next"));
  ASSERT_OK(settle());
  EXPECT_EQ(content("data"), "old");
  EXPECT_EQ(content("data.before-1"), "new");
}

TEST_F(Swap, CutShortAfterTheExchange) {
  journal("new", "");
  fs::rename(path("data"), path("data.next"));
  fs::rename(path("new"), path("data"));
  ASSERT_OK(settle());
  EXPECT_EQ(content("data"), "new");
  EXPECT_EQ(content("data.before-x"), "old");
}

TEST_F(Swap, NothingIsRemovedOnAGuess) {
  fs::rename(path("new"), path("data.next"));
  EXPECT_EQ(code_of(settle()), ErrorCode::kConflict);
  std::ofstream(path("data.next.journal")) << "?\n";
  EXPECT_EQ(code_of(settle()), ErrorCode::kIo);
  EXPECT_EQ(content("data.next"), "new");
}

}  // namespace
}  // namespace oa::continuity
