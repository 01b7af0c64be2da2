// What is lost when Postgres, the receiver of its log and its data folder go at the same time: a
// writer commits numbered rows, everything is killed at a random moment, the folder is removed, the
// cluster is restored elsewhere from a base backup and the sealed log, and the next round goes on
// with that one.
//   rpo ROUNDS SEED
// Status 1 when a row that a synchronous commit had acknowledged is lost, when more is lost than
// was on its way, or when what came back is not a prefix of what was written.
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "cluster_testkit.h"
#include "oa/wal/receiver.h"
#include "oa/wal/restore_server.h"

namespace oa::wal {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Random = std::mt19937_64;

constexpr int kProgram = 5;
constexpr milliseconds kPatience{60'000};
// Asynchronous commits may lose what the receiver could not have had: what was written after it was
// killed, and what was on its way.
constexpr double kOnItsWayMs = 1000;

struct Acknowledged {
  std::int64_t row;
  Clock::time_point at;
};

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// Commits one row after the other until the connection breaks.
class Writer {
 public:
  Writer(const TestCluster& cluster, std::int64_t first) : connection_(cluster.connect()) {
    OA_ASSERT(PQstatus(connection_.get()) == CONNECTION_OK);
    thread_ = std::thread([this, first] {
      for (std::int64_t row = first; !stop_; ++row) {
        const std::string n = std::to_string(row);
        const char* values[] = {n.c_str()};
        const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
            PQexecParams(connection_.get(),
                         "INSERT INTO t SELECT n, md5(n::text) FROM (SELECT $1::bigint) AS s(n)", 1,
                         nullptr, values, nullptr, nullptr, 0),
            &PQclear);
        if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) return;
        acknowledged_.push_back({row, Clock::now()});
      }
    });
  }
  ~Writer() { finish(); }
  const std::vector<Acknowledged>& finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return acknowledged_;
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
  std::atomic<bool> stop_ = false;
  std::vector<Acknowledged> acknowledged_;
  std::thread thread_;
};

pid_t start_receiver(Cell& cell, const std::string& conninfo) {
  const pid_t child = fork();
  OA_ASSERT(child >= 0);
  if (child != 0) return child;
  const auto log = cell.open();
  ReceiverSettings settings;
  settings.conninfo = conninfo;
  settings.first_pause = milliseconds(20);
  settings.longest_pause = milliseconds(200);
  const auto receiver = Receiver::start(settings, *log).value();
  for (;;) pause();
}

void wait_until_streaming(TestCluster& cluster) {
  const auto deadline = Clock::now() + kPatience;
  while (cluster.sql("SELECT count(*) FROM pg_stat_replication WHERE application_name = "
                     "'oa_receiver' AND state = 'streaming' AND flush_lsn IS NOT NULL") != "1") {
    OA_ASSERT(Clock::now() < deadline);
    std::this_thread::sleep_for(milliseconds(10));
  }
}

struct Loss {
  std::int64_t written = 0, rows = 0;
  double ms = 0;             // from the last commit that came back to the last one acknowledged
  double head_start_ms = 0;  // by so much the receiver was killed before Postgres
  double restore_ms = 0;
};

class Rounds {
 public:
  Rounds(bool synchronous, std::uint64_t seed) : synchronous_(synchronous), random_(seed) {
    cluster_ = TestCluster::make();
    start(*cluster_, {});
    receiver_ = start_receiver(cell_, cluster_->conninfo());
    wait_until_streaming(*cluster_);
    cluster_->sql("CREATE TABLE t (n bigint, digest text)");
  }
  ~Rounds() { end_receiver(); }

  Loss run() {
    auto base = TestCluster::copy_of(*cluster_, {"--wal-method=none", "--no-manifest"});
    Writer writer(*cluster_, next_row_);
    std::this_thread::sleep_for(milliseconds(uniform(100, 1200)));
    Loss loss;
    loss.head_start_ms = kill_both();
    const auto acknowledged = writer.finish();
    loss.written = static_cast<std::int64_t>(acknowledged.size());
    cluster_.reset();  // with its folder
    const auto before = Clock::now();
    restore(*base);
    loss.restore_ms = ms_between(before, Clock::now());
    cluster_ = std::move(base);
    receiver_ = start_receiver(cell_, cluster_->conninfo());
    wait_until_streaming(*cluster_);
    compare(acknowledged, loss);
    return loss;
  }

 private:
  std::int64_t uniform(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(to - from + 1));
  }
  void start(TestCluster& cluster, std::vector<std::string> settings,
             std::span<const postgres::InheritedFile> files = {}) {
    if (synchronous_) settings.push_back("synchronous_standby_names=oa_receiver");
    settings.push_back("hot_standby=off");
    if (!cluster.start(settings, files)) {
      fputs(cluster.log().c_str(), stderr);
      std::exit(1);
    }
  }
  void end_receiver() {
    if (receiver_ == 0) return;
    ::kill(receiver_, SIGKILL);
    waitpid(std::exchange(receiver_, 0), nullptr, 0);
  }
  // One shortly after the other, in either order.
  double kill_both() {
    const auto apart = milliseconds(uniform(0, 20));
    const bool receiver_first = uniform(0, 1) == 1;
    const auto first = Clock::now();
    receiver_first ? end_receiver() : cluster_->kill();
    if (uniform(0, 1) == 1) std::this_thread::sleep_for(apart);
    receiver_first ? cluster_->kill() : end_receiver();
    return receiver_first ? ms_between(first, Clock::now()) : 0;
  }
  void restore(TestCluster& base) {
    const auto log = cell_.open(Access::kRead);
    RestoreServerSettings settings;
    settings.socket_path = base.folder() + "/restore";
    settings.fetch_from_repository = [](const std::string&, const std::string&) -> Result<bool> {
      return false;
    };
    settings.log = log.get();
    settings.account = postgres::server_account().value();
    settings.program = OA_RESTORE_CLIENT;
    const auto server = RestoreServer::start(std::move(settings)).value();
    const auto program = server->program(kProgram);
    base.touch("recovery.signal");
    start(base, {"restore_command=" + server->restore_command(kProgram)}, {&program, 1});
  }
  void compare(const std::vector<Acknowledged>& acknowledged, Loss& loss) {
    const std::int64_t last =
        std::atoll(cluster_->sql("SELECT coalesce(max(n), 0) FROM t").c_str());
    const std::string wrong = cluster_->sql(
        "SELECT (count(*) <> max(n))::int + count(*) FILTER (WHERE digest <> md5(n::text)) FROM t");
    if (last > 0 && wrong != "0") {
      std::fprintf(stderr, "what came back is not what was written\n");
      std::exit(1);
    }
    next_row_ = last + 1;
    if (acknowledged.empty()) return;
    loss.rows = std::max<std::int64_t>(0, acknowledged.back().row - last);
    if (loss.rows == 0) return;
    const auto kept =
        acknowledged.size() - std::min(acknowledged.size(), static_cast<std::size_t>(loss.rows));
    loss.ms = ms_between(acknowledged[kept > 0 ? kept - 1 : 0].at, acknowledged.back().at);
  }

  const bool synchronous_;
  Random random_;
  Cell cell_;
  std::unique_ptr<TestCluster> cluster_;
  pid_t receiver_ = 0;
  std::int64_t next_row_ = 1;
};

template <class T>
T median(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// False when more was lost than may be.
bool run_rounds(bool synchronous, int rounds, std::uint64_t seed) {
  Rounds run(synchronous, seed);
  std::vector<double> ms, restore_ms;
  std::vector<std::int64_t> rows;
  std::int64_t written = 0, without_loss = 0;
  bool good = true;
  for (int round = 0; round < rounds; ++round) {
    const Loss loss = run.run();
    written += loss.written;
    without_loss += loss.rows == 0;
    ms.push_back(loss.ms);
    rows.push_back(loss.rows);
    restore_ms.push_back(loss.restore_ms);
    const bool may_be = synchronous ? loss.rows == 0 : loss.ms <= loss.head_start_ms + kOnItsWayMs;
    if (!may_be) {
      std::printf("round %d: %lld rows, %.1f ms lost (receiver killed %.1f ms before)\n", round,
                  static_cast<long long>(loss.rows), loss.ms, loss.head_start_ms);
      good = false;
    }
  }
  std::printf(
      "%-12s %4d rounds  %7lld commits  %3lld rounds without loss  rows lost: median %lld, "
      "worst %lld  ms lost: median %.1f, worst %.1f  restore: median %.0f ms\n",
      synchronous ? "synchronous" : "asynchronous", rounds, static_cast<long long>(written),
      static_cast<long long>(without_loss), static_cast<long long>(median(rows)),
      static_cast<long long>(*std::max_element(rows.begin(), rows.end())), median(ms),
      *std::max_element(ms.begin(), ms.end()), median(restore_ms));
  std::fflush(stdout);
  return good;
}

}  // namespace
}  // namespace oa::wal

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  if (argc != 3 || rounds < 1) {
    std::fprintf(stderr, "usage: rpo ROUNDS SEED\n");
    return 2;
  }
  const auto seed = std::strtoull(argv[2], nullptr, 10);
  const bool asynchronous = oa::wal::run_rounds(false, rounds, seed);
  const bool synchronous = oa::wal::run_rounds(true, rounds, seed + 1);
  return asynchronous && synchronous ? 0 : 1;
}
