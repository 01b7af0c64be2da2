// Sealed objects while one tenant's key is disabled or destroyed, by a cache and without.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "oa/keys/caching_key_service.h"
#include "oa/keys/local_key_service.h"
#include "oa/objects/sealed_objects.h"

namespace oa {
namespace {

class SealedObjectsKeysTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-sealed-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    store_ = *open_local_store(folder_ + "/objects");
    keys_ = *LocalKeyService::create(folder_ + "/keys", {folder_ + "/root.key", {}});
    if (GetParam()) keys_ = *CachingKeyService::create(std::move(keys_));
    objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
    for (const TenantId& tenant : {tenant_, bystander_})
      ASSERT_TRUE(keys_->create_tenant_key(tenant).ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static ObjectKey key(TenantId tenant) { return {tenant, RetentionClass::kRows, "table"}; }
  Result<VersionId> put(TenantId tenant) {
    OA_ASSIGN(const auto writer, objects_->create(key(tenant)));
    OA_TRY(writer->write(as_bytes("content")));
    return writer->commit();
  }
  // Puts an object and reads one of before.
  std::string use(TenantId tenant, const VersionId& version) {
    const auto put_now = put(tenant);
    const auto opened = objects_->open(key(tenant), version);
    if (opened.ok() != put_now.ok()) return "they differ";
    if (!opened.ok()) return std::string(error_info(opened.error().code).name);
    const auto content = read_all(**opened, 100);
    return content.ok() ? std::string(as_text(*content)) : "unreadable";
  }

  std::string folder_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<KeyService> keys_;
  std::unique_ptr<SealedObjects> objects_;
  const TenantId tenant_ = TenantId::random();
  const TenantId bystander_ = TenantId::random();
};

INSTANTIATE_TEST_SUITE_P(Keys, SealedObjectsKeysTest, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "Cached" : "Asked"; });

TEST_P(SealedObjectsKeysTest, OneTenantsDisabledKeyStopsThatTenantAlone) {
  const VersionId mine = *put(tenant_);
  const VersionId theirs = *put(bystander_);
  EXPECT_EQ(use(tenant_, mine), "content");
  ASSERT_TRUE(keys_->disable(tenant_).ok());
  EXPECT_EQ(use(tenant_, mine), "key/disabled");
  EXPECT_EQ(use(bystander_, theirs), "content");
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  EXPECT_EQ(use(tenant_, mine), "content");
}

TEST_P(SealedObjectsKeysTest, NothingOfAShreddedTenantOpens) {
  const VersionId mine = *put(tenant_);
  const VersionId theirs = *put(bystander_);
  EXPECT_EQ(use(tenant_, mine), "content");
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, Timestamp::now()).ok());
  EXPECT_EQ(use(tenant_, mine), "key/destroyed");
  EXPECT_EQ(use(bystander_, theirs), "content");
}

}  // namespace
}  // namespace oa
