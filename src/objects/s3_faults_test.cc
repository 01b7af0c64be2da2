// Sealed objects over a network that does damage: each fault at each request of a put and of a get
// of an object with several segments.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "fault_proxy.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/s3_store.h"
#include "oa/objects/sealed_objects.h"
#include "rgw_testkit.h"

namespace oa {
namespace {

using std::chrono::milliseconds;

struct FaultCase {
  const char* name;
  Fault fault;
  bool heals;  // one of them alone is mended by trying again
};
void PrintTo(const FaultCase& tested, std::ostream* out) { *out << tested.name; }

class S3Faults : public testing::TestWithParam<FaultCase> {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-faults-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    keys_ = *LocalKeyService::create(folder_ + "/keys", {folder_ + "/root.key", {}});
    ASSERT_TRUE(keys_->create_tenant_key(key_.tenant).ok());
    settings_ = rgw::Gateway::shared().fresh_store();
    settings_.segment_bytes = 64 << 10;
    settings_.uploads_at_once = 1;  // so that requests have an order
    settings_.connection.endpoint = proxy_.url();
    settings_.connection.idle_timeout = milliseconds(150);
    settings_.connection.retries = {
        .attempts = 2, .first_wait = milliseconds(1), .longest_wait = milliseconds(2)};
    open();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A store whose budget of retries is whole.
  void open() {
    proxy_.arm(Fault::kNone, 0, false);
    store_ = *open_s3_store(settings_);
    objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
  }
  static Bytes content(std::uint8_t seed) {
    Bytes bytes(200'000);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251 + seed);
    return bytes;
  }
  Result<VersionId> put(std::uint8_t seed) {
    OA_ASSIGN(const auto writer, objects_->create(key_));
    OA_TRY(writer->write(content(seed)));
    return writer->commit();
  }
  Result<Bytes> get(const VersionId& version) {
    OA_ASSIGN(const auto source, objects_->open(key_, version));
    return read_all(*source, 1 << 24);
  }
  // What is there is whole, and what was there before still is.
  void expect_whole(const std::vector<VersionId>& committed) {
    proxy_.arm(Fault::kNone, 0, false);
    const auto listed = store_->list_versions(key_);
    ASSERT_TRUE(listed.ok());
    for (const auto& version : *listed) EXPECT_TRUE(get(version.version).ok());
    for (const auto& version : committed) {
      EXPECT_TRUE(std::ranges::any_of(
          *listed, [&](const ObjectVersion& one) { return one.version == version; }));
    }
  }
  static bool clean(const Error& error) {
    return error.code == ErrorCode::kObjectStoreUnavailable || error.code == ErrorCode::kIo ||
           error.code == ErrorCode::kSealCorrupt;
  }

  FaultProxy proxy_{rgw::Gateway::shared().port()};
  std::string folder_;
  std::unique_ptr<KeyService> keys_;
  S3Settings settings_;
  std::unique_ptr<S3Store> store_;
  std::unique_ptr<SealedObjects> objects_;
  const ObjectKey key_{TenantId::random(), RetentionClass::kArchives, "a"};
};

class S3PutFaults : public S3Faults {};
class S3GetFaults : public S3Faults {};

TEST_P(S3PutFaults, OnceAtEachRequestOfAPut) {
  std::vector<VersionId> committed{*put(0)};
  proxy_.arm(Fault::kNone, 0, false);
  committed.push_back(*put(1));
  const int requests = proxy_.seen();
  ASSERT_GE(requests, 6);  // four segments, a list, an index
  int hits = 0;
  for (int at = 0; at < requests; ++at) {
    open();
    proxy_.arm(GetParam().fault, at, false);
    const auto version = put(static_cast<std::uint8_t>(at));
    const int hit = proxy_.hits();
    hits += hit;
    if (hit == 0) {
      EXPECT_EQ(GetParam().fault, Fault::kWrongRequest);
    }  // of a request without a body
    if (GetParam().heals || hit == 0) {
      EXPECT_TRUE(version.ok()) << at << version.error().cause;
    }
    if (!version.ok()) {
      EXPECT_TRUE(clean(version.error())) << at << version.error().message;
    }
    proxy_.arm(Fault::kNone, 0, false);
    if (!version.ok()) continue;
    committed.push_back(*version);
    EXPECT_EQ(*get(*version), content(static_cast<std::uint8_t>(at))) << at;
  }
  EXPECT_GE(hits, requests - 1);
  expect_whole(committed);
}

TEST_P(S3PutFaults, FromEachRequestOfAPutOn) {
  const std::vector<VersionId> committed{*put(0)};
  proxy_.arm(Fault::kNone, 0, false);
  ASSERT_TRUE(store_->remove(key_, *put(1)).ok());
  constexpr int kRequests = 6;
  for (int at = 0; at < kRequests; at += GetParam().fault == Fault::kStall ? 3 : 1) {
    open();
    proxy_.arm(GetParam().fault, at, true);
    const auto version = put(static_cast<std::uint8_t>(at));
    EXPECT_GE(proxy_.hits(), 1) << at;
    ASSERT_FALSE(version.ok()) << at;
    EXPECT_TRUE(clean(version.error())) << at << version.error().message;
    expect_whole(committed);
  }
  EXPECT_EQ(*get(committed[0]), content(0));
  EXPECT_TRUE(put(1).ok());
}

TEST_P(S3GetFaults, OnceAtEachRequestOfAGet) {
  const VersionId version = *put(0);
  proxy_.arm(Fault::kNone, 0, false);
  ASSERT_TRUE(get(version).ok());
  const int requests = proxy_.seen();
  ASSERT_GE(requests, 4);
  for (int at = 0; at < requests; ++at) {
    open();
    proxy_.arm(GetParam().fault, at, false);
    const auto read = get(version);
    EXPECT_EQ(proxy_.hits(), 1) << at;
    if (GetParam().heals) {
      EXPECT_TRUE(read.ok()) << at;
    }
    if (read.ok()) {
      EXPECT_EQ(*read, content(0)) << at;
    }
    if (!read.ok()) {
      EXPECT_TRUE(clean(read.error())) << at << read.error().message;
    }
  }
}

TEST_P(S3GetFaults, FromEachRequestOfAGetOn) {
  const VersionId version = *put(0);
  for (int at = 0; at < 4; at += GetParam().fault == Fault::kStall ? 3 : 1) {
    open();
    proxy_.arm(GetParam().fault, at, true);
    const auto read = get(version);
    EXPECT_GE(proxy_.hits(), 1) << at;
    ASSERT_FALSE(read.ok()) << at;
    EXPECT_TRUE(clean(read.error())) << at << read.error().message;
  }
  proxy_.arm(Fault::kNone, 0, false);
  EXPECT_EQ(*get(version), content(0));
}

std::string name_of(const testing::TestParamInfo<FaultCase>& tested) { return tested.param.name; }

const FaultCase kAnyRequest[] = {{"reset_before", Fault::kResetBefore, true},
                                 {"reset_after", Fault::kResetAfter, true},
                                 {"stall", Fault::kStall, true},
                                 {"cut", Fault::kCut, true},
                                 {"error_500", Fault::kError500, true},
                                 {"slow_down", Fault::kSlowDown, true},
                                 {"wrong_answer", Fault::kWrongAnswer, false}};
const FaultCase kWithBody[] = {{"wrong_request", Fault::kWrongRequest, true}};

INSTANTIATE_TEST_SUITE_P(Any, S3PutFaults, testing::ValuesIn(kAnyRequest), name_of);
INSTANTIATE_TEST_SUITE_P(WithBody, S3PutFaults, testing::ValuesIn(kWithBody), name_of);
INSTANTIATE_TEST_SUITE_P(Any, S3GetFaults, testing::ValuesIn(kAnyRequest), name_of);

}  // namespace
}  // namespace oa
