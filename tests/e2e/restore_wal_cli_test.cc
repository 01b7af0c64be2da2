// What restore-wal tells Postgres: 1 means that the log ends, so nothing else may end with it.
#include <gtest/gtest.h>

#include <filesystem>

#include "oa/keys/local_key_service.h"
#include "oa/wal/restore_server.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::Scratch;

class RestoreWalCli : public testing::Test {
 protected:
  RestoreWalCli() {
    wal::RestoreServerSettings settings;
    settings.socket_path = scratch_ / "socket";
    settings.fetch_from_repository = [this](const std::string&, const std::string&) {
      return answer_;
    };
    settings.account.uid = geteuid();
    server_ = wal::RestoreServer::start(std::move(settings)).value();
  }
  int status_of(std::vector<std::string> arguments) {
    return testkit::oa(std::move(arguments)).status;
  }
  int ask() {
    return status_of({"restore-wal", "--socket", scratch_ / "socket", "000000010000000000000001",
                      scratch_ / "target"});
  }

  Scratch scratch_;
  Result<bool> answer_ = false;
  std::unique_ptr<wal::RestoreServer> server_;
};

TEST_F(RestoreWalCli, EndsWithOneOnlyWhenTheFileIsNotThere) {
  EXPECT_EQ(ask(), 1);
  answer_ = make_error(ErrorCode::kRepositoryUnavailable, "test", "away");
  EXPECT_EQ(ask(), 126);
  answer_ = true;
  EXPECT_EQ(ask(), 126);  // it says so, but the file is not there
  const auto placed = AtomicFileSink::create(scratch_ / "target", false, 0600).value();
  ASSERT_TRUE(placed->commit().ok());
  EXPECT_EQ(ask(), 0);
  server_.reset();
  EXPECT_EQ(ask(), 126);
}

TEST_F(RestoreWalCli, TakesMistakesForTrouble) {
  EXPECT_EQ(status_of({"restore-wal"}), 126);
  EXPECT_EQ(status_of({"--json", "--data", scratch_ / "none", "restore-wal", "--nonsense"}), 126);
  EXPECT_EQ(status_of({"restore-wal", "--socket", scratch_ / "socket", "../etc/passwd",
                       scratch_ / "target"}),
            126);
  EXPECT_EQ(status_of({"restore-wal", "--help"}), 0);
  EXPECT_EQ(status_of({"tenant", "restore-wal"}), 2);
}

}  // namespace
}  // namespace oa
