// The s3 driver against a real RADOS Gateway: the conformance suite, and what only a bucket can
// show.
#include "oa/objects/s3_store.h"

#include <curl/curl.h>
#include <signal.h>

#include "oa/keys/local_key_service.h"
#include "oa/objects/sealed_objects.h"
#include "oa/objects/version_repair.h"
#include "object_store_conformance.h"
#include "rgw_testkit.h"
#include "s3_bucket.h"
#include "s3_names.h"

namespace oa {
namespace {

using rgw::Gateway;
using std::chrono::seconds;

constexpr std::size_t kSmallSegment = 64 << 10;

class S3Storage final : public StorageUnderTest {
 public:
  explicit S3Storage(S3Settings settings) : settings_(std::move(settings)) {}
  std::unique_ptr<ObjectStore> open() override { return *open_s3_store(settings_); }

 private:
  const S3Settings settings_;
};

std::unique_ptr<StorageUnderTest> storage(const std::function<void(S3Settings&)>& change) {
  S3Settings settings = Gateway::shared().fresh_store();
  change(settings);
  return std::make_unique<S3Storage>(std::move(settings));
}

INSTANTIATE_TEST_SUITE_P(
    S3, ObjectStoreConformance,
    testing::Values(StoreFactory{"s3", [] { return storage([](S3Settings&) {}); }},
                    StoreFactory{"s3_segments",
                                 [] {
                                   return storage([](S3Settings& settings) {
                                     settings.segment_bytes = kSmallSegment;
                                     settings.ledger_lock =
                                         LedgerLock{.compliance = true, .days = 1};
                                   });
                                 }},
                    StoreFactory{"s3_kms",
                                 [] {
                                   return storage([](S3Settings& settings) {
                                     settings.segment_bytes = std::size_t{1} << 20;
                                     settings.kms_key_of = [](TenantId) { return "tenant-a"; };
                                   });
                                 }}),
    [](const auto& tested) { return tested.param.name; });

class S3StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    settings_.segment_bytes = kSmallSegment;
    open();
  }
  void open() { store_ = *open_s3_store(settings_); }
  std::unique_ptr<S3Bucket> bucket() {
    return std::make_unique<S3Bucket>(*aws::Client::open(settings_.connection), settings_);
  }
  std::vector<NativeVersion> everything() { return *bucket()->list_all(settings_.prefix); }
  Result<VersionId> try_put(const Bytes& content) {
    OA_ASSIGN(const auto writer, store_->put(key_));
    OA_TRY(writer->write(content));
    return writer->commit();
  }
  VersionId put(const Bytes& content) { return *try_put(content); }
  Result<Bytes> get(const VersionId& version) {
    OA_ASSIGN(const auto source, store_->get(key_, version));
    return read_all(*source, std::uint64_t{1} << 30);
  }
  std::string name_of(const VersionId& version) {
    return S3Names(settings_.prefix).version_key(key_, *parse_version_id(version.value));
  }
  aws::Response ask(const aws::Request& request) {
    return *(*aws::Client::open(settings_.connection))->send(request);
  }
  static Bytes noise(std::size_t size) {
    Bytes bytes(size);
    std::uint32_t state = 12345;
    for (auto& byte : bytes)
      byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
  }

  S3Settings settings_ = Gateway::shared().fresh_store();
  std::unique_ptr<S3Store> store_;
  const ObjectKey key_{TenantId::random(), RetentionClass::kArchives, "a/b"};
};

TEST_F(S3StoreTest, ObjectsOfEverySizeComeBack) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kSmallSegment - 1, kSmallSegment, kSmallSegment + 1,
        2 * kSmallSegment, 2 * kSmallSegment + 1, 20 * kSmallSegment + 7}) {
    const Bytes content = noise(size);
    const VersionId version = put(content);
    EXPECT_EQ(*get(version), content) << size;
    EXPECT_EQ(store_->head(key_)->size_bytes, size);
  }
}

TEST_F(S3StoreTest, ASmallObjectIsOnePutAndALargeOneNamesItsSegments) {
  put(noise(kSmallSegment));
  EXPECT_EQ(everything().size(), 1u);
  put(noise(kSmallSegment + 1));
  std::size_t segments = 0;
  for (const auto& native : everything()) {
    segments += native.key.find("/segments/") != std::string::npos ? 1 : 0;
    EXPECT_LE(native.size_bytes, kSmallSegment);
  }
  EXPECT_EQ(segments, 2u);
  EXPECT_EQ(everything().size(), 4u);
}

TEST_F(S3StoreTest, LongReadsInOrderAndReadsAtRandomAgree) {
  settings_.segment_bytes = std::size_t{3} << 20;
  open();
  const Bytes content = noise(std::size_t{25} << 20);
  const VersionId version = put(content);
  const auto source = *store_->get(key_, version);
  std::vector<std::thread> readers;
  std::atomic<int> wrong = 0;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      std::uint64_t offset = static_cast<std::uint64_t>(reader) * 777'777;
      const std::size_t step = reader == 2 ? 3'000'017 : 300'000;
      for (; offset < content.size(); offset += step) {
        Bytes out(std::min<std::uint64_t>(300'000, content.size() - offset));
        if (!source->read_at(offset, out).ok() ||
            !std::equal(out.begin(), out.end(),
                        content.begin() + static_cast<std::ptrdiff_t>(offset)))
          ++wrong;
      }
    });
  }
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(S3StoreTest, WritersAndReadersOutliveTheirStore) {
  const VersionId version = put(noise(200'000));
  auto writer = *store_->put(key_);
  auto source = *store_->get(key_, version);
  store_.reset();
  ASSERT_TRUE(writer->write(noise(100'000)).ok());
  const VersionId second = *writer->commit();
  EXPECT_EQ(*read_all(*source, 1 << 20), noise(200'000));
  open();
  EXPECT_EQ(*get(second), noise(100'000));
}

TEST_F(S3StoreTest, ADroppedWriterLeavesNothingInTheBucket) {
  {
    const auto writer = *store_->put(key_);
    ASSERT_TRUE(writer->write(noise(5 * kSmallSegment)).ok());
  }
  EXPECT_EQ(everything().size(), 0u);
}

TEST_F(S3StoreTest, RemovingLeavesNothingInTheBucket) {
  const VersionId small = put(noise(10)), large = put(noise(7 * kSmallSegment));
  ASSERT_TRUE(store_->remove(key_, large).ok());
  EXPECT_EQ(everything().size(), 1u);
  EXPECT_EQ(get(large).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(store_->remove(key_, small).ok());
  EXPECT_EQ(everything().size(), 0u);
}

TEST_F(S3StoreTest, ASweepRemovesWhatTheDeadLeftAndNothingElse) {
  settings_.abandoned_after = seconds(2);
  open();
  const VersionId committed = put(noise(3 * kSmallSegment));
  const pid_t child = fork();
  if (child == 0) {
    const auto mine = *open_s3_store(settings_);
    const auto writer = *mine->put(key_);
    if (!writer->write(noise(6 * kSmallSegment)).ok()) _exit(1);
    for (;;) pause();
  }
  const auto left = [&] { return everything().size() - 4; };
  while (left() < 4) usleep(20'000);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(store_->sweep()->uploads, 0u);  // too young
  usleep(2'500'000);
  const auto living = *store_->put(key_);
  ASSERT_TRUE(living->write(noise(4 * kSmallSegment)).ok());
  const S3Sweep swept = *store_->sweep();
  EXPECT_EQ(swept.uploads, 1u);
  EXPECT_GE(swept.segments, 4u);
  EXPECT_TRUE(living->commit().ok());
  EXPECT_EQ(*get(committed), noise(3 * kSmallSegment));
  EXPECT_EQ(store_->sweep()->uploads, 0u);
}

TEST_F(S3StoreTest, AWriterThatStoodStillTooLongCannotCommit) {
  settings_.abandoned_after = seconds(1);
  open();
  const auto writer = *store_->put(key_);
  ASSERT_TRUE(writer->write(noise(3 * kSmallSegment)).ok());
  usleep(700'000);
  EXPECT_EQ(writer->commit().error().code, ErrorCode::kTimeout);
  EXPECT_EQ(store_->list_versions(key_)->size(), 0u);
}

TEST_F(S3StoreTest, ADeleteMarkerHidesNothing) {
  for (const Bytes& content : {noise(100), noise(3 * kSmallSegment)}) {
    const VersionId version = put(content);
    for (const auto& native : everything())
      EXPECT_TRUE(
          ask({.method = "DELETE", .path = "/" + settings_.bucket + "/" + native.key}).ok());
    EXPECT_EQ(*get(version), content);
    EXPECT_EQ(store_->head(key_)->version, version);
    EXPECT_EQ(store_->list(key_.tenant, key_.retention_class, "", 10)->size(), 1u);
    ASSERT_TRUE(store_->remove(key_, version).ok());
    EXPECT_EQ(everything().size(), 0u);
  }
}

TEST_F(S3StoreTest, WhatWasWrittenOverIsAnotherCopy) {
  for (const Bytes& content : {noise(1000), noise(3 * kSmallSegment)}) {
    const VersionId version = put(content);
    VersionRepair* const repair = repair_of(*store_);
    EXPECT_EQ(repair->other_copies(key_, version)->size(), 0u);
    const Bytes junk = noise(content.size() / 2);
    ASSERT_TRUE(ask({.method = "PUT", .path = "/" + settings_.bucket + "/" + name_of(version), .body = junk}).ok());
    EXPECT_EQ(get(version).error().code, ErrorCode::kSealCorrupt);
    const auto copies = *repair->other_copies(key_, version);
    ASSERT_EQ(copies.size(), 1u);
    EXPECT_EQ(*read_all(*copies[0], 1 << 20), content);
    ASSERT_TRUE(repair->restore_version(key_, version, *copies[0], nullptr).ok());
    EXPECT_EQ(*get(version), content);
    EXPECT_EQ(repair->other_copies(key_, version)->size(), 0u);
    // Of what was there before, nothing is left to be paid for.
    ASSERT_TRUE(store_->remove(key_, version).ok());
    EXPECT_EQ(everything().size(), 0u);
  }
}

TEST_F(S3StoreTest, ARestoreOfAnotherSizeIsRefused) {
  const VersionId version = put(noise(1000));
  const MemorySource other{noise(999)};
  EXPECT_EQ(repair_of(*store_)->restore_version(key_, version, other, nullptr).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(*get(version), noise(1000));
}

TEST_F(S3StoreTest, ASegmentThatIsGoneComesBack) {
  settings_.ledger_lock = LedgerLock{.compliance = true, .days = 1};
  open();
  const Bytes content = noise(5 * kSmallSegment + 3);
  const VersionId version = put(content);
  const auto all = everything();
  const auto segment = std::ranges::find_if(
      all, [](const auto& native) { return native.key.ends_with("/00000002"); });
  ASSERT_TRUE(*bucket()->remove({&*segment, 1}) == 0);
  EXPECT_EQ(get(version).error().code, ErrorCode::kNotFound);
  const MemorySource same{content};
  ASSERT_TRUE(repair_of(*store_)->restore_version(key_, version, same, nullptr).ok());
  EXPECT_EQ(*get(version), content);
  EXPECT_EQ(everything().size(), 7u);
}

TEST_F(S3StoreTest, NewVersionsSortBehindOnesFromTheFuture) {
  const VersionId first = put(noise(10));
  S3Version future = *parse_version_id(first.value);
  future.created_at.unix_us += std::int64_t{1'000'000} * 86'400 * 365;
  const std::string name = S3Names(settings_.prefix).version_key(key_, future);
  ASSERT_TRUE(bucket()->put(name, noise(10), {}, nullptr).ok());
  const VersionId second = put(noise(11));
  EXPECT_LT(to_version_id(future), second);
  EXPECT_EQ(store_->head(key_)->version, second);
  EXPECT_EQ(store_->list_versions(key_)->front().version, first);
}

TEST_F(S3StoreTest, ForeignKeysAreNoVersions) {
  put(noise(10));
  const std::string prefix = settings_.prefix + "objects/" + key_.tenant.str() + "/archives/";
  for (const char* name : {"a/b", "a/b!x", "stray", "a/b!00000000000000000001-0123-1-w"})
    ASSERT_TRUE(bucket()->put(prefix + name, noise(1), {}, nullptr).ok());
  EXPECT_EQ(store_->list_versions(key_)->size(), 1u);
  EXPECT_EQ(store_->list(key_.tenant, key_.retention_class, "", 10)->size(), 1u);
}

TEST_F(S3StoreTest, ManyVersionsOfOneNameAreOneEntry) {
  for (int i = 0; i < 45; ++i) put(noise(1));
  const ObjectKey later{key_.tenant, key_.retention_class, "z"};
  ASSERT_TRUE((*store_->put(later))->commit().ok());
  const auto listed = *store_->list(key_.tenant, key_.retention_class, "", 2);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[1].key.name, "z");
}

TEST_F(S3StoreTest, WhatSomebodyWroteOverAnObjectIsNotReadAsIt) {
  const VersionId small = put(noise(1000)), large = put(noise(3 * kSmallSegment));
  for (const auto& native : everything()) {
    const aws::Request over{.method = "PUT",
                            .path = "/" + settings_.bucket + "/" + native.key,
                            .body = as_bytes("something else")};
    ASSERT_TRUE(ask(over).ok());
  }
  EXPECT_EQ(get(small).error().code, ErrorCode::kSealCorrupt);
  EXPECT_EQ(get(large).error().code, ErrorCode::kSealCorrupt);
}

TEST_F(S3StoreTest, ASegmentThatWasWrittenOverIsReadAsItWas) {
  const VersionId large = put(noise(3 * kSmallSegment));
  for (const auto& native : everything()) {
    if (native.key.find("/segments/") == std::string::npos) continue;
    ASSERT_TRUE(ask({.method = "PUT",
                     .path = "/" + settings_.bucket + "/" + native.key,
                     .body = as_bytes("something else")})
                    .ok());
  }
  EXPECT_EQ(*get(large), noise(3 * kSmallSegment));
}

TEST_F(S3StoreTest, AMissingSegmentIsAnErrorAndNoShorterObject) {
  const VersionId large = put(noise(3 * kSmallSegment));
  for (const auto& native : everything()) {
    if (native.key.ends_with("/00000001")) {
      const std::vector<NativeVersion> gone{native};
      ASSERT_EQ(*bucket()->remove(gone), 0u);
    }
  }
  EXPECT_FALSE(get(large).ok());
}

TEST_F(S3StoreTest, EveryPutIsTaggedWithItsClass) {
  put(noise(2 * kSmallSegment));
  for (const auto& native : everything()) {
    const aws::Response tags =
        ask({.path = "/" + settings_.bucket + "/" + native.key, .query = {{"tagging", ""}}});
    EXPECT_NE(as_text(tags.body).find("<Key>oa-class</Key><Value>archives</Value>"),
              std::string_view::npos)
        << as_text(tags.body);
  }
}

TEST_F(S3StoreTest, EveryPutNamesTheTenantsKmsKey) {
  settings_.kms_key_of = [this](TenantId tenant) -> std::optional<std::string> {
    if (tenant == key_.tenant) return "tenant-b";
    return std::nullopt;
  };
  open();
  EXPECT_TRUE(store_->capabilities().server_side_kms);
  const VersionId version = put(noise(3 * kSmallSegment));
  EXPECT_EQ(everything().size(), 4u);
  for (const auto& native : everything()) {
    const aws::Response head =
        ask({.method = "HEAD", .path = "/" + settings_.bucket + "/" + native.key});
    EXPECT_EQ(head.head.header("x-amz-server-side-encryption-aws-kms-key-id"), "tenant-b");
  }
  EXPECT_EQ(*get(version), noise(3 * kSmallSegment));
  const ObjectKey other{TenantId::random(), RetentionClass::kRows, "a"};
  const auto writer = *store_->put(other);
  EXPECT_TRUE(writer->commit().ok());
}

TEST_F(S3StoreTest, AKmsKeyThatTheServerDoesNotKnowIsRefused) {
  settings_.kms_key_of = [](TenantId) { return "tenant-x"; };
  open();
  EXPECT_EQ(try_put(noise(10)).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(everything().size(), 0u);
}

// This server answers 200 with garbage then.
TEST_F(S3StoreTest, WhatTheServerDecryptsWithAnotherKeyIsNotRead) {
  settings_.kms_key_of = [](TenantId) { return "tenant-a"; };
  open();
  const VersionId small = put(noise(1000)), large = put(noise(3 * kSmallSegment));
  Gateway::shared().swap_keys();
  EXPECT_EQ(get(small).error().code, ErrorCode::kSealCorrupt);
  EXPECT_EQ(get(large).error().code, ErrorCode::kSealCorrupt);
  Gateway::shared().swap_keys();
  EXPECT_EQ(*get(small), noise(1000));
  EXPECT_EQ(*get(large), noise(3 * kSmallSegment));
}

TEST_F(S3StoreTest, TheServerItselfKeepsTheLedger) {
  settings_.ledger_lock = LedgerLock{.compliance = true, .days = 1};
  open();
  EXPECT_TRUE(store_->capabilities().write_once);
  for (const std::size_t size : {std::size_t{10}, 3 * kSmallSegment}) {
    const auto writer =
        *store_->put({key_.tenant, RetentionClass::kLedger, "entry-" + std::to_string(size)});
    ASSERT_TRUE(writer->write(noise(size)).ok());
    ASSERT_TRUE(writer->commit().ok());
  }
  const auto all = everything();
  EXPECT_EQ(all.size(), 5u);
  EXPECT_EQ(*bucket()->remove(all), 5u);  // all of them refused
  EXPECT_EQ(everything().size(), 5u);
}

TEST_F(S3StoreTest, WithoutALockTheLedgerIsNotCalledWriteOnce) {
  EXPECT_FALSE(store_->capabilities().write_once);
  EXPECT_FALSE(store_->capabilities().server_side_kms);
}

// GETs of what anybody may fetch who holds the address.
std::pair<long, std::string> fetch(const std::string& url) {
  CURL* const curl = curl_easy_init();
  std::string body;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(
      curl, CURLOPT_WRITEFUNCTION,
      +[](char* bytes, std::size_t size, std::size_t count, void* into) {
        static_cast<std::string*>(into)->append(bytes, size * count);
        return size * count;
      });
  long status = 0;
  if (curl_easy_perform(curl) == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(curl);
  return {status, body};
}

TEST_F(S3StoreTest, ASignedAddressFetchesItsPieceAndNothingElse) {
  for (const Bytes& content : {noise(100), noise(3 * kSmallSegment)}) {
    const VersionId version = put(content);
    std::string fetched;
    const auto pieces = *store_->presigned_get(key_, version, seconds(60));
    for (const auto& piece : pieces) {
      const auto [status, body] = fetch(piece.url);
      EXPECT_EQ(status, 200);
      EXPECT_EQ(body.size(), piece.size_bytes);
      fetched += body;
    }
    EXPECT_EQ(fetched, as_text(content));
  }
  const VersionId one = put(noise(5)), two = put(noise(6));
  std::string url = store_->presigned_get(key_, one, seconds(60))->front().url;
  const std::string mine = aws::uri_encode(name_of(one), true);
  url.replace(url.find(mine), mine.size(), aws::uri_encode(name_of(two), true));
  EXPECT_EQ(fetch(url).first, 403);
}

TEST_F(S3StoreTest, ASignedAddressEnds) {
  const VersionId version = put(noise(5));
  const std::string url = store_->presigned_get(key_, version, seconds(1))->front().url;
  usleep(2'200'000);
  EXPECT_EQ(fetch(url).first, 403);
}

TEST_F(S3StoreTest, OverTlsTheServerMustBeTheOneThatTheCaSigned) {
  settings_.connection.endpoint = Gateway::shared().tls_url();
  settings_.connection.ca_file = Gateway::shared().ca_file();
  open();
  EXPECT_EQ(*get(put(noise(200'000))), noise(200'000));
  settings_.connection.ca_file.clear();
  const auto stranger = open_s3_store(settings_);
  ASSERT_FALSE(stranger.ok());
  EXPECT_EQ(stranger.error().code, ErrorCode::kObjectStoreUnavailable);
  EXPECT_EQ(stranger.error().message, "the server's certificate is not trusted");
}

TEST_F(S3StoreTest, ABucketCanBeInTheHostName) {
  settings_.connection.endpoint = Gateway::shared().named_url();
  settings_.virtual_host = true;
  open();
  EXPECT_EQ(*get(put(noise(200'000))), noise(200'000));
  EXPECT_EQ(store_->list(key_.tenant, key_.retention_class, "", 10)->size(), 1u);
}

TEST_F(S3StoreTest, ABucketThatDoesNotKeepVersionsIsRefused) {
  settings_.bucket = Gateway::shared().make_bucket(false, false);
  EXPECT_EQ(open_s3_store(settings_).error().code, ErrorCode::kPreconditionFailed);
  settings_.bucket = Gateway::shared().make_bucket(true, false);
  EXPECT_TRUE(open_s3_store(settings_).ok());
  settings_.ledger_lock = LedgerLock{};
  EXPECT_EQ(open_s3_store(settings_).error().code, ErrorCode::kPreconditionFailed);
  settings_.bucket = "no-such-bucket";
  EXPECT_EQ(open_s3_store(settings_).error().code, ErrorCode::kObjectStoreUnavailable);
}

TEST_F(S3StoreTest, WrongCredentialsAreRefused) {
  for (const auto& [id, secret] : {std::pair{"AKTEST", "WRONG"}, std::pair{"NOBODY", "SKTEST"}}) {
    settings_.connection.credentials = *aws::CredentialProvider::fixed(
        {.access_key_id = id, .secret_access_key = SecretBytes::copy_of(as_bytes(secret))});
    EXPECT_EQ(open_s3_store(settings_).error().code, ErrorCode::kPermissionDenied);
  }
}

TEST_F(S3StoreTest, SettingsThatCannotBeAreRefused) {
  const auto refused = [&](const std::function<void(S3Settings&)>& change) {
    S3Settings bad = settings_;
    change(bad);
    const auto opened = open_s3_store(bad);
    return !opened.ok() && opened.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](S3Settings& s) { s.bucket = "A"; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.bucket = "a/b"; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.prefix = "a"; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.prefix = "../"; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.segment_bytes = 1; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.segment_bytes = std::size_t{257} << 20; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.uploads_at_once = 0; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.ledger_lock = LedgerLock{.days = 0}; }));
  EXPECT_TRUE(refused([](S3Settings& s) { s.connection.scope.service = "kms"; }));
}

TEST_F(S3StoreTest, AGatewayThatIsKilledIsUnavailableAndLosesNothing) {
  const VersionId before = put(noise(3 * kSmallSegment));
  const auto writer = *store_->put(key_);
  ASSERT_TRUE(writer->write(noise(2 * kSmallSegment)).ok());
  Gateway::shared().kill_gateway();
  EXPECT_EQ(writer->commit().error().code, ErrorCode::kObjectStoreUnavailable);
  EXPECT_EQ(get(before).error().code, ErrorCode::kObjectStoreUnavailable);
  EXPECT_EQ(store_->head(key_).error().code, ErrorCode::kObjectStoreUnavailable);
  EXPECT_EQ(open_s3_store(settings_).error().code, ErrorCode::kObjectStoreUnavailable);
  Gateway::shared().start_gateway();
  EXPECT_EQ(*get(before), noise(3 * kSmallSegment));
  EXPECT_EQ(*get(put(noise(4 * kSmallSegment))), noise(4 * kSmallSegment));
}

}  // namespace
}  // namespace oa
