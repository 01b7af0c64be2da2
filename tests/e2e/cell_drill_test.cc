// A drill of the whole cell is green over backups that are whole and red over ones that are not; it
// leaves nothing behind.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "testkit/archive_tool.h"
#include "testkit/service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;

std::string text(const json::value& value) { return std::string(value.as_string()); }

void flip_a_byte(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(fs::file_size(path) / 2);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 0x20);
  file.seekp(at);
  file.put(byte);
}

// One service with a demo tenant that takes part, for all cases; each puts back what it broke.
class CellDrills : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<testkit::Scratch>();
    service_ = std::make_unique<testkit::Service>(
        *scratch_, "up", std::vector<std::string>{"up", "--demo", "--rows", "2000", "--drill-sample", "0"},
        "data");
    for (int tries = 0; tries < 300; ++tries) {
      const auto now = parse_json(oa({"continuity", "status", "--json"}).out).value();
      if (!now.at("earliest").is_null() && text(now.at("earliest")) < text(now.at("now"))) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ASSERT_EQ(oa({"drill", "consent", "on", "--tenant", "Demo"}).status, 0);
  }
  static void TearDownTestSuite() {
    service_.reset();
    scratch_.reset();
  }

  static testkit::Finished oa(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", *scratch_ / "data"});
    return testkit::oa(arguments);
  }
  // The drill, and the exit status.
  static std::pair<json::value, int> drill(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"drill", "run", "--cell", "--json"});
    const auto finished = oa(std::move(more));
    const auto document = parse_json(finished.out);
    EXPECT_TRUE(document.ok()) << finished.out << finished.err;
    return {document.ok() ? document->at("drills").at(0) : json::value(), finished.status};
  }
  static json::value step(const json::value& drill, const std::string& name) {
    for (const auto& each : drill.at("steps").as_array())
      if (text(each.at("name")) == name) return each;
    ADD_FAILURE() << name << " is no step of " << json::serialize(drill);
    return {};
  }
  static void expect_red(const std::vector<std::string>& more, const std::string& name,
                         const std::string& code, const std::string& state = "failed") {
    const auto [done, status] = drill(more);
    EXPECT_EQ(status, 13);
    const auto& last = done.at("steps").as_array().back();
    EXPECT_EQ(text(last.at("name")), name) << json::serialize(done);
    EXPECT_EQ(text(last.at("code")), code) << json::serialize(done);
    EXPECT_EQ(text(done.at("state")), state);
    EXPECT_FALSE(done.at("record").is_null());  // told to everybody
    EXPECT_TRUE(scratch_is_empty());
  }
  static bool scratch_is_empty() {
    const fs::directory_iterator entries(*scratch_ / "data/continuity/scratch");
    return std::none_of(begin(entries), end(entries),
                        [](const auto& entry) { return entry.is_directory(); });
  }
  // The rows that a dataset has, the largest.
  static fs::path rows() {
    fs::path largest;
    for (const auto& file : fs::recursive_directory_iterator(*scratch_ / "data/objects")) {
      if (!file.is_regular_file() || file.path().string().find("/rows/") == std::string::npos) continue;
      if (largest.empty() || fs::file_size(file) > fs::file_size(largest)) largest = file.path();
    }
    return largest;
  }
  static std::string report() {
    const auto report = parse_json(oa({"drill", "report", "--json"}).out);
    return report.ok() ? json::serialize(*report) : "";
  }

  static std::unique_ptr<testkit::Scratch> scratch_;
  static std::unique_ptr<testkit::Service> service_;
};
std::unique_ptr<testkit::Scratch> CellDrills::scratch_;
std::unique_ptr<testkit::Service> CellDrills::service_;

TEST_F(CellDrills, AWholeBackupIsGreenAndNothingIsLeftBehind) {
  const auto people = oa({"user", "list", "--tenant", "Demo", "--json"}).out;
  const auto objects = [] {
    std::set<std::string> names;
    for (const auto& file : fs::recursive_directory_iterator(*scratch_ / "data/objects"))
      if (file.path().string().find("/drills/") == std::string::npos &&
          file.path().string().find("/ledger/") == std::string::npos)
        names.insert(file.path().string());
    return names;
  };
  const auto before = objects();
  const auto [done, status] = drill();
  EXPECT_EQ(status, 0) << json::serialize(done);
  EXPECT_EQ(text(done.at("state")), "successful");
  EXPECT_EQ(text(done.at("kind")), "cell");
  EXPECT_TRUE(done.at("tenant_id").is_null());
  EXPECT_EQ(step(done, "reports").at("figures").at("opened").to_number<int>(), 8);
  EXPECT_EQ(step(done, "check").at("figures").at("row_versions").to_number<int>(), 5);
  EXPECT_EQ(step(done, "history").at("figures").at("tenants").to_number<int>(), 1);
  EXPECT_GT(done.at("recovery_seconds").to_number<double>(), 0);
  EXPECT_LT(done.at("data_age_seconds").to_number<double>(), 300);
  const auto moment = text(step(done, "moment").at("figures").at("moment"));
  EXPECT_LE(moment, text(done.at("started_at")));
  EXPECT_TRUE(scratch_is_empty());
  EXPECT_EQ(objects(), before);
  EXPECT_EQ(oa({"user", "list", "--tenant", "Demo", "--json"}).out, people);  // without the visitor
  const auto published = report();
  EXPECT_NE(published.find("\"data_loss_seconds\""), std::string::npos);
  EXPECT_EQ(published.find("Demo"), std::string::npos);
  EXPECT_EQ(published.find("recovery.invalid"), std::string::npos);
}

TEST_F(CellDrills, AMomentOutsideTheWindowIsRefusedAndNotRecorded) {
  const auto before = oa({"drill", "list", "--json"}).out;
  const auto refused = oa({"drill", "run", "--cell", "--moment", "2020-01-01T00:00:00Z", "--json"});
  EXPECT_NE(refused.status, 0);
  EXPECT_NE(refused.err.find("backup/outside-window"), std::string::npos) << refused.err;
  EXPECT_EQ(oa({"drill", "list", "--json"}).out, before);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"drill", "run"}, {"drill", "run", "--cell", "--all"},
        {"drill", "run", "--tenant", "Demo", "--moment", "2026-01-01T00:00:00Z"},
        {"drill", "run", "--cell", "--moment", "yesterday"}})
    EXPECT_EQ(oa(wrong).status, 2) << wrong.back();
}

TEST_F(CellDrills, ARestoreThatTakesTooLong) {
  expect_red({"--recovery-minutes", "0"}, "recovery-time", "request/timeout", "timed_out");
}

TEST_F(CellDrills, ADrillThatTakesTooLong) {
  const auto [done, status] = drill({"--limit-minutes", "0"});
  EXPECT_EQ(status, 13);
  EXPECT_EQ(text(done.at("state")), "timed_out");
}

TEST_F(CellDrills, RowsThatAreNotThere) {
  const auto file = rows();
  fs::rename(file, *scratch_ / "elsewhere");
  expect_red({}, "check", "drill/failed");
  fs::rename(*scratch_ / "elsewhere", file);
  EXPECT_EQ(drill().second, 0);
}

TEST_F(CellDrills, AFlippedByteInRowsThatReportsShow) {
  const auto file = rows();
  flip_a_byte(file);
  expect_red({}, "reports", "drill/failed");
  flip_a_byte(file);
  EXPECT_EQ(drill().second, 0);
}

// The last, since what it breaks stays so.
TEST_F(CellDrills, ADamagedBackup) {
  unsigned damaged = 0;
  for (const auto& file : fs::recursive_directory_iterator(*scratch_ / "data/continuity")) {
    const auto path = file.path().string();
    if (!file.is_regular_file() || file.file_size() < 4096 ||
        path.find("/backup/") == std::string::npos || path.find("manifest") != std::string::npos ||
        path.find(".info") != std::string::npos)
      continue;
    flip_a_byte(file.path());
    ++damaged;
  }
  ASSERT_GT(damaged, 0U);
  const auto [done, status] = drill();
  EXPECT_EQ(status, 13);
  const auto& last = done.at("steps").as_array().back();
  EXPECT_EQ(text(last.at("name")), "restore") << json::serialize(done);
  EXPECT_TRUE(scratch_is_empty());
}

}  // namespace
}  // namespace oa
