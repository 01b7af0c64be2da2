// Kill -9 at any moment of a create and of a restore: the tenant is as it was or as it should be,
// and no archive that is not whole claims to be one.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <random>

#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::oa;
using testkit::oa_json;

constexpr int kRounds = 12;

std::string text(const json::value& value) { return std::string(value.as_string()); }

class CrashTest : public testing::Test {
 protected:
  void SetUp() override {
    oa_json({"demo", "--rows", "60000", "--data", data()});
    archive_ = text(oa_json({"archive", "list", "--tenant", "Demo", "--data", data()})
                        .at("data")
                        .at(1)
                        .at("id"));
  }
  std::string data() const { return scratch_ / "data"; }
  json::value show() { return oa_json({"tenant", "show", "Demo", "--data", data()}); }
  // What every archive in store says of itself, each verified in full.
  std::map<std::string, std::string> verified_archives() {
    std::map<std::string, std::string> hashes;
    const auto list = oa_json({"archive", "list", "--tenant", "Demo", "--data", data()});
    for (const auto& record : list.at("data").as_array()) {
      const auto report = oa_json(
          {"archive", "verify", text(record.at("id")), "--tenant", "Demo", "--data", data()});
      EXPECT_EQ(report.at("content_hash"), record.at("content_hash"));
      hashes[text(record.at("id"))] = text(record.at("content_hash"));
    }
    return hashes;
  }
  // How long the command takes when nothing stops it, in milliseconds.
  static int duration_ms(const std::vector<std::string>& arguments) {
    const auto start = std::chrono::steady_clock::now();
    oa_json(arguments);
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::steady_clock::now() - start)
                                .count());
  }
  // Starts the command and kills it after a share of its usual time; true when the kill came before
  // its end.
  static bool kill_during(std::vector<std::string> arguments, int after_ms) {
    arguments.insert(arguments.begin(), OA_BACKUP);
    testkit::Running running(arguments);
    if (running.wait(after_ms)) return false;
    running.kill_and_reap();
    return true;
  }

  testkit::Scratch scratch_;
  std::string archive_;
  std::mt19937 random_{std::random_device{}()};
};

TEST_F(CrashTest, DuringCreateNoArchiveAppearsThatIsNotWhole) {
  const std::vector<std::string> create = {"archive", "create",  "--tenant", "Demo",
                                           "--rows",  "--audit", "--output", scratch_ / "f",
                                           "--data",  data()};
  int usual_ms =
      duration_ms({"archive", "create", "--tenant", "Demo", "--rows", "--audit", "--data", data()});
  const auto tenant = show();
  int killed = 0;
  for (int round = 0; round < kRounds; ++round) {
    const bool in_time = kill_during(create, usual_ms * (round + 1) / (kRounds + 1));
    killed += in_time ? 1 : 0;
    if (!in_time) usual_ms = usual_ms * 2 / 3;  // the machine has less to do than when it was timed
    const auto file = testkit::contents_of(scratch_ / "f");
    if (!file.empty()) {
      EXPECT_EQ(
          oa({"archive", "verify", scratch_ / "f", "--tenant", "Demo", "--data", data()}).status,
          0);
      std::remove((scratch_ / "f").c_str());
    }
  }
  EXPECT_GE(killed, kRounds / 2) << "the kills came too late to test anything";
  EXPECT_FALSE(verified_archives().empty());
  EXPECT_EQ(show(), tenant);
}

TEST_F(CrashTest, DuringRestoreTheTenantIsOldOrNew) {
  const std::vector<std::string> fork = {"restore", "run",  archive_, "--tenant", "Demo", "--all",
                                         "--mode",  "fork", "--yes",  "--data",   data()};
  const auto assets = [](const json::value& shown) { return shown.at("assets").as_array().size(); };
  const auto before = assets(show());
  int usual_ms = duration_ms(fork);
  const auto step = assets(show()) - before;  // what one whole restore adds
  ASSERT_GT(step, 20u);
  int killed = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto old_count = assets(show());
    const bool in_time = kill_during(fork, usual_ms * (round + 1) / (kRounds + 1));
    killed += in_time ? 1 : 0;
    if (!in_time) usual_ms = usual_ms * 2 / 3;
    const auto new_count = assets(show());
    EXPECT_TRUE(new_count == old_count || new_count == old_count + step)
        << old_count << " " << new_count << " " << step;
  }
  EXPECT_GE(killed, kRounds / 2) << "the kills came too late to test anything";
  // And everything in it opens: an archive with rows reads every object.
  oa_json({"archive", "create", "--tenant", "Demo", "--rows", "--audit", "--data", data()});
  verified_archives();
}

TEST_F(CrashTest, ThePrivatePostgresEndsWithItsProcess) {
  {
    testkit::Running up({OA_BACKUP, "up", "--data", data(), "--port", "0"});
    for (int tries = 0; tries < 100 && testkit::contents_of(scratch_ / "data/up.lock").empty() &&
                        oa({"tenant", "list", "--data", data()}).status != 0;
         ++tries) {
    }
    EXPECT_FALSE(up.wait(500));
  }  // killed here
  const auto pid_file = testkit::contents_of(scratch_ / "data/postgres/data/postmaster.pid");
  for (int tries = 0;
       tries < 500 && !testkit::contents_of(scratch_ / "data/postgres/data/postmaster.pid").empty();
       ++tries) {
    testkit::run({"sleep", "0.02"});
  }
  EXPECT_EQ(testkit::contents_of(scratch_ / "data/postgres/data/postmaster.pid"), "") << pid_file;
  EXPECT_EQ(oa({"tenant", "list", "--data", data()}).status, 0);
}

}  // namespace
}  // namespace oa
