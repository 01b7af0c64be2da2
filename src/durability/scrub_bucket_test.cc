// The scrub of a bucket of a real RADOS Gateway, with a bucket that is its replica.
#include "rgw_testkit.h"
#include "s3_bucket.h"
#include "scrub_testkit.h"

namespace oa::durability {
namespace {

using rgw::Gateway;
constexpr std::size_t kSegment = 64 << 10;

class BucketScrub : public ScrubTest {
 protected:
  BucketScrub() {
    settings_ = Gateway::shared().fresh_store();
    settings_.segment_bytes = kSegment;
    other_ = settings_;
    other_.bucket = Gateway::shared().make_bucket(true, true);
    store_ = open_s3_store(settings_).value();
    replica_ = open_s3_store(other_).value();
  }
  S3Bucket bucket(const S3Settings& settings) {
    return {aws::Client::open(settings.connection).value(), settings};
  }
  std::vector<NativeVersion> natives(const S3Settings& settings) {
    return bucket(settings).list_all(settings.prefix).value();
  }
  // A raw PUT, as anybody with the bucket's credentials can make it.
  void write_over(const S3Settings& settings, const std::string& name, const Bytes& bytes) {
    const auto client = aws::Client::open(settings.connection).value();
    const aws::Request put{
        .method = "PUT", .path = "/" + settings.bucket + "/" + name, .body = bytes};
    ASSERT_TRUE(client->send(put).value().ok());
  }
  S3Settings settings_, other_;
};

TEST_F(BucketScrub, WhatWasWrittenOverComesBackWithoutAReplica) {
  const Bytes content[] = {noise(1000), noise(5 * kSegment)};
  const VersionId versions[] = {put("small", content[0]), put("large", content[1])};
  ASSERT_EQ(scrub().verified_versions, 2u);
  for (const auto& native : natives(settings_)) {
    // The list of segments and the small object; with other bytes of the same length too.
    if (native.key.find("/objects/") == std::string::npos) continue;
    write_over(settings_, native.key, noise(native.size_bytes));
  }
  const auto result = scrub(true, false);
  ASSERT_EQ(result.repaired.size(), 2u);
  for (const auto& repaired : result.repaired) EXPECT_EQ(repaired.from, "kept-copy");
  SealedObjects sealed(*store_, *keys_);
  EXPECT_EQ(read_all(*sealed.open(key("small"), versions[0]).value(), 1 << 24).value(), content[0]);
  EXPECT_EQ(read_all(*sealed.open(key("large"), versions[1]).value(), 1 << 24).value(), content[1]);
  EXPECT_EQ(covered().share(), 1);
}

TEST_F(BucketScrub, WhatIsGoneComesBackFromTheReplica) {
  const Bytes content = noise(5 * kSegment);
  const VersionId large = put("large", content), small = put("small", noise(1000));
  replicate("large", large);
  replicate("small", small);
  name_by_dataset("small", small);
  ASSERT_EQ(scrub().verified_versions, 2u);
  for (const auto& native : natives(settings_)) {
    if (!native.key.ends_with("/00000003") && native.key.find("/small!") == std::string::npos)
      continue;
    ASSERT_EQ(bucket(settings_).remove({&native, 1}).value(), 0u);
  }
  const auto result = scrub();
  ASSERT_EQ(result.repaired.size(), 2u);
  for (const auto& repaired : result.repaired) EXPECT_EQ(repaired.from, "replica");
  SealedObjects sealed(*store_, *keys_);
  EXPECT_EQ(read_all(*sealed.open(key("large"), large).value(), 1 << 24).value(), content);
  EXPECT_EQ(store_->head(key("small"))->version, small);
}

TEST_F(BucketScrub, ADamagedReplicaRepairsNothing) {
  const VersionId version = put("large", noise(5 * kSegment));
  replicate("large", version);
  ASSERT_EQ(scrub().verified_versions, 1u);
  for (const auto& settings : {settings_, other_}) {
    for (const auto& native : natives(settings)) {
      if (!native.key.ends_with("/00000002")) continue;
      ASSERT_EQ(bucket(settings).remove({&native, 1}).value(), 0u);
    }
  }
  const auto result = scrub();
  ASSERT_EQ(result.damaged.size(), 1u);
  EXPECT_TRUE(result.repaired.empty());
  EXPECT_EQ(damage().size(), 1u);
}

TEST_F(BucketScrub, AStoreThatDoesNotAnswerIsNoDamage) {
  put("small", noise(1000));
  ASSERT_EQ(scrub().verified_versions, 1u);
  auto gone = settings_;
  gone.connection.endpoint = "http://127.0.0.1:1";
  gone.connection.retries.attempts = 1;
  store_ = open_s3_store_unasked(gone).value();
  const auto result = scrub();
  ASSERT_EQ(result.troubles.size(), 1u);
  EXPECT_EQ(result.troubles[0].error.code, ErrorCode::kObjectStoreUnavailable);
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(damage().empty());
}

}  // namespace
}  // namespace oa::durability
