// The bucket of a real RADOS Gateway that really drifts, property by property, and comes back.
#include "oa/durability/bucket_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "rgw_testkit.h"

namespace oa::durability {
namespace {

using rgw::Gateway;
constexpr const char* kNamespace = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

class BucketCheck : public testing::Test {
 protected:
  BucketCheck() { take_bucket(true); }
  void take_bucket(bool lockable) {
    settings_ = Gateway::shared().fresh_store();
    settings_.bucket = Gateway::shared().make_bucket(true, lockable);
    settings_.prefix = "backup/";
    if (lockable) settings_.ledger_lock = LedgerLock{.compliance = false, .days = 30};
    admin_ = BucketAdmin::open(settings_).value();
    required_ = required_bucket(settings_, true, 98, 30);
  }
  std::vector<BucketFinding> check() { return check_bucket(*admin_, required_).value(); }
  std::vector<std::string> apply() {
    return apply_bucket(*admin_, required_, admin_->read().value()).value();
  }
  // "critical lifecycle", worst first, without notes.
  static std::vector<std::string> wrong(const std::vector<BucketFinding>& findings) {
    std::vector<std::string> names;
    for (const auto& finding : findings) {
      if (finding.level == FindingLevel::kNote) continue;
      EXPECT_FALSE(finding.remedy.empty()) << finding.message;
      names.push_back(std::string(to_text(finding.level)) + " " +
                      std::string(to_text(finding.aspect)));
    }
    return names;
  }
  void set(const std::string& property, const std::string& body, aws::Fields headers = {}) {
    const auto client = aws::Client::open(settings_.connection).value();
    aws::Request put{.method = "PUT", .path = "/" + settings_.bucket, .query = {{property, ""}}};
    put.headers = std::move(headers);
    put.body = as_bytes(body);
    const auto answer = client->send(put).value();
    ASSERT_TRUE(answer.ok()) << answer.head.status << answer.error_code;
  }
  void set_lifecycle(const std::string& rules) {
    set("lifecycle",
        "<LifecycleConfiguration" + std::string(kNamespace) + rules + "</LifecycleConfiguration>");
  }
  static std::string rule(const std::string& id, const std::string& filter,
                          const std::string& action) {
    return "<Rule><ID>" + id + "</ID><Filter>" + filter + "</Filter><Status>Enabled</Status>" +
           action + "</Rule>";
  }
  bool can_write() const {
    const auto store = open_s3_store(settings_).value();
    const auto writer = store->put({TenantId::random(), RetentionClass::kRows, "o"}).value();
    return writer->commit().ok();
  }
  using Names = std::vector<std::string>;
  S3Settings settings_;
  std::unique_ptr<BucketAdmin> admin_;
  RequiredBucket required_;
};

TEST_F(BucketCheck, AFreshBucketIsMendedOnceAndStaysSo) {
  EXPECT_EQ(wrong(check()), (Names{"warning lifecycle", "warning public-access"}));
  EXPECT_EQ(drift_status(check()).error().code, ErrorCode::kObjectStoreDrift);
  EXPECT_EQ(apply().size(), 2u);
  EXPECT_EQ(wrong(check()), Names{});
  EXPECT_TRUE(drift_status(check()).ok());
  EXPECT_EQ(apply(), Names{});
  // What this server cannot do is said.
  const auto findings = check();
  EXPECT_TRUE(std::ranges::any_of(findings, [](const BucketFinding& finding) {
    return finding.aspect == BucketAspect::kEncryption && finding.level == FindingLevel::kNote;
  }));
  EXPECT_TRUE(std::ranges::any_of(findings, [](const BucketFinding& finding) {
    return finding.aspect == BucketAspect::kReplication;
  }));
  EXPECT_TRUE(can_write());
}

TEST_F(BucketCheck, WhatMakesThisServerRefuseWritesIsTurnedOff) {
  apply();
  ASSERT_TRUE(admin_->block_public_access(true).ok());
  EXPECT_FALSE(can_write());  // else this server needs no exception any more
  EXPECT_EQ(wrong(check()), Names{"critical public-access"});
  EXPECT_EQ(apply().size(), 1u);
  EXPECT_EQ(wrong(check()), Names{});
  EXPECT_TRUE(can_write());
}

TEST_F(BucketCheck, SuspendedVersioningIsTurnedOn) {
  take_bucket(false);
  apply();
  EXPECT_EQ(wrong(check()), Names{});
  set("versioning", "<VersioningConfiguration" + std::string(kNamespace) +
                        "<Status>Suspended</Status></VersioningConfiguration>");
  EXPECT_EQ(wrong(check()), Names{"critical versioning"});
  EXPECT_EQ(apply(), Names{"turn versioning on"});
  EXPECT_EQ(wrong(check()), Names{});
}

TEST_F(BucketCheck, ALedgerThatShouldBeLockedAndCannotIsCritical) {
  take_bucket(false);
  apply();
  settings_.ledger_lock = LedgerLock{.compliance = true, .days = 10};
  required_ = required_bucket(settings_, true, 98, 30);
  EXPECT_EQ(wrong(check()), Names{"critical object-lock"});
  EXPECT_EQ(apply(), Names{});
}

TEST_F(BucketCheck, WhatLetsEverybodyInIsTakenOut) {
  apply();
  set("publicAccessBlock",
      "<PublicAccessBlockConfiguration" + std::string(kNamespace) +
          "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls>"
          "<BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false"
          "</RestrictPublicBuckets></PublicAccessBlockConfiguration>");
  set("acl", "", {{"x-amz-acl", "public-read"}});
  set("policy",
      R"({"Version":"2012-10-17","Statement":[{"Sid":"open","Effect":"Allow","Principal":"*",
          "Action":["s3:GetObject"],"Resource":["arn:aws:s3:::)" +
          settings_.bucket +
          R"(/*"]},{"Sid":"tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::)" +
          settings_.bucket + R"(/*"],"Condition":{"Bool":{"aws:SecureTransport":"maybe"}}}]})");
  EXPECT_EQ(wrong(check()),
            (Names{"critical acl", "critical policy", "warning public-access"}));
  EXPECT_EQ(apply().size(), 3u);
  EXPECT_EQ(wrong(check()), Names{});
  const auto seen = admin_->read().value();
  ASSERT_TRUE(seen.policy.value.has_value());
  const auto& kept = seen.policy.value->as_object().at("Statement").as_array();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].as_object().at("Sid").as_string(), "tls");
}

TEST_F(BucketCheck, RulesThatRemoveOurObjectsAreDisabledAndOthersKept) {
  const std::string harmless =
      rule("logs", "<Prefix>logs/</Prefix>", "<Expiration><Days>3</Days></Expiration>") +
      rule("old", "<Prefix></Prefix>",
           "<NoncurrentVersionExpiration><NoncurrentDays>400</NoncurrentDays>"
           "</NoncurrentVersionExpiration>");
  set_lifecycle(
      harmless +
      rule("all", "<Prefix></Prefix>", "<Expiration><Days>365</Days></Expiration>") +
      rule("rows",
           "<And><Prefix>backup/objects/</Prefix><Tag><Key>oa-class</Key><Value>rows</Value>"
           "</Tag></And>",
           "<NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays>"
           "</NoncurrentVersionExpiration>"));
  const auto before = check();
  EXPECT_EQ(wrong(before), (Names{"critical lifecycle", "critical lifecycle", "warning lifecycle",
                                  "warning public-access"}));
  EXPECT_NE(before[0].message.find("\"all\""), std::string::npos);
  const auto done = apply();
  EXPECT_EQ(done.size(), 4u);
  EXPECT_EQ(wrong(check()), Names{});
  const auto seen = admin_->read().value();
  std::vector<std::pair<std::string, bool>> rules;
  for (const auto& each : seen.lifecycle.value) rules.emplace_back(each.id, each.enabled);
  std::ranges::sort(rules);
  EXPECT_EQ(rules, (std::vector<std::pair<std::string, bool>>{{"all", false},
                                                              {"logs", true},
                                                              {"oa-backup-housekeeping", true},
                                                              {"old", true},
                                                              {"rows", false}}));
  for (const auto& each : seen.lifecycle.value) {
    EXPECT_EQ(each.noncurrent_days == 400, each.id == "old");
    EXPECT_EQ(each.tags.size(), each.id == "rows" ? 1u : 0u);
  }
  EXPECT_EQ(apply(), Names{});
}

TEST_F(BucketCheck, OurRuleIsPutBackWhenItWasChanged) {
  apply();
  set_lifecycle(rule("oa-backup-housekeeping", "<Prefix>backup/</Prefix>",
                     "<Expiration><Days>1</Days></Expiration>"));
  EXPECT_EQ(wrong(check()), Names{"warning lifecycle"});
  EXPECT_EQ(apply().size(), 1u);
  EXPECT_EQ(wrong(check()), Names{});
}

TEST_F(BucketCheck, TheLedgersLocksAreReadBack) {
  apply();
  const auto store = open_s3_store(settings_).value();
  for (int tenant = 0; tenant < 3; ++tenant) {
    for (const auto retention_class : {RetentionClass::kArchives, RetentionClass::kLedger}) {
      const auto writer = store->put({TenantId::random(), retention_class, "entry"}).value();
      ASSERT_TRUE(writer->write(Bytes(10, 1)).ok());
      const auto committed = writer->commit();
      ASSERT_TRUE(committed.ok()) << committed.error().message << committed.error().cause;
    }
  }
  EXPECT_EQ(admin_->ledger_locks(50)->size(), 3u);
  EXPECT_EQ(wrong(check()), Names{});
  // Written by somebody without the lock.
  settings_.ledger_lock.reset();
  const auto unlocked = open_s3_store(settings_).value();
  const auto writer = unlocked->put({TenantId::random(), RetentionClass::kLedger, "entry"}).value();
  ASSERT_TRUE(writer->commit().ok());
  EXPECT_EQ(wrong(check()), Names{"critical ledger"});
}

TEST_F(BucketCheck, EveryObjectLockedIsSaid) {
  apply();
  set("object-lock", "<ObjectLockConfiguration" + std::string(kNamespace) +
                         "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                         "<Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
                         "</ObjectLockConfiguration>");
  const auto findings = check();
  EXPECT_EQ(wrong(findings), Names{"warning object-lock"});
  EXPECT_NE(findings[0].message.find("GOVERNANCE, 1 days"), std::string::npos);
}

TEST_F(BucketCheck, ABucketThatIsNotThereIsAnError) {
  settings_.bucket = "there-is-no-such-bucket";
  const auto admin = BucketAdmin::open(settings_).value();
  EXPECT_EQ(check_bucket(*admin, required_).error().code, ErrorCode::kObjectStoreUnavailable);
}

}  // namespace
}  // namespace oa::durability
