// Which rules and statements do harm.
#include "bucket_rules.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdint>

namespace oa::durability {
namespace {

RequiredBucket required() {
  RequiredBucket made;
  made.prefix = "backup/";
  made.noncurrent_days = 158;
  return made;
}

LifecycleRule rule(const std::string& prefix) {
  LifecycleRule made;
  made.id = "theirs";
  made.enabled = true;
  made.prefix = prefix;
  return made;
}

TEST(BucketRules, WhatRemovesOurObjectsIsADanger) {
  for (const char* prefix : {"", "b", "backup/", "backup/objects/", "backup/segments/01/rows/",
                             "backup/objects/2f0c-wal"}) {
    auto expires = rule(prefix);
    for (const int days : {0, 1, 36'500}) {
      expires.expires_days = days;
      EXPECT_TRUE(danger_of(expires, required()).has_value()) << prefix << days;
    }
    auto noncurrent = rule(prefix);
    for (const auto& [days, danger] : {std::pair{0, true}, {157, true}, {158, false}, {400, false}}) {
      noncurrent.noncurrent_days = days;
      EXPECT_EQ(danger_of(noncurrent, required()).has_value(), danger) << prefix << days;
    }
    auto moves = rule(prefix);
    moves.transitions = {"STANDARD_IA"};
    EXPECT_FALSE(danger_of(moves, required()).has_value());
    moves.transitions.emplace_back("DEEP_ARCHIVE");
    EXPECT_TRUE(danger_of(moves, required()).has_value());
    expires.enabled = false;
    EXPECT_FALSE(danger_of(expires, required()).has_value());
  }
}

TEST(BucketRules, WhatCannotBeOursIsNone) {
  for (const char* prefix : {"logs/", "backup/other/", "backupobjects/", "c"}) {
    auto expires = rule(prefix);
    expires.expires_days = 1;
    EXPECT_FALSE(danger_of(expires, required()).has_value()) << prefix;
  }
  auto tagged = rule("");
  tagged.expires_days = 1;
  tagged.tags = {{"team", "a"}};
  EXPECT_FALSE(danger_of(tagged, required()).has_value());
  tagged.tags = {{"oa-class", "rows"}};
  EXPECT_TRUE(danger_of(tagged, required()).has_value());
}

TEST(BucketRules, MendingDisablesAndKeepsToTheLetter) {
  auto harmless = rule("logs/");
  harmless.xml = "<Rule><ID>logs</ID><Strange>1</Strange></Rule>";
  auto harmful = rule("");
  harmful.expires_days = 1;
  harmful.xml = "<Rule><ID>a &amp; b</ID><Status>Enabled</Status><Prefix></Prefix></Rule>";
  const auto mended = mended_rules({harmless, harmful}, required()).value();
  ASSERT_EQ(mended.size(), 3u);
  EXPECT_EQ(mended[0], harmless.xml);
  EXPECT_EQ(mended[1], "<Rule><ID>a &amp; b</ID><Status>Disabled</Status><Prefix></Prefix></Rule>");
  EXPECT_NE(mended[2].find("<ID>oa-backup-housekeeping</ID>"), std::string::npos);
}

BucketConfiguration right() {
  BucketConfiguration seen;
  seen.versioning.value = "Enabled";
  seen.object_lock.value = true;
  seen.encryption.value = "AES256";
  seen.public_access.value = {true, true, true, true, false};
  auto ours = rule("backup/");
  ours.id = kOurRule;
  ours.xml = housekeeping_rule(ours.id, "backup/", kUnfinishedDays);
  seen.lifecycle.value = {ours};
  seen.replication.value = {{"to-b", "arn:aws:s3:::b", "", true}};
  return seen;
}

// "warning encryption" of what is worse than a note.
std::vector<std::string> wrong(const RequiredBucket& required, const BucketConfiguration& seen,
                               const std::vector<LedgerLockSeen>& ledger = {}) {
  std::vector<std::string> names;
  for (const auto& finding : bucket_findings(required, seen, ledger, {std::int64_t{1} << 50}))
    if (finding.level != FindingLevel::kNote)
      names.push_back(std::string(to_text(finding.level)) + " " +
                      std::string(to_text(finding.aspect)));
  return names;
}

TEST(BucketFindings, EachPropertyCountsByItself) {
  RequiredBucket wanted = required();
  wanted.place = "primary";
  wanted.lock = LedgerLock{.compliance = true, .days = 10};
  using Names = std::vector<std::string>;
  EXPECT_EQ(wrong(wanted, right()), Names{});
  auto seen = right();
  seen.encryption.value.reset();
  EXPECT_EQ(wrong(wanted, seen), Names{"warning encryption"});
  seen.encryption.told = Told::kUnsupported;
  EXPECT_EQ(wrong(wanted, seen), Names{});
  seen.encryption.told = Told::kRefused;
  EXPECT_EQ(wrong(wanted, seen), Names{"warning encryption"});
  seen = right();
  seen.replication.value[0].enabled = false;
  EXPECT_EQ(wrong(wanted, seen), Names{"warning replication"});
  seen.replication.value[0] = {"of-others", "arn:aws:s3:::b", "logs/", true};
  EXPECT_EQ(wrong(wanted, seen), Names{"warning replication"});
  wanted.replica_named = true;
  EXPECT_EQ(wrong(wanted, seen), Names{});
  seen = right();
  seen.public_access.value.block_acls = false;
  EXPECT_EQ(wrong(wanted, seen), Names{"warning public-access"});
  seen = right();
  seen.grants.value = {{"another-account", "READ"},
                       {"http://acs.amazonaws.com/groups/s3/LogDelivery", "WRITE"}};
  EXPECT_EQ(wrong(wanted, seen), Names{"warning acl"});
}

TEST(BucketFindings, ALedgersLockMustHoldAsLongAsItIsToLast) {
  RequiredBucket wanted = required();
  wanted.place = "primary";
  wanted.lock = LedgerLock{.compliance = true, .days = 10};
  const std::int64_t now = std::int64_t{1} << 50, day = std::int64_t{86'400} * 1'000'000;
  const auto entry = [&](int age_days, const char* mode, std::optional<int> left_days) {
    LedgerLockSeen seen{{}, {now - age_days * day}, mode, {}};
    if (left_days.has_value()) seen.until = Timestamp{now + *left_days * day};
    return wrong(wanted, right(), {seen}).size();
  };
  EXPECT_EQ(entry(1, "COMPLIANCE", 9), 0u);
  EXPECT_EQ(entry(1, "GOVERNANCE", 9), 1u);
  EXPECT_EQ(entry(1, "", std::nullopt), 1u);
  EXPECT_EQ(entry(1, "COMPLIANCE", -1), 1u);
  EXPECT_EQ(entry(11, "COMPLIANCE", -1), 0u);
  wanted.lock->compliance = false;
  EXPECT_EQ(entry(1, "COMPLIANCE", 9), 0u);
  EXPECT_EQ(entry(1, "GOVERNANCE", 9), 0u);
}

json::value policy(const char* statements) {
  return parse_json(std::string(R"({"Version":"2012-10-17","Statement":)") + statements + "}")
      .value();
}

TEST(BucketRules, StatementsThatLetEverybodyInAreFound) {
  for (const char* open : {R"([{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}])",
                           R"({"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*"})",
                           R"([{"Effect":"Allow","Principal":{"AWS":["arn:x","*"]}}])",
                           R"([{"Effect":"Allow","NotPrincipal":{"AWS":"arn:x"}}])",
                           R"([{"Effect":"Allow","Principal":"*","Condition":{}}])"}) {
    const auto found = public_statements(policy(open));
    ASSERT_EQ(found.size(), 1u) << open;
    EXPECT_FALSE(found[0].conditional) << open;
    EXPECT_FALSE(mended_policy(policy(open)).has_value()) << open;
  }
  for (const char* closed : {R"([{"Effect":"Deny","Principal":"*","Action":"s3:*"}])",
                             R"([{"Effect":"Allow","Principal":{"AWS":"arn:x"}}])",
                             R"([{"Effect":"Allow","Principal":{"Service":"*"}}])", "[]", "[1]"})
    EXPECT_EQ(public_statements(policy(closed)).size(), 0u) << closed;
  const auto mixed = policy(
      R"([{"Sid":"in","Effect":"Allow","Principal":"*"},{"Sid":"tls","Effect":"Deny","Principal":"*"},
          {"Sid":"vpc","Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"a":"b"}}}])");
  const auto found = public_statements(mixed);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "\"in\"");
  EXPECT_TRUE(found[1].conditional);
  EXPECT_EQ(mended_policy(mixed)->at("Statement").as_array().size(), 2u);
}

}  // namespace
}  // namespace oa::durability
