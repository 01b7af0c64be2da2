// Answers in the forms of Amazon's S3 API reference, which Ceph's gateway writes otherwise or not at all.
#include <gtest/gtest.h>

#include "oa/durability/bucket_check.h"
#include "scripted_server.h"

namespace oa::durability {
namespace {

using aws::http_answer;
const std::string kRoot = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

std::string answer(const std::string& root, const std::string& content) {
  return http_answer(200, "", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + root + kRoot +
                                  content + "</" + root + ">");
}
std::string absent(const std::string& code) {
  return http_answer(404, "", "<Error><Code>" + code + "</Code><Message>x</Message></Error>");
}

const std::string kVersioned = answer("VersioningConfiguration", "<Status>Enabled</Status>");
const std::string kLocked =
    answer("ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled>");
const std::string kPrivate = answer(
    "AccessControlPolicy",
    "<Owner><ID>79a5</ID></Owner><AccessControlList><Grant><Grantee "
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>79a5"
    "</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>");

class AmazonBucket : public testing::Test {
 protected:
  void serve(const std::vector<std::string>& answers) {
    server_ = std::make_unique<aws::ScriptedServer>(answers);
    S3Settings settings;
    settings.connection = {
        .endpoint = server_->url(),
        .scope = {"eu-central-1", "s3"},
        .credentials = *aws::CredentialProvider::fixed(
            {.access_key_id = "AKID", .secret_access_key = SecretBytes::copy_of(as_bytes("S"))}),
        .retries = {.attempts = 1}};
    settings.bucket = "bucket";
    settings.prefix = "backup/";
    settings.kms_key_of = [](TenantId) { return "arn:aws:kms:eu-central-1:1:key/7"; };
    required_ = required_bucket(settings, true, 98, 30);
    admin_ = BucketAdmin::open(settings).value();
  }
  std::unique_ptr<aws::ScriptedServer> server_;
  std::unique_ptr<BucketAdmin> admin_;
  RequiredBucket required_;
};

TEST_F(AmazonBucket, EveryPropertyIsReadInItsForm) {
  serve({kVersioned, kLocked,
         answer("ServerSideEncryptionConfiguration",
                "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>"
                "<KMSMasterKeyID>arn:k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>"
                "<BucketKeyEnabled>true</BucketKeyEnabled></Rule>"),
         answer("LifecycleConfiguration",
                "<Rule><ID>a</ID><Filter><And><Prefix>backup/objects/</Prefix><Tag><Key>oa-class"
                "</Key><Value>rows</Value></Tag><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>"
                "</And></Filter><Status>Enabled</Status><NoncurrentVersionExpiration>"
                "<NewerNoncurrentVersions>3</NewerNoncurrentVersions><NoncurrentDays>5"
                "</NoncurrentDays></NoncurrentVersionExpiration></Rule>"),
         kPrivate,
         answer("PublicAccessBlockConfiguration",
                "<BlockPublicAcls>TRUE</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
                "<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true"
                "</RestrictPublicBuckets>"),
         absent("NoSuchBucketPolicy"),
         answer("ReplicationConfiguration",
                "<Role>arn:r</Role><Rule><ID>b</ID><Priority>1</Priority><Filter><Prefix>backup/"
                "</Prefix></Filter><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::copy"
                "</Bucket></Destination></Rule>")});
  const auto seen = admin_->read().value();
  EXPECT_EQ(seen.versioning.value, "Enabled");
  EXPECT_TRUE(seen.object_lock.value);
  EXPECT_EQ(seen.encryption.value, "aws:kms arn:k");
  ASSERT_EQ(seen.lifecycle.value.size(), 1u);
  EXPECT_EQ(seen.lifecycle.value[0].prefix, "backup/objects/");
  EXPECT_EQ(seen.lifecycle.value[0].tags.size(), 1u);
  EXPECT_EQ(seen.lifecycle.value[0].noncurrent_days, 5);
  EXPECT_TRUE(seen.grants.value.empty());
  EXPECT_FALSE(seen.public_access.value.refuses_writes);
  EXPECT_TRUE(seen.public_access.value.right());
  EXPECT_FALSE(seen.policy.value.has_value());
  ASSERT_EQ(seen.replication.value.size(), 1u);
  EXPECT_EQ(seen.replication.value[0].destination, "arn:aws:s3:::copy");
  EXPECT_EQ(seen.replication.value[0].prefix, "backup/");
  EXPECT_TRUE(seen.replication.value[0].enabled);
}

TEST_F(AmazonBucket, WhatIsNotSetIsSetAndTheRulesOfOthersAreSentBackWhole) {
  const std::string others =
      "<Rule><ID>logs</ID><Filter><And><Prefix>logs/</Prefix><ObjectSizeLessThan>9"
      "</ObjectSizeLessThan></And></Filter><Status>Enabled</Status><Expiration><Days>3</Days>"
      "</Expiration></Rule>";
  const std::string done = http_answer(200, "", "");
  serve({kVersioned, kLocked, absent("ServerSideEncryptionConfigurationNotFoundError"),
         answer("LifecycleConfiguration", others), kPrivate,
         absent("NoSuchPublicAccessBlockConfiguration"), absent("NoSuchBucketPolicy"),
         absent("ReplicationConfigurationNotFoundError"), done, done, done});
  const auto seen = admin_->read().value();
  EXPECT_EQ(apply_bucket(*admin_, required_, seen)->size(), 3u);
  const auto requests = server_->requests();
  ASSERT_EQ(requests.size(), 11u);
  EXPECT_NE(requests[8].find("PUT /bucket?encryption"), std::string::npos);
  EXPECT_NE(requests[8].find("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>"
                             "arn:aws:kms:eu-central-1:1:key/7</KMSMasterKeyID>"),
            std::string::npos);
  EXPECT_NE(requests[9].find("PUT /bucket?lifecycle"), std::string::npos);
  EXPECT_NE(requests[9].find(others), std::string::npos);
  EXPECT_NE(requests[9].find("<ID>oa-backup-housekeeping</ID>"), std::string::npos);
  EXPECT_NE(requests[10].find("<BlockPublicAcls>true</BlockPublicAcls>"), std::string::npos);
}

TEST_F(AmazonBucket, WhatTheKeyMayNotReadIsAFindingAndNotAnError) {
  const std::string denied = http_answer(403, "", "<Error><Code>AccessDenied</Code></Error>");
  serve({kVersioned, denied, denied, denied, denied, denied, denied, denied});
  const auto findings = check_bucket(*admin_, required_).value();
  int refused = 0;
  for (const auto& finding : findings) {
    EXPECT_TRUE(finding.change.empty()) << finding.message;
    refused += finding.message.find("access is denied") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(refused, 7);
  EXPECT_TRUE(drifted(findings));
}

}  // namespace
}  // namespace oa::durability
