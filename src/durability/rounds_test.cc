// What goes on by itself, its records and alarms.
#include "oa/durability/rounds.h"

#include <condition_variable>
#include <mutex>

#include "scrub_testkit.h"

namespace oa::durability {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;

class RoundsTest : public ScrubTest {
 protected:
  RoundsTest() { store_ = open_local_store(scratch_.path() + "/objects").value(); }
  ScrubParts parts() { return {database(), *keys_, *store_, nullptr}; }
  static BucketFinding finding(FindingLevel level) {
    return {BucketAspect::kVersioning, level, "primary", "it is so", "do this", ""};
  }
  static StorageStatus status(Timestamp now = Timestamp::now()) {
    return storage_status(database(), true, kScrubDays, now).value();
  }
  static std::vector<std::string> alarms(const StorageStatus& status) {
    std::vector<std::string> codes;
    for (const auto& alarm : status.alarms)
      codes.push_back(std::string(alarm.critical ? "critical " : "warning ") +
                      std::string(to_text(alarm.code)));
    return codes;
  }
};
using Names = std::vector<std::string>;

TEST_F(RoundsTest, OneProcessChecksAndScrubsAndRecords) {
  for (int i = 0; i < 5; ++i) put("o" + std::to_string(i), noise(1000));
  std::mutex mutex;
  std::condition_variable changed;
  int checks = 0, scrubs = 0;
  RoundSettings settings;
  settings.tick = std::chrono::milliseconds(20);
  settings.check = [&]() -> Result<std::vector<BucketFinding>> {
    return std::vector{finding(FindingLevel::kCritical)};
  };
  settings.done = [&](const char* what, const std::string& outcome) {
    EXPECT_EQ(outcome, "succeeded") << what;
    const std::lock_guard lock(mutex);
    ++(std::string(what) == "scrub" ? scrubs : checks);
    changed.notify_all();
  };
  const auto records_before =
      catalog::DurabilityRecords(database()).verify().value();
  {
    const auto first = Rounds::start(parts(), settings), second = Rounds::start(parts(), settings);
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return scrubs >= 4; }));
  }
  EXPECT_EQ(checks, 1);  // the next one tomorrow
  EXPECT_EQ(covered().totals.verified_versions, 5u);
  EXPECT_EQ(catalog::DurabilityRecords(database()).verify().value(), records_before + 2);
  const auto now = status();
  EXPECT_EQ(alarms(now), Names{"critical bucket-drift"});
  EXPECT_EQ(now.alarms[0].message, "primary bucket: it is so");
}

TEST_F(RoundsTest, AlarmsFollowFromWhatWasRecorded) {
  const Timestamp now = Timestamp::now();
  using Found = Result<std::vector<BucketFinding>>;
  ASSERT_OK(record_check(database(), Found(std::vector{finding(FindingLevel::kNote)}), now));
  EXPECT_EQ(alarms(status(now)), Names{});
  EXPECT_EQ(alarms(status({now.unix_us + 2 * kDayUs})), Names{"warning bucket-unchecked"});
  ASSERT_OK(record_check(database(), Found(std::vector{finding(FindingLevel::kWarning)}), now));
  EXPECT_EQ(alarms(status(now)), Names{"warning bucket-drift"});
  // A check that fails leaves what is known, and says so.
  ASSERT_OK(record_check(
      database(), Found(make_error(ErrorCode::kObjectStoreUnavailable, "x", "y")), now));
  const auto failed = status(now);
  EXPECT_EQ(alarms(failed), (Names{"warning bucket-drift", "warning bucket-unchecked"}));
  EXPECT_EQ(failed.checked_at->unix_us, now.unix_us);
  ASSERT_OK(record_check(database(), Found(std::vector<BucketFinding>()), now));

  const VersionId version = put("a", noise(1000));
  ASSERT_EQ(scrub().verified_versions, 1u);
  EXPECT_EQ(alarms(status(now)), Names{});
  EXPECT_EQ(alarms(storage_status(database(), false, kScrubDays,
                                  {Timestamp::now().unix_us + 31 * kDayUs})
                       .value()),
            Names{"warning scrub-behind"});
  name_by_dataset("a", version);
  ASSERT_TRUE(store_->remove(key("a"), version).ok());
  ASSERT_EQ(scrub(true, false).damaged.size(), 1u);
  const auto damaged = status(now);
  EXPECT_EQ(alarms(damaged), Names{"critical object-damaged"});
  EXPECT_NE(damaged.alarms[0].message.find("dataset"), std::string::npos);
  const auto document = to_json(damaged);
  EXPECT_EQ(document.at("damage").as_array().size(), 1u);
}

}  // namespace
}  // namespace oa::durability
