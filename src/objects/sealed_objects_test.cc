#include "oa/objects/sealed_objects.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "oa/crypto/seal.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/damage_log.h"

namespace oa {
namespace {

namespace fs = std::filesystem;

class SealedObjectsTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-sealed-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    store_ = *open_local_store(folder_ + "/objects");
    keys_ = *LocalKeyService::create(folder_ + "/keys", {folder_ + "/root.key", {}});
    ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
    objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  ObjectKey key(std::string name, RetentionClass retention_class = RetentionClass::kRows) const {
    return {tenant_, retention_class, std::move(name)};
  }
  VersionId put(const ObjectKey& key, ByteView content) {
    const auto writer = *objects_->create(key);
    EXPECT_TRUE(writer->write(content).ok());
    return *writer->commit();
  }
  ErrorCode open_error(const ObjectKey& key, const VersionId& version) {
    const auto opened = objects_->open(key, version);
    return opened.ok() ? ErrorCode::kInternal : opened.error().code;
  }
  // Stores bytes of one object under another key, past the seal, as an attacker on the store could.
  VersionId plant(const ObjectKey& key, ByteView stored) {
    const auto writer = *store_->put(key);
    EXPECT_TRUE(writer->write(stored).ok());
    return *writer->commit();
  }
  Bytes stored(const ObjectKey& key, const VersionId& version) {
    return *read_all(**store_->get(key, version), 1 << 26);
  }

  std::string folder_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<SealedObjects> objects_;
  const TenantId tenant_ = TenantId::random();
};

TEST_F(SealedObjectsTest, RoundTripInEveryClass) {
  Bytes content(3'000'000);
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<std::uint8_t>(i * 7 + i / 1000);
  for (const auto retention_class :
       {RetentionClass::kRows, RetentionClass::kOriginals, RetentionClass::kArchives,
        RetentionClass::kWal, RetentionClass::kLedger}) {
    const ObjectKey where = key("a/b", retention_class);
    const VersionId version = put(where, content);
    const auto opened = *objects_->open(where, version);
    EXPECT_EQ(*read_all(*opened, 1 << 26), content);
    EXPECT_EQ(*objects_->plaintext_size(where, version), content.size());
    Bytes part(70'000);
    ASSERT_TRUE(opened->read_at(1'000'001, part).ok());
    EXPECT_TRUE(std::equal(part.begin(), part.end(), content.begin() + 1'000'001));
  }
}

TEST_F(SealedObjectsTest, WhatReadsMeetIsNotedOnce) {
  const ObjectKey where = key("a");
  const VersionId good = put(where, Bytes(300'000, 7));
  Bytes damaged = stored(where, good);
  damaged[200'000] ^= 1;
  const VersionId bad = plant(where, damaged);
  (void)damage_log().take();
  const auto opened = *objects_->open(where, bad);
  Bytes part(1000);
  EXPECT_TRUE(opened->read_at(0, part).ok());
  EXPECT_TRUE(read_all(**objects_->open(where, good), 1 << 26).ok());
  EXPECT_EQ(damage_log().take().size(), 0u);
  EXPECT_FALSE(opened->read_at(200'000, part).ok());
  EXPECT_FALSE(opened->read_at(200'500, part).ok());
  EXPECT_FALSE(objects_->open(key("b"), good).ok());
  const auto noted = damage_log().take();
  EXPECT_EQ(noted, (std::vector<DamageLog::Version>{{where, bad}, {key("b"), good}}));
  EXPECT_EQ(damage_log().take().size(), 0u);
}

TEST_F(SealedObjectsTest, NoPlaintextIsStored) {
  const std::string secret = "a text that must not be found";
  const VersionId version = put(key("a"), as_bytes(secret));
  EXPECT_EQ(as_text(stored(key("a"), version)).find("must not"), std::string_view::npos);
  EXPECT_GT(store_->head(key("a"))->size_bytes, secret.size());
}

TEST_F(SealedObjectsTest, NothingIsVisibleWithoutCommit) {
  {
    const auto writer = *objects_->create(key("a"));
    ASSERT_TRUE(writer->write(Bytes(1 << 20)).ok());
  }
  EXPECT_EQ(store_->head(key("a")).error().code, ErrorCode::kNotFound);
}

TEST_F(SealedObjectsTest, StoredBytesOpenOnlyUnderTheirOwnTenantClassAndName) {
  const TenantId other = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(other).ok());
  const Bytes bytes = stored(key("a"), put(key("a"), as_bytes("content")));
  EXPECT_EQ(open_error(key("b"), plant(key("b"), bytes)), ErrorCode::kSealCorrupt);
  const ObjectKey wal = key("a", RetentionClass::kWal);
  EXPECT_EQ(open_error(wal, plant(wal, bytes)), ErrorCode::kKeyWrong);
  const ObjectKey foreign{other, RetentionClass::kRows, "a"};
  EXPECT_EQ(open_error(foreign, plant(foreign, bytes)), ErrorCode::kKeyWrong);
  EXPECT_TRUE(objects_->open(key("a"), plant(key("a"), bytes)).ok());
}

TEST_F(SealedObjectsTest, DamagedAndTruncatedObjectsAreRefused) {
  const Bytes good = stored(key("a"), put(key("a"), Bytes(200'000, 3)));
  Bytes damaged = good;
  damaged[good.size() / 2] ^= 1;
  const auto opened = *objects_->open(key("a"), plant(key("a"), damaged));
  EXPECT_EQ(read_all(*opened, 1 << 26).error().code, ErrorCode::kSealCorrupt);
  EXPECT_EQ(open_error(key("a"), plant(key("a"), ByteView(good).first(good.size() / 2))),
            ErrorCode::kSealCorrupt);
  EXPECT_EQ(open_error(key("a"), plant(key("a"), {})), ErrorCode::kSealCorrupt);
}

TEST_F(SealedObjectsTest, KeysRuleWhatOpens) {
  const VersionId version = put(key("a"), as_bytes("content"));
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  EXPECT_TRUE(objects_->open(key("a"), version).ok());
  ASSERT_TRUE(keys_->disable(tenant_).ok());
  EXPECT_EQ(open_error(key("a"), version), ErrorCode::kKeyDisabled);
  EXPECT_EQ(objects_->create(key("b")).error().code, ErrorCode::kKeyDisabled);
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, Timestamp::now()).ok());
  EXPECT_EQ(open_error(key("a"), version), ErrorCode::kKeyDestroyed);
  EXPECT_EQ(objects_->create({TenantId::random(), RetentionClass::kRows, "a"}).error().code,
            ErrorCode::kNotFound);
}

TEST_F(SealedObjectsTest, RemovesVersionsButNotFromTheLedger) {
  const VersionId version = put(key("a"), {});
  EXPECT_TRUE(objects_->remove(key("a"), version).ok());
  EXPECT_EQ(open_error(key("a"), version), ErrorCode::kNotFound);
  const ObjectKey entry = key("a", RetentionClass::kLedger);
  EXPECT_EQ(objects_->remove(entry, put(entry, {})).error().code, ErrorCode::kPermissionDenied);
}

TEST_F(SealedObjectsTest, ThreadsWriteAndReadAtOnce) {
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (std::uint8_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint8_t i = 0; i < 10; ++i) {
        const Bytes content(100'000 + i, static_cast<std::uint8_t>(thread * 16 + i));
        const ObjectKey where = key(thread % 2 == 0 ? "even" : "odd");
        const auto writer = objects_->create(where);
        if (!writer.ok() || !(*writer)->write(content).ok()) ++failures;
        const auto version = (*writer)->commit();
        const auto opened = objects_->open(where, *version);
        if (!opened.ok() || *read_all(**opened, 1 << 20) != content) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace oa
