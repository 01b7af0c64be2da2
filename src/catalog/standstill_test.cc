// A server that stands still: each process of it stopped, its sockets open.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "oa/catalog/embedded_postgres.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

std::vector<pid_t> processes_of_server(const std::string& folder) {
  pid_t server = 0;
  std::ifstream(folder + "/data/postmaster.pid") >> server;
  std::vector<pid_t> found = {server};
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream stat(entry.path() / "stat");
    pid_t pid = 0, parent = 0;
    std::string name, state;
    if (stat >> pid >> name && name == "(postgres)" && stat >> state >> parent && parent == server)
      found.push_back(pid);
  }
  return found;
}

class StandingStill {
 public:
  explicit StandingStill(const std::string& folder) : stopped_(processes_of_server(folder)) {
    for (const pid_t pid : stopped_) OA_ASSERT(::kill(pid, SIGSTOP) == 0);
  }
  ~StandingStill() {
    for (const pid_t pid : stopped_) ::kill(pid, SIGCONT);
  }

 private:
  std::vector<pid_t> stopped_;
};

class StandstillTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = EmbeddedPostgres::start(folder_.path() + "/db");
    ASSERT_OK(started);
    server_ = std::move(*started);
  }
  std::unique_ptr<Connection> connect() {
    return Connection::open(server_->settings(), server_->settings().owner_role).value();
  }
  std::string folder() const { return folder_.path() + "/db"; }

  const TestFolder folder_;
  std::unique_ptr<EmbeddedPostgres> server_;
};

TEST_F(StandstillTest, EndsEachWaitAndNothingLongerThanItLasts) {
  const auto asked = connect(), told_much = connect(), scripted = connect();
  const std::string large(std::size_t{32} << 20, 'x');  // more than a socket holds
  {
    const StandingStill still(folder());
    const auto begin = Clock::now();
    ErrorCode codes[3];
    std::thread one([&] { codes[0] = code_of(asked->query("SELECT 1")); });
    std::thread two([&] {
      codes[1] = code_of(told_much->query("SELECT length($1)", {Parameter::of(large)}));
    });
    codes[2] = code_of(scripted->script("SELECT 1"));
    one.join();
    two.join();
    for (const ErrorCode code : codes) EXPECT_EQ(code, ErrorCode::kDatabaseUnavailable);
    EXPECT_LT(Clock::now() - begin, seconds(60));  // it was without end
  }
  // What was given up is not used again, by nobody.
  EXPECT_EQ(code_of(asked->query("SELECT 1")), ErrorCode::kDatabaseUnavailable);
  EXPECT_FALSE(asked->reset().ok());
  ASSERT_OK(connect()->query("SELECT 1"));
}

TEST_F(StandstillTest, SlowStatementsAreWaitedFor) {
  const auto connection = connect();
  ASSERT_OK(connection->query("SELECT pg_sleep(12)"));
  EXPECT_EQ(connection->query("SELECT 1").value().count(), 1);
}

}  // namespace
}  // namespace oa::catalog
