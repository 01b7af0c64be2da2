// The store over two real regions: replication, failover in the middle of things, and back.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "oa/crypto/secret.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/replicated_store.h"
#include "oa/objects/sealed_objects.h"
#include "rgw_regions.h"

namespace oa {
namespace {

using Clock = std::chrono::steady_clock;
using rgw::TwoRegions;
using std::chrono::milliseconds;

class Regions : public testing::Test {
 protected:
  Regions() : places_(TwoRegions::shared().fresh_places()) {
    for (auto* place : {&places_.a, &places_.b}) {
      place->segment_bytes = 64 << 10;
      place->connection.retries.attempts = 2;  // a dead gateway refuses at once
    }
    store_ = open_replicated_store(*open_s3_store(places_.a), *open_s3_store(places_.b),
                                   {.rest = milliseconds(200)});
  }
  ~Regions() override { TwoRegions::shared().bring_back(); }

  static Bytes random_bytes(std::size_t size) {
    const SecretBytes secret = SecretBytes::random(size);
    return Bytes(secret.view().begin(), secret.view().end());
  }
  Result<VersionId> try_put(const std::string& name, ByteView content) {
    OA_ASSIGN(const auto writer, store_->put(key(name)));
    OA_TRY(writer->write(content));
    return writer->commit();
  }
  VersionId put(const std::string& name, ByteView content) { return *try_put(name, content); }
  ObjectKey key(const std::string& name) const { return {tenant_, RetentionClass::kRows, name}; }

  static ErrorCode code(const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code;
  }
  template <class T>
  static ErrorCode code(const Result<T>& result) {
    return result.ok() ? ErrorCode::kInternal : result.error().code;
  }
  Result<Bytes> read(ObjectStore& store, const std::string& name, const VersionId& version) {
    OA_ASSIGN(const auto source, store.get(key(name), version));
    return read_all(*source, 1 << 26);
  }
  // Seconds until all of the version can be read there.
  double replicated(const std::string& name, const VersionId& version, ByteView content) {
    const auto begin = Clock::now();
    for (;;) {
      const std::chrono::duration<double> waited = Clock::now() - begin;
      const auto seen = read(store_->replica(), name, version);
      if (seen.ok() && std::ranges::equal(*seen, content)) return waited.count();
      if (waited > std::chrono::minutes(4)) {
        ADD_FAILURE() << "is not replicated";
        return waited.count();
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
  }

  TwoRegions::Places places_;
  std::unique_ptr<ReplicatedStore> store_;
  const TenantId tenant_ = TenantId::random();
};

TEST_F(Regions, WhatIsWrittenIsReadBackFromTheOtherRegion) {
  for (const std::size_t size : {100u, 64u << 10, 1u << 20}) {
    const Bytes content = random_bytes(size);
    const std::string name = "object-" + std::to_string(size);
    const VersionId version = put(name, content);
    RecordProperty("lag_ms_" + std::to_string(size),
                   static_cast<int>(1000 * replicated(name, version, content)));
    EXPECT_EQ(store_->replica().head(key(name))->version, version);
  }
  EXPECT_EQ(store_->counts().replica_reads, 0u);
}

TEST_F(Regions, ReadsGoOnWhenARegionDiesAndComeBackWithIt) {
  const Bytes content = random_bytes(1 << 20);
  const VersionId version = put("object", content);
  replicated("object", version, content);
  const auto begun = *store_->get(key("object"), version);
  Bytes half(content.size() / 2);
  ASSERT_TRUE(begun->read_at(0, half).ok());

  TwoRegions::shared().a().kill_all();
  ASSERT_TRUE(begun->read_at(half.size(), half).ok());
  EXPECT_TRUE(std::ranges::equal(half, ByteView(content).subspan(half.size())));
  const auto before = Clock::now();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(read(*store_, "object", version).value(), content);
  EXPECT_LT(Clock::now() - before, std::chrono::seconds(8));
  EXPECT_FALSE(store_->counts().primary_answers);
  EXPECT_EQ(store_->head(key("object"))->version, version);
  EXPECT_EQ(store_->list(tenant_, RetentionClass::kRows, "", 10)->size(), 1u);
  EXPECT_EQ(store_->list_versions(key("object"))->size(), 1u);

  // Nothing false: what the replica does not know is not "not found", and nothing is written.
  EXPECT_EQ(code(store_->head(key("unknown"))), ErrorCode::kObjectStoreUnavailable);
  EXPECT_EQ(code(store_->list_versions(key("unknown"))), ErrorCode::kObjectStoreUnavailable);
  VersionId unknown = version;
  unknown.value.front() = '1';
  EXPECT_EQ(code(store_->get(key("object"), unknown)), ErrorCode::kObjectStoreUnavailable);
  EXPECT_EQ(code(try_put("written", content)), ErrorCode::kObjectStoreUnavailable);

  TwoRegions::shared().a().start_all();
  std::this_thread::sleep_for(milliseconds(300));
  for (int tries = 0; tries < 1800 && !store_->primary().look().ok(); ++tries)
    std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(read(*store_, "object", version).value(), content);
  EXPECT_TRUE(store_->counts().primary_answers);
  EXPECT_EQ(code(store_->head(key("unknown"))), ErrorCode::kNotFound);
  const VersionId second = put("object", half);
  replicated("object", second, half);
  EXPECT_EQ(store_->list_versions(key("object"))->size(), 2u);
}

}  // namespace
}  // namespace oa
