#include "oa/wal/first_record.h"
#include "oa/wal/receiver.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include "cluster_testkit.h"
#include "lag_book.h"

namespace oa::wal {
namespace {

using std::chrono::milliseconds;
namespace fs = std::filesystem;

constexpr milliseconds kPatience{20'000};

ReceiverSettings settings_for(const std::string& conninfo) {
  ReceiverSettings settings;
  settings.conninfo = conninfo;
  settings.connect_timeout = milliseconds(5000);
  settings.first_pause = milliseconds(20);
  settings.longest_pause = milliseconds(200);
  return settings;
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

// What the log has of a timeline is what the server has in pg_wal, as far as it still has it.
// Returns the bytes compared.
std::uint64_t compare_with_pg_wal(SealedWal& log, const TestCluster& cluster, Timeline timeline) {
  std::uint64_t compared = 0;
  const auto listed = log.list();
  if (!listed.ok()) ADD_FAILURE() << listed.error().message;
  for (const auto& stored : *listed) {
    const fs::path file = cluster.data() + "/pg_wal/" + stored.name.str();
    if (stored.name.timeline != timeline || !fs::exists(file)) continue;
    MemorySink ours;
    const auto extent = log.read(stored.name, ours);
    if (!extent.ok()) {
      ADD_FAILURE() << extent.error().message;
      continue;
    }
    const Bytes theirs = read_file(file, 1 << 20).value();
    EXPECT_EQ(ours.bytes().size(), theirs.size());
    const auto durable = static_cast<std::ptrdiff_t>(extent->durable_bytes);
    EXPECT_TRUE(std::equal(ours.bytes().begin(), ours.bytes().begin() + durable, theirs.begin()))
        << stored.name.str();
    EXPECT_TRUE(std::all_of(ours.bytes().begin() + durable, ours.bytes().end(),
                            [](std::uint8_t byte) { return byte == 0; }));
    compared += extent->durable_bytes;
  }
  return compared;
}

constexpr const char* kTable = "CREATE TABLE t (n bigint, filler text)";

void insert(TestCluster& cluster, int rows) {
  cluster.sql("INSERT INTO t SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, " +
              std::to_string(rows) + ") i");
}

class ReceiverTest : public testing::Test {
 protected:
  void SetUp() override {
    primary_ = TestCluster::make();
    ASSERT_TRUE(primary_->start());
    primary_->sql(kTable);
  }
  void receive(const std::string& conninfo) {
    auto started = Receiver::start(settings_for(conninfo), *log_);
    ASSERT_OK(started);
    receiver_ = std::move(started).value();
  }
  void receive() { receive(primary_->conninfo()); }
  // Ends the receiver and flips a bit of the newest segment's first part, at that place of it.
  std::optional<SegmentName> damage_newest(int permille) {
    receiver_.reset();
    const auto listed = log_->list();
    if (!listed.ok() || listed->empty()) return {};
    log_.reset();
    const SegmentName newest = listed->back().name;
    const std::string path = cell_.log_folder() + "/" + newest.str() + ".00000000";
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(fs::file_size(path)) * permille / 1000;
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
    file.close();
    log_ = cell_.open();
    return file ? std::optional(newest) : std::nullopt;
  }
  void expect_caught_up() { EXPECT_TRUE(receiver_->wait_for(primary_->flushed(), kPatience)); }

  Cell cell_;
  std::unique_ptr<SealedWal> log_ = cell_.open();
  std::unique_ptr<TestCluster> primary_;
  std::unique_ptr<Receiver> receiver_;
};

TEST_F(ReceiverTest, HasEveryByteWhenTheServerIsKilled) {
  receive();
  insert(*primary_, 10'000);
  const Lsn end = primary_->flushed();
  ASSERT_TRUE(receiver_->wait_for(end, kPatience));
  primary_->kill();
  ASSERT_TRUE(eventually([&] { return receiver_->state().trouble.has_value(); }));
  const ReceiverState state = receiver_->state();
  EXPECT_FALSE(state.connected);
  EXPECT_EQ(state.trouble->code, ErrorCode::kDatabaseUnavailable);
  EXPECT_GE(state.durable, end);
  EXPECT_EQ(log_->end_of({1}).value(), state.durable);
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 3u << 20);
}

TEST_F(ReceiverTest, GoesOnWhereItEndedAndTheSlotKeepsWhatItMissed) {
  receive();
  insert(*primary_, 1000);
  expect_caught_up();
  receiver_->stop();
  EXPECT_EQ(primary_->sql("SELECT slot_type || ' ' || active FROM pg_replication_slots"),
            "physical false");
  for (int i = 0; i < 3; ++i) {
    insert(*primary_, 6000);
    primary_->sql("CHECKPOINT");
  }
  receive();
  insert(*primary_, 1000);
  expect_caught_up();
  EXPECT_FALSE(receiver_->state().gap.has_value());
  EXPECT_EQ(receiver_->state().reconnects, 0u);
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 3u << 20);
  // The server is told, so that it keeps no more than it must.
  EXPECT_TRUE(eventually([&] {
    return primary_->sql(
               "SELECT restart_lsn = pg_current_wal_flush_lsn() FROM "
               "pg_replication_slots") == "t";
  }));
}

TEST_F(ReceiverTest, GoesOnAfterItWasKilledWhileItWrote) {
  log_.reset();
  for (int round = 0; round < 3; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      const auto log = cell_.open();
      const auto receiver = Receiver::start(settings_for(primary_->conninfo()), *log);
      if (!receiver.ok()) _exit(1);
      for (;;) pause();
    }
    insert(*primary_, 5000 + 777 * round);
    ::kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
  }
  log_ = cell_.open();
  receive();
  insert(*primary_, 10);
  expect_caught_up();
  EXPECT_FALSE(receiver_->state().gap.has_value());
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 5u << 20);
}

TEST_F(ReceiverTest, SurvivesARestartOfTheServer) {
  receive();
  insert(*primary_, 100);
  expect_caught_up();
  primary_->stop();
  ASSERT_TRUE(primary_->start());
  insert(*primary_, 100);
  expect_caught_up();
  const ReceiverState state = receiver_->state();
  EXPECT_TRUE(state.connected);
  EXPECT_FALSE(state.trouble.has_value());
  EXPECT_GE(state.reconnects, 1u);
  EXPECT_FALSE(state.gap.has_value());
  compare_with_pg_wal(*log_, *primary_, {1});
}

TEST_F(ReceiverTest, FollowsAStandbyThatIsPromoted) {
  const auto standby =
      TestCluster::copy_of(*primary_, {"--write-recovery-conf", "--wal-method=stream"});
  ASSERT_TRUE(standby->start());
  receive("host=" + primary_->folder() + "," + standby->folder() +
          " user=postgres target_session_attrs=read-write");
  insert(*primary_, 5000);
  expect_caught_up();
  const Lsn end = primary_->flushed();
  ASSERT_TRUE(eventually(
      [&] { return Lsn::parse(standby->sql("SELECT pg_last_wal_receive_lsn()")).value() >= end; }));
  primary_->kill();
  const auto before = Timestamp::now();
  EXPECT_EQ(standby->sql("SELECT pg_promote()"), "t");
  const auto after = Timestamp::now();
  insert(*standby, 5000);
  EXPECT_TRUE(receiver_->wait_for(standby->flushed(), kPatience));
  ASSERT_TRUE(eventually([&] { return receiver_->state().timeline == Timeline{2}; }));
  EXPECT_EQ(log_->histories().value(), std::vector{Timeline{2}});
  EXPECT_TRUE(as_text(log_->read_history({2}).value()) ==
              as_text(read_file(standby->data() + "/pg_wal/00000002.history", 1 << 20).value()));
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 1u << 20);
  EXPECT_GT(compare_with_pg_wal(*log_, *standby, {2}), 1u << 20);
  EXPECT_FALSE(receiver_->state().gap.has_value());
  EXPECT_FALSE(receiver_->state().trouble.has_value());

  // The new timeline's first record says when it began.
  const Lsn fork = parse_history({2}, log_->read_history({2}).value()).value().back().end;
  const auto first = SegmentName::containing({2}, fork, standby->segment_size());
  MemorySink received;
  ASSERT_OK(log_->read(first, received));
  const auto began = began_at(first, received.bytes(), fork);
  ASSERT_TRUE(began.has_value());
  EXPECT_GE(*began, before);
  EXPECT_LE(*began, after);
  EXPECT_EQ(began_at(first, received.bytes(), {fork.value + 8}), std::nullopt);
  EXPECT_EQ(began_at(first.next(), received.bytes(), fork), std::nullopt);
  Bytes damaged = received.take();
  damaged[standby->segment_size().offset(fork) + 40] ^= 1;
  EXPECT_EQ(began_at(first, damaged, fork), std::nullopt);
}

// The standby that takes over lacks what the old primary had given us.
TEST_F(ReceiverTest, KeepsWhatLiesBehindTheForkUnderTheOldTimeline) {
  const auto standby =
      TestCluster::copy_of(*primary_, {"--write-recovery-conf", "--wal-method=stream"});
  receive("host=" + primary_->folder() + "," + standby->folder() +
          " user=postgres target_session_attrs=read-write");
  insert(*primary_, 9000);
  expect_caught_up();
  const Lsn old_end = receiver_->state().durable;
  primary_->kill();
  ASSERT_TRUE(standby->start());
  EXPECT_EQ(standby->sql("SELECT pg_promote()"), "t");
  standby->sql("INSERT INTO t VALUES (1)");
  ASSERT_TRUE(eventually([&] { return receiver_->state().timeline == Timeline{2}; }));
  const auto lineage = parse_history({2}, log_->read_history({2}).value()).value();
  ASSERT_LT(lineage[0].end, old_end);
  EXPECT_TRUE(receiver_->wait_for(standby->flushed(), kPatience));
  EXPECT_EQ(log_->end_of({1}).value(), old_end);
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 1u << 20);
  EXPECT_GT(compare_with_pg_wal(*log_, *standby, {2}), 0u);
  EXPECT_FALSE(receiver_->state().gap.has_value());
}

// A primary that stood still while another took over, and leads on when that one is gone.
TEST_F(ReceiverTest, FollowsTheClusterBackToAnOlderTimeline) {
  const auto standby =
      TestCluster::copy_of(*primary_, {"--write-recovery-conf", "--wal-method=stream"});
  receive("host=" + primary_->folder() + "," + standby->folder() +
          " user=postgres target_session_attrs=read-write");
  insert(*primary_, 500);
  expect_caught_up();
  primary_->kill();
  ASSERT_TRUE(standby->start());
  EXPECT_EQ(standby->sql("SELECT pg_promote()"), "t");
  standby->sql("INSERT INTO t VALUES (1)");
  ASSERT_TRUE(eventually([&] { return receiver_->state().timeline == Timeline{2}; }));
  standby->kill();
  ASSERT_TRUE(primary_->start());
  ASSERT_TRUE(eventually([&] { return receiver_->state().timeline == Timeline{1}; }));
  insert(*primary_, 500);
  expect_caught_up();
  EXPECT_FALSE(receiver_->state().trouble.has_value());
  EXPECT_FALSE(receiver_->state().gap.has_value());
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 1000u);
  receiver_->stop();
  receive();  // the same again is no other lead
  expect_caught_up();
  const auto leads = log_->leads();
  ASSERT_OK(leads);
  ASSERT_EQ(leads->size(), 3u);
  EXPECT_EQ((*leads)[0].timeline, Timeline{1});
  EXPECT_EQ((*leads)[1].timeline, Timeline{2});
  EXPECT_EQ((*leads)[2].timeline, Timeline{1});
  EXPECT_TRUE((*leads)[0].at < (*leads)[1].at && (*leads)[1].at < (*leads)[2].at);
}

TEST_F(ReceiverTest, SaysThatATimelineWasTakenTwice) {
  ASSERT_OK(log_->put_history({2}, as_bytes("1\t0/1000060\tby another way\n")));
  const auto standby =
      TestCluster::copy_of(*primary_, {"--write-recovery-conf", "--wal-method=stream"});
  primary_->kill();
  ASSERT_TRUE(standby->start());
  EXPECT_EQ(standby->sql("SELECT pg_promote()"), "t");
  receive("host=" + standby->folder() + " user=postgres");
  ASSERT_TRUE(eventually([&] { return receiver_->state().trouble.has_value(); }));
  EXPECT_EQ(receiver_->state().trouble->code, ErrorCode::kConflict);
  EXPECT_NE(receiver_->state().trouble->hint.find("switch over"), std::string::npos);
}

TEST_F(ReceiverTest, MakesCommitsWaitAsASynchronousStandby) {
  primary_->sql("ALTER SYSTEM SET synchronous_standby_names = 'oa_receiver'");
  primary_->sql("SELECT pg_reload_conf()");
  const auto writer = primary_->connect();
  ASSERT_EQ(PQsendQuery(writer.get(), "INSERT INTO t VALUES (42)"), 1);
  std::this_thread::sleep_for(milliseconds(300));
  ASSERT_EQ(PQconsumeInput(writer.get()), 1);
  EXPECT_EQ(PQisBusy(writer.get()), 1);  // nobody has it yet
  receive();
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(writer.get()), &PQclear);
  EXPECT_EQ(PQresultStatus(result.get()), PGRES_COMMAND_OK);
  EXPECT_EQ(primary_->sql("SELECT sync_state FROM pg_stat_replication"), "sync");
  // What was acknowledged is durable here, without a wait.
  primary_->sql("INSERT INTO t VALUES (43)");
  const auto lsn = Lsn::parse(primary_->sql("SELECT flush_lsn FROM pg_stat_replication")).value();
  EXPECT_GE(log_->end_of({1}).value(), lsn);
}

TEST_F(ReceiverTest, RefusesAnotherCluster) {
  ASSERT_OK(log_->bind({12345, primary_->segment_size()}));
  receive();
  ASSERT_TRUE(eventually([&] { return receiver_->state().trouble.has_value(); }));
  EXPECT_EQ(receiver_->state().trouble->code, ErrorCode::kConflict);
  EXPECT_TRUE(log_->list().value().empty());
}

TEST_F(ReceiverTest, SaysThatThereIsAGapWhenItWasAwayTooLong) {
  receive();
  insert(*primary_, 1000);
  expect_caught_up();
  const Lsn left_at = receiver_->state().durable;
  receiver_->stop();
  primary_->sql("SELECT pg_drop_replication_slot('oa_receiver')");
  for (int i = 0; i < 4; ++i) {
    insert(*primary_, 3000);
    primary_->sql("SELECT pg_switch_wal()");
    primary_->sql("CHECKPOINT");
  }
  receive();
  insert(*primary_, 10);
  expect_caught_up();
  const auto gap = receiver_->state().gap;
  ASSERT_TRUE(gap.has_value());
  EXPECT_EQ(gap->from, left_at);
  EXPECT_GT(gap->to, left_at);
  EXPECT_FALSE(receiver_->state().trouble.has_value());
  CountingSink ignored;
  EXPECT_EQ(
      code_of(log_->read(SegmentName::containing({1}, left_at, primary_->segment_size()), ignored)),
      ErrorCode::kWalMissing);
}

// Whatever of the newest part is damaged, the log heals from what the server still has.
TEST_F(ReceiverTest, ReceivesADamagedNewestSegmentAnew) {
  receive();
  for (const int permille : {0, 60, 400}) {  // magic, key, a frame with others behind it
    insert(*primary_, 100);
    primary_->sql("SELECT pg_switch_wal()");
    for (int i = 0; i < 6; ++i) {
      insert(*primary_, 1);
      expect_caught_up();
    }
    const auto damaged = damage_newest(permille);
    ASSERT_TRUE(damaged.has_value());
    insert(*primary_, 10);
    receive();
    expect_caught_up();
    const ReceiverState state = receiver_->state();
    ASSERT_TRUE(state.damaged.has_value()) << permille;
    EXPECT_EQ(state.damaged->segment, *damaged);
    EXPECT_FALSE(state.gap.has_value());
    EXPECT_FALSE(state.trouble.has_value());
    EXPECT_TRUE(fs::exists(cell_.log_folder() + "/" + damaged->str() + ".00000000.damaged"));
    EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 1000u);
  }
}

// The slot keeps the log from behind the damaged segment on, and the server has removed that.
TEST_F(ReceiverTest, LosesNoMoreThanTheDamagedSegment) {
  receive();
  insert(*primary_, 100);
  primary_->sql("SELECT pg_switch_wal()");
  expect_caught_up();
  const auto damaged = damage_newest(0);
  ASSERT_TRUE(damaged.has_value());
  const std::string file = primary_->data() + "/pg_wal/" + damaged->str();
  for (int i = 0; i < 8 && fs::exists(file); ++i) {
    insert(*primary_, 3000);
    primary_->sql("SELECT pg_switch_wal()");
    primary_->sql("CHECKPOINT");
  }
  ASSERT_FALSE(fs::exists(file));
  receive();
  expect_caught_up();
  const ReceiverState state = receiver_->state();
  ASSERT_TRUE(state.damaged.has_value() && state.gap.has_value());
  EXPECT_EQ(state.damaged->segment, *damaged);
  EXPECT_EQ(state.gap->from, damaged->begin());
  EXPECT_EQ(state.gap->to, damaged->end());
  CountingSink ignored;
  EXPECT_EQ(code_of(log_->read(*damaged, ignored)), ErrorCode::kNotFound);
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 1u << 20);
}

TEST_F(ReceiverTest, MakesASlotAnewThatTheServerHasGivenUp) {
  primary_->sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
  primary_->sql("SELECT pg_reload_conf()");
  receive();
  insert(*primary_, 1000);
  expect_caught_up();
  receiver_->stop();
  for (int i = 0; i < 6; ++i) {
    insert(*primary_, 3000);
    primary_->sql("SELECT pg_switch_wal()");
    primary_->sql("CHECKPOINT");
  }
  EXPECT_EQ(primary_->sql("SELECT wal_status FROM pg_replication_slots"), "lost");
  receive();
  insert(*primary_, 10);
  expect_caught_up();
  EXPECT_TRUE(receiver_->state().gap.has_value());
  EXPECT_NE(primary_->sql("SELECT wal_status FROM pg_replication_slots"), "lost");
}

// The log's disk: a child whose files cannot grow past 256 KiB.
TEST_F(ReceiverTest, GoesOnTryingWhileTheDiskIsFullAndHarmsNobody) {
  log_.reset();
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limited{256 << 10, RLIM_INFINITY}, unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limited) != 0) _exit(2);
    const auto log = cell_.open();
    const auto receiver = Receiver::start(settings_for(primary_->conninfo()), *log);
    const bool troubled = eventually([&] {
      return (*receiver)->state().trouble.has_value() && (*receiver)->state().reconnects > 3;
    });
    if (!troubled || write(report[1], "t", 1) != 1) _exit(3);
    setrlimit(RLIMIT_FSIZE, &unlimited);
    const bool over = eventually([&] {
      const auto state = (*receiver)->state();
      return !state.trouble && state.connected && state.durable == state.server_end;
    });
    _exit(over ? 0 : 4);
  }
  insert(*primary_, 5000);
  char troubled = 0;
  ASSERT_EQ(read(report[0], &troubled, 1), 1);
  insert(*primary_, 100);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  log_ = cell_.open();
  EXPECT_GT(compare_with_pg_wal(*log_, *primary_, {1}), 1u << 20);
}

TEST_F(ReceiverTest, StopsAtOnceAndDropsItsSlot) {
  receive();
  expect_caught_up();
  const auto before = std::chrono::steady_clock::now();
  receiver_->stop();
  receive("host=" + primary_->folder() + "/nowhere user=postgres");
  receiver_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(1000));
  const auto settings = settings_for(primary_->conninfo());
  ASSERT_OK(drop_slot(settings));
  ASSERT_OK(drop_slot(settings));
  EXPECT_EQ(primary_->sql("SELECT count(*) FROM pg_replication_slots"), "0");
}

TEST_F(ReceiverTest, MeasuresItsLag) {
  receive();
  for (int i = 0; i < 50; ++i) {
    primary_->sql("INSERT INTO t VALUES (1)");
    expect_caught_up();  // else two commits may come in one batch
  }
  std::uint64_t batches = 0;
  for (const auto& minute : receiver_->take_lag()) {
    batches += minute.batches;
    EXPECT_GE(minute.worst_ms, minute.median_ms * 0.9);
    EXPECT_LT(minute.worst_ms, 20'000);
  }
  EXPECT_GE(batches, 50u);
  primary_->stop();
  ASSERT_TRUE(eventually([&] {
    for (const auto& minute : receiver_->take_lag())
      if (minute.worst_ms >= 100) return true;
    return false;
  }));
}

TEST(ReceiverSettings, AreChecked) {
  Cell cell;
  const auto log = cell.open();
  const auto with = [&](auto change) {
    ReceiverSettings settings;
    change(settings);
    return code_of(Receiver::start(settings, *log));
  };
  EXPECT_EQ(with([](auto& s) { s.slot = "a\"; DROP"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(with([](auto& s) { s.slot = ""; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(with([](auto& s) { s.application_name = std::string(64, 'a'); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(with([](auto& s) { s.batch_bytes = 2 << 20; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(with([](auto& s) { s.first_pause = milliseconds(0); }), ErrorCode::kInvalidArgument);
}

TEST(LagBook, KeepsTheWorstAndTheMedianOfEachMinute) {
  LagBook book;
  const Timestamp first = Timestamp::parse("2026-01-01T00:00:30Z").value();
  for (int i = 1; i <= 99; ++i) book.batch(first, i, static_cast<unsigned>(i));
  book.silence({first.unix_us + 60'000'000}, 5000);
  const auto minutes = book.take();
  ASSERT_EQ(minutes.size(), 2u);
  EXPECT_EQ(minutes[0].minute.rfc3339(), "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(minutes[0].worst_ms, 99);
  EXPECT_EQ(minutes[0].worst_bytes, 99u);
  EXPECT_NEAR(minutes[0].median_ms, 50, 5);
  EXPECT_EQ(minutes[0].batches, 99u);
  EXPECT_EQ(minutes[1].worst_ms, 5000);
  EXPECT_EQ(minutes[1].median_ms, 0);
  EXPECT_TRUE(book.take().empty());
}

}  // namespace
}  // namespace oa::wal
