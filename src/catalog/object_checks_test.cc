// What is known of stored versions, and the chain of records.
#include "oa/catalog/object_checks.h"

#include "oa/catalog/cell.h"
#include "oa/catalog/repositories.h"
#include "oa/catalog/uploads.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr Timestamp day(int number) { return {number * kDayUs}; }

class ObjectChecksTest : public testing::Test {
 protected:
  ObjectChecksTest() : tx_(begin(new_tenant())), checks_(tx_) {}
  void list(const std::string& name, std::uint64_t size, Timestamp at) {
    const ObjectChecks::Listed listed{{"rows", name, "1"}, size};
    ASSERT_OK(checks_.note_listed({&listed, 1}, at));
  }
  void verify(const std::string& name, Timestamp at) {
    auto check = checks_.find({"rows", name, "1"}).value().value();
    check.state = ObjectState::kGood;
    check.verified_at = check.looked_at = at;
    check.sealed_sha256 = Bytes(32, 7);
    ASSERT_OK(checks_.put(check));
    EXPECT_EQ(checks_.find(check.object).value()->verified_at, at);
  }
  std::vector<std::string> due(Timestamp verified_before, Timestamp listed_before,
                               Timestamp looked_before = day(1000)) {
    std::vector<std::string> names;
    const auto found = checks_.due({verified_before, listed_before, looked_before}, 100).value();
    for (const auto& check : found) names.push_back(check.object.name);
    return names;
  }
  TenantTransaction tx_;
  ObjectChecks checks_;
};

TEST_F(ObjectChecksTest, WhatWaitsLongestIsDueFirst) {
  for (const char* name : {"a", "b", "c", "d", "e"}) list(name, 10, day(10));
  verify("a", day(11));
  verify("b", day(13));
  verify("c", day(20));
  list("old", 1, day(5));
  verify("old", day(21));
  using Names = std::vector<std::string>;
  EXPECT_EQ(due(day(12), day(6)), (Names{"old", "d", "e", "a"}));
  EXPECT_EQ(due(day(14), day(6)), (Names{"old", "d", "e", "a", "b"}));
  EXPECT_EQ(due(day(14), day(6), day(12)), (Names{"d", "e", "a"}));
  ASSERT_OK(checks_.suspect({"rows", "c", "1"}, day(22)));
  ASSERT_OK(checks_.suspect({"rows", "new", "1"}, day(22)));
  // A suspect that no listing showed waits since it was seen first.
  EXPECT_EQ(due(day(0), day(0)), (Names{"new", "c", "d", "e"}));
  ASSERT_OK(checks_.forget({"rows", "new", "1"}));
  EXPECT_FALSE(checks_.find({"rows", "new", "1"}).value().has_value());
}

TEST_F(ObjectChecksTest, TotalsCountWhatWasVerifiedLately) {
  list("a", 100, day(10));
  list("b", 50, day(10));
  list("c", 7, day(12));
  verify("a", day(15));
  verify("b", day(30));
  auto totals = checks_.totals(day(20)).value();
  EXPECT_EQ(totals.versions, 3u);
  EXPECT_EQ(totals.bytes, 157u);
  EXPECT_EQ(totals.verified_versions, 1u);
  EXPECT_EQ(totals.verified_bytes, 50u);
  EXPECT_EQ(totals.oldest, day(12));
  auto damaged = checks_.find({"rows", "b", "1"}).value().value();
  damaged.state = ObjectState::kDamaged;
  damaged.damage = "storage/seal-corrupt";
  damaged.found_at = day(31);
  ASSERT_OK(checks_.put(damaged));
  totals = checks_.totals(day(20)).value();
  EXPECT_EQ(totals.verified_bytes, 0u);
  EXPECT_EQ(totals.damaged, 1u);
  const auto found = checks_.in_state(ObjectState::kDamaged, 10).value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].damage, "storage/seal-corrupt");
  // A reader's suspicion does not hide what is known.
  ASSERT_OK(checks_.suspect(damaged.object, day(32)));
  EXPECT_EQ(checks_.find(damaged.object).value()->state, ObjectState::kDamaged);
}

TEST_F(ObjectChecksTest, WhoNamesAVersionIsFound) {
  User user;
  user.id = UserId::random();
  Users(tx_).put({&user, 1}).value();
  Workspace workspace;
  workspace.id = WorkspaceId::random();
  Workspaces(tx_).put({&workspace, 1}).value();
  Dataset dataset;
  dataset.id = DatasetId::random();
  dataset.workspace_id = workspace.id;
  dataset.created_by = user.id;
  dataset.versions.resize(1);
  dataset.rows = RowsObject{"d/rows", "1"};
  Datasets(tx_).put({&dataset, 1}).value();
  dataset.rows = RowsObject{"d/rows", "2"};
  Datasets(tx_).put({&dataset, 1}).value();
  ArchiveRecord archive;
  archive.id = ArchiveId::random();
  archive.object_name = "archive";
  archive.object_version = "v";
  Archives(tx_).add(archive).value();
  const UploadPart part{0, 1, "p"};
  const UploadId upload = UploadId::random();
  Uploads(tx_).add({upload, user.id, "f", 1, 0, {}, {}}).value();
  Uploads(tx_).append(upload, 0, 0, {&part, 1}, {}).value();
  const auto kind = [&](const ObjectName& object) {
    const auto holder = checks_.holder(object).value();
    return holder.has_value() ? holder->kind + (holder->id ? " " + holder->id->str() : "")
                              : "nobody";
  };
  EXPECT_EQ(kind({"rows", "d/rows", "2"}), "dataset " + dataset.id.str());
  EXPECT_EQ(kind({"rows", "d/rows", "1"}), "moment");
  EXPECT_EQ(kind({"rows", "d/rows", "3"}), "nobody");
  EXPECT_EQ(kind({"archives", "archive", "v"}), "archive " + archive.id.str());
  EXPECT_EQ(kind({"archives", "uploads/" + upload.str() + "/0000000000000", "p"}),
            "upload " + upload.str());
  EXPECT_EQ(checks_.note_named(day(1)).value(), 4u);
  EXPECT_EQ(checks_.note_named(day(1)).value(), 0u);
  EXPECT_EQ(checks_.totals(day(0)).value().versions, 4u);
}

TEST(DurabilityRecords, AreAChainThatShowsWhatWasChanged) {
  DurabilityRecords records(database());
  for (int i = 0; i < 5; ++i) {
    const auto kind = i % 2 == 0 ? DurabilityKind::kBucket : DurabilityKind::kCoverage;
    ASSERT_OK(records.append(kind, day(i + 1), json::object{{"findings", i}}));
  }
  EXPECT_EQ(records.verify().value(), 5u);
  EXPECT_EQ(records.last(DurabilityKind::kCoverage).value()->number, 4);
  EXPECT_EQ(records.list(3, 10).value().size(), 2u);
  const auto admin = superuser();
  for (const char* const change :
       {"UPDATE oa.durability_records SET body = replace(body, '\"findings\":2', "
        "'\"findings\":0') WHERE number = 3",
        "UPDATE oa.durability_records SET made_at = made_at + interval '1 day' WHERE number = 3",
        "UPDATE oa.durability_records SET kind = 'coverage' WHERE number = 3",
        "DELETE FROM oa.durability_records WHERE number = 3"}) {
    admin->query("CREATE TABLE kept AS SELECT * FROM oa.durability_records").value();
    ASSERT_OK(admin->execute(change));
    const auto verified = records.verify();
    EXPECT_EQ(code_of(verified), ErrorCode::kDatabase) << change;
    if (!verified.ok()) {
      EXPECT_NE(verified.error().message.find("number 3"), std::string::npos);
    }
    ASSERT_OK(admin->execute("DELETE FROM oa.durability_records"));
    ASSERT_OK(admin->execute("INSERT INTO oa.durability_records SELECT * FROM kept"));
    ASSERT_OK(admin->execute("DROP TABLE kept"));
  }
  EXPECT_EQ(records.verify().value(), 5u);
  // The service can add, and take nothing back.
  auto access = database().as_operator().value();
  EXPECT_FALSE(access.connection().execute("DELETE FROM durability_records").ok());
  EXPECT_FALSE(access.connection().execute("UPDATE durability_records SET body = '{}'").ok());
}

}  // namespace
}  // namespace oa::catalog
