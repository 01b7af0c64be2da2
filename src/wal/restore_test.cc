#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "cluster_testkit.h"
#include "oa/wal/receiver.h"
#include "oa/wal/restore_server.h"

namespace oa::wal {
namespace {

using std::chrono::milliseconds;
namespace fs = std::filesystem;

constexpr milliseconds kPatience{20'000};
constexpr int kProgram = 5;

Result<bool> nothing(const std::string&, const std::string&) { return false; }

class RestoreTest : public testing::Test {
 protected:
  void SetUp() override {
    primary_ = TestCluster::make();
    ASSERT_TRUE(primary_->start());
    ReceiverSettings settings;
    settings.conninfo = primary_->conninfo();
    auto receiver = Receiver::start(settings, *log_);
    ASSERT_OK(receiver);
    receiver_ = std::move(receiver).value();
    ASSERT_TRUE(receiver_->wait_for(primary_->flushed(), kPatience));
    primary_->sql("CREATE TABLE t (n bigint, filler text)");
    base_ = TestCluster::copy_of(*primary_, {"--wal-method=none", "--no-manifest"});
  }
  // Numbered rows over several segments, then the end of the server.
  void write_and_lose(int rows) {
    primary_->sql("INSERT INTO t SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, " +
                  std::to_string(rows) + ") i");
    ASSERT_TRUE(receiver_->wait_for(primary_->flushed(), kPatience));
    receiver_->stop();
    primary_->kill();
  }
  bool recover(TestCluster& cluster, const std::vector<std::string>& more = {}) {
    cluster.touch("recovery.signal");
    RestoreServerSettings settings;
    settings.socket_path = cluster.folder() + "/restore";
    settings.fetch_from_repository = repository_;
    settings.log = log_.get();
    settings.account = postgres::server_account().value();
    settings.program = OA_RESTORE_CLIENT;
    server_ = RestoreServer::start(std::move(settings)).value();
    const auto program = server_->program(kProgram);
    // It answers when the recovery is over, not before.
    std::vector<std::string> all = {"restore_command=" + server_->restore_command(kProgram),
                                    "hot_standby=off"};
    all.insert(all.end(), more.begin(), more.end());
    return cluster.start(all, {&program, 1});
  }
  // Parts of the log, in order.
  std::vector<fs::path> parts() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(cell_.log_folder()))
      if (entry.path().filename().string().size() == 33) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }

  Cell cell_;
  std::unique_ptr<SealedWal> log_ = cell_.open();
  std::unique_ptr<TestCluster> primary_, base_;
  std::unique_ptr<Receiver> receiver_;
  FetchFromRepository repository_ = nothing;
  std::unique_ptr<RestoreServer> server_;
};

TEST_F(RestoreTest, BringsBackEveryRowFromTheLogAlone) {
  write_and_lose(10'000);
  ASSERT_TRUE(recover(*base_));
  EXPECT_EQ(base_->sql("SELECT count(*) || ' ' || max(n) FROM t"), "10000 10000");
  const auto counts = server_->counts();
  EXPECT_GE(counts.from_log, 4u);
  EXPECT_EQ(counts.failed, 0u);
  EXPECT_EQ(counts.from_repository, 0u);
}

TEST_F(RestoreTest, AsksTheRepositoryFirst) {
  write_and_lose(10'000);
  const std::string archive = primary_->data() + "/pg_wal/";
  const auto account = postgres::server_account().value();
  int asked = 0;
  repository_ = [&](const std::string& file, const std::string& target) -> Result<bool> {
    if (!fs::exists(archive + file) || ++asked > 3) return false;
    fs::copy_file(archive + file, target);
    if (account.other && chown(target.c_str(), account.uid, account.gid) != 0)
      return make_error(ErrorCode::kIo, "test", "chown");
    return true;
  };
  ASSERT_TRUE(recover(*base_));
  EXPECT_EQ(base_->sql("SELECT count(*) FROM t"), "10000");
  EXPECT_EQ(server_->counts().from_repository, 3u);
  EXPECT_GE(server_->counts().from_log, 1u);
}

TEST_F(RestoreTest, AnswersAlikeWithoutAServer) {
  write_and_lose(10'000);
  const auto listed = log_->list().value();
  ASSERT_GE(listed.size(), 3u);
  const auto whole = listed[1].name, newest = listed.back().name;
  ASSERT_FALSE(listed.back().finished);
  const std::string target = cell_.folder() + "/target";
  const auto ask = [&](const FetchFromRepository& repository, const SegmentName& segment) {
    fs::remove(target);
    return restore_wal({repository, log_.get()}, segment.str(), target);
  };
  EXPECT_EQ(ask(nothing, whole).value(), RestoreAnswer::kFound);
  EXPECT_TRUE(read_file(target, 1 << 20).value() ==
              read_file(primary_->data() + "/pg_wal/" + whole.str(), 1 << 20).value());
  EXPECT_EQ(ask(nothing, newest).value(), RestoreAnswer::kFound);
  EXPECT_EQ(fs::file_size(target), 1u << 20);
  EXPECT_EQ(ask(nothing, newest.next()).value(), RestoreAnswer::kNotThere);

  // What the repository has is not known: only what is whole here will do.
  const auto away = [](const std::string&, const std::string&) -> Result<bool> {
    return make_error(ErrorCode::kRepositoryUnavailable, "test", "away");
  };
  EXPECT_EQ(ask(away, whole).value(), RestoreAnswer::kFound);
  for (const auto& segment : {newest, newest.next()}) {
    EXPECT_EQ(code_of(ask(away, segment)), ErrorCode::kRepositoryUnavailable);
    EXPECT_FALSE(fs::exists(target));
  }
  const auto says_so = [](const std::string&, const std::string&) -> Result<bool> { return true; };
  EXPECT_FALSE(ask(says_so, whole).ok());  // but the file is not there
  EXPECT_EQ(code_of(restore_wal({nothing, nullptr}, "../x", target)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(restore_wal({nothing, nullptr}, whole.str(), target).value(),
            RestoreAnswer::kNotThere);

  const auto all = parts();
  Bytes bytes = read_file(all[1], 64 << 20).value();
  bytes[300] ^= 1;
  std::ofstream(all[1], std::ios::binary) << as_text(bytes);
  EXPECT_EQ(code_of(ask(nothing, whole)), ErrorCode::kSealCorrupt);
  EXPECT_FALSE(fs::exists(target));
}

TEST_F(RestoreTest, StopsTheRecoveryWhenTheLogIsDamaged) {
  write_and_lose(10'000);
  const auto all = parts();
  const auto victim = all[all.size() - 2];
  Bytes bytes = read_file(victim, 64 << 20).value();
  bytes[300] ^= 1;  // in the first of several frames
  std::ofstream(victim, std::ios::binary) << as_text(bytes);
  EXPECT_FALSE(recover(*base_));
  ASSERT_TRUE(server_->last_failure().has_value());
  EXPECT_EQ(server_->last_failure()->code, ErrorCode::kSealCorrupt);
  EXPECT_NE(base_->log().find("FATAL"), std::string::npos);
}

TEST_F(RestoreTest, StopsTheRecoveryWhenASegmentIsMissingInTheMiddle) {
  write_and_lose(10'000);
  const auto all = parts();
  fs::remove(all[all.size() - 3]);
  EXPECT_FALSE(recover(*base_));
  ASSERT_TRUE(server_->last_failure().has_value());
  EXPECT_EQ(server_->last_failure()->code, ErrorCode::kWalMissing);
}

TEST_F(RestoreTest, StopsTheRecoveryWhenTheRepositoryCannotBeAsked) {
  write_and_lose(10'000);
  repository_ = [](const std::string&, const std::string&) -> Result<bool> {
    return make_error(ErrorCode::kRepositoryUnavailable, "test", "away");
  };
  EXPECT_FALSE(recover(*base_));
  EXPECT_EQ(server_->last_failure()->code, ErrorCode::kRepositoryUnavailable);
}

TEST_F(RestoreTest, StopsTheRecoveryWhenNobodyAnswers) {
  write_and_lose(1000);
  base_->touch("recovery.signal");
  const int program = ::open(OA_RESTORE_CLIENT, O_RDONLY | O_CLOEXEC);
  const postgres::InheritedFile file{program, kProgram};
  EXPECT_FALSE(base_->start(
      {"restore_command=/proc/self/fd/5 restore-wal --socket " + base_->folder() + "/none %f %p"},
      {&file, 1}));
  ::close(program);
  EXPECT_NE(base_->log().find("FATAL"), std::string::npos);
}

TEST_F(RestoreTest, FollowsTheLogOverAFailover) {
  const auto standby =
      TestCluster::copy_of(*primary_, {"--write-recovery-conf", "--wal-method=stream"});
  primary_->sql("INSERT INTO t SELECT i FROM generate_series(1, 1000) i");
  ASSERT_TRUE(standby->start());
  const Lsn end = primary_->flushed();
  for (int i = 0; i < 1000; ++i) {
    if (Lsn::parse(standby->sql("SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')")).value() >= end)
      break;
    usleep(10'000);
  }
  ASSERT_TRUE(receiver_->wait_for(end, kPatience));
  receiver_.reset();
  primary_->kill();
  EXPECT_EQ(standby->sql("SELECT pg_promote()"), "t");
  ReceiverSettings settings;
  settings.conninfo = standby->conninfo();
  receiver_ = Receiver::start(settings, *log_).value();
  standby->sql("INSERT INTO t SELECT i FROM generate_series(1001, 2000) i");
  ASSERT_TRUE(receiver_->wait_for(standby->flushed(), kPatience));
  receiver_->stop();
  standby->kill();
  ASSERT_TRUE(recover(*base_));
  EXPECT_EQ(base_->sql("SELECT count(*) FROM t"), "2000");
  // Recovery begins a timeline that is not in use.
  EXPECT_EQ(base_->sql("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"), "00000003");
}

class AskingTest : public testing::Test {
 protected:
  AskingTest() {
    log_->bind({1, SegmentSize::of(1 << 20).value()}).value();
    log_->append({1}, {5 << 20}, Bytes(1000, 7)).value();
    RestoreServerSettings settings;
    settings.socket_path = cell_.folder() + "/a socket's";
    settings.fetch_from_repository = [this](const std::string& file, const std::string& target) {
      return repository_(file, target);
    };
    settings.log = log_.get();
    settings.account.uid = geteuid();
    settings.program = OA_RESTORE_CLIENT;
    server_ = RestoreServer::start(std::move(settings)).value();
  }
  Result<RestoreAnswer> ask(const std::string& file) {
    return restore_wal(cell_.folder() + "/a socket's", file, target());
  }
  std::string target() const { return cell_.folder() + "/target"; }

  Cell cell_;
  std::unique_ptr<SealedWal> log_ = cell_.open();
  FetchFromRepository repository_ = nothing;
  std::unique_ptr<RestoreServer> server_;
};

TEST_F(AskingTest, GivesAPartialSegmentPadded) {
  const auto answer = ask("000000010000000000000005");
  ASSERT_OK(answer);
  EXPECT_EQ(*answer, RestoreAnswer::kFound);
  Bytes expected(1000, 7);
  expected.resize(1 << 20);
  EXPECT_TRUE(read_file(target(), 2 << 20).value() == expected);
}

TEST_F(AskingTest, SaysNotThereOnlyBehindTheEnd) {
  EXPECT_EQ(ask("000000010000000000000006").value(), RestoreAnswer::kNotThere);
  EXPECT_EQ(ask("000000020000000000000005").value(), RestoreAnswer::kNotThere);
  EXPECT_EQ(ask("00000002.history").value(), RestoreAnswer::kNotThere);
  EXPECT_EQ(code_of(ask("000000010000000000000004")), ErrorCode::kRecoveryFailed);
  // A later timeline tells that the first one went on.
  ASSERT_OK(log_->put_history({2}, as_bytes("1\t0/900100\treason\n")));
  EXPECT_EQ(ask("00000002.history").value(), RestoreAnswer::kFound);
  EXPECT_EQ(code_of(ask("000000010000000000000006")), ErrorCode::kRecoveryFailed);
  EXPECT_EQ(ask("00000001000000000000000A").value(), RestoreAnswer::kNotThere);
  EXPECT_FALSE(fs::exists(target() + ".oa-partial"));
}

TEST_F(AskingTest, NeverTakesTroubleForTheEnd) {
  repository_ = [](const std::string&, const std::string&) -> Result<bool> {
    return make_error(ErrorCode::kRepositoryUnavailable, "test", "away");
  };
  for (const char* file : {"000000010000000000000005", "000000010000000000000006",
                           "00000002.history", "something.else"}) {
    EXPECT_EQ(restore_exit_status(ask(file)), kRestoreTrouble) << file;
  }
  // What is whole in the log needs no repository.
  ASSERT_OK(log_->append({1}, {(5 << 20) + 1000}, Bytes((1 << 20) - 1000, 7)));
  EXPECT_EQ(restore_exit_status(ask("000000010000000000000005")), kRestoreFound);
  repository_ = [](const std::string&, const std::string&) -> Result<bool> {
    throw std::runtime_error("unexpected");
  };
  EXPECT_EQ(restore_exit_status(ask("000000010000000000000005")), kRestoreTrouble);
  repository_ = [](const std::string&, const std::string&) -> Result<bool> { return true; };
  fs::remove(target());
  EXPECT_EQ(restore_exit_status(ask("000000010000000000000005")), kRestoreTrouble);
}

TEST_F(AskingTest, RefusesOtherFiles) {
  for (const char* file : {"", "../keys", ".hidden", "a/b", "a b", "x\n"})
    EXPECT_EQ(restore_exit_status(ask(file)), kRestoreTrouble) << file;
  EXPECT_EQ(restore_exit_status(ask(std::string(65, 'A'))), kRestoreTrouble);
}

TEST_F(AskingTest, LeavesNothingOfADamagedSegment) {
  for (unsigned i = 0; i < 5; ++i)
    ASSERT_OK(log_->append({1}, {(5 << 20) + 1000 + i * 1000}, Bytes(1000, 7)));
  const fs::path part = cell_.log_folder() + "/000000010000000000000005.00000000";
  Bytes bytes = read_file(part, 64 << 20).value();
  bytes[bytes.size() / 2] ^= 1;
  std::ofstream(part, std::ios::binary) << as_text(bytes);
  EXPECT_EQ(restore_exit_status(ask("000000010000000000000005")), kRestoreTrouble);
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_FALSE(fs::exists(target() + ".oa-partial"));
  EXPECT_EQ(server_->last_failure()->code, ErrorCode::kSealCorrupt);
}

TEST_F(AskingTest, QuotesItsSocketForShellAndPostgres) {
  EXPECT_EQ(server_->restore_command(7), "/proc/self/fd/7 restore-wal --socket '" + cell_.folder() +
                                             "/a socket'\\''s' \"%f\" \"%p\"");
}

}  // namespace
}  // namespace oa::wal
