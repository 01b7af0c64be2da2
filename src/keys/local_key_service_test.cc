#include "oa/keys/local_key_service.h"

#include <thread>
#include <vector>

#include "keys_testkit.h"

namespace oa {
namespace {

class LocalKeyServiceTest : public KeyStoreTest {
 protected:
  void SetUp() override {
    KeyStoreTest::SetUp();
    keys_ = create();
    ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
  }

  // Hex of a data key, or the name of the error.
  std::string unwrap(const WrappedKey& wrapped, KeyPurpose purpose = KeyPurpose::kRows) {
    const auto key = keys_->unwrap(tenant_, purpose, wrapped);
    return key.ok() ? to_hex(key->view()) : std::string(error_info(key.error().code).name);
  }
  static std::string name(ErrorCode code) { return std::string(error_info(code).name); }

  std::unique_ptr<KeyService> keys_;
  const TenantId tenant_ = TenantId::random();
};

TEST_F(LocalKeyServiceTest, DataKeysUnwrapHereAndAfterOpeningAgain) {
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  EXPECT_EQ(key.plaintext.size(), 32u);
  EXPECT_EQ(key.wrapped.key_id, "local:" + tenant_.str() + ":1");
  EXPECT_EQ(unwrap(key.wrapped), to_hex(key.plaintext.view()));
  const DataKey other = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  EXPECT_FALSE(constant_time_equal(key.plaintext.view(), other.plaintext.view()));
  keys_ = open();
  EXPECT_EQ(unwrap(key.wrapped), to_hex(key.plaintext.view()));
}

TEST_F(LocalKeyServiceTest, AWrappedKeyIsBoundToTenantPurposeAndVersion) {
  const TenantId other = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(other).ok());
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  const WrappedKey wrapped = keys_->generate_data_key(tenant_, KeyPurpose::kRows)->wrapped;
  EXPECT_EQ(unwrap(wrapped, KeyPurpose::kArchives), name(ErrorCode::kKeyWrong));
  EXPECT_EQ(keys_->unwrap(other, KeyPurpose::kRows, wrapped).error().code, ErrorCode::kKeyWrong);
  const std::string prefix = "local:" + tenant_.str() + ":";
  for (const std::string& id :
       {prefix + "1", prefix + "3", prefix + "0", prefix + "02", prefix + "2 ", prefix,
        prefix + "99999999999", std::string("local:"), std::string(),
        "local:" + other.str() + ":1"}) {
    EXPECT_EQ(unwrap({id, wrapped.blob}), name(ErrorCode::kKeyWrong)) << id;
  }
  EXPECT_EQ(keys_->unwrap(other, KeyPurpose::kRows, {"local:" + other.str() + ":1", wrapped.blob})
                .error()
                .code,
            ErrorCode::kKeyWrong);
  EXPECT_EQ(unwrap({wrapped.key_id, {}}), name(ErrorCode::kKeyWrong));
  Bytes damaged = wrapped.blob;
  damaged[20] ^= 1;
  EXPECT_EQ(unwrap({wrapped.key_id, damaged}), name(ErrorCode::kKeyWrong));
}

TEST_F(LocalKeyServiceTest, AnUnknownTenantIsNotFound) {
  const TenantId unknown = TenantId::random();
  EXPECT_EQ(keys_->describe(unknown).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(keys_->generate_data_key(unknown, KeyPurpose::kRows).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(keys_->rotate(unknown).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(keys_->schedule_destroy(unknown, Timestamp{}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(keys_->create_tenant_key(tenant_).error().code, ErrorCode::kAlreadyExists);
}

TEST_F(LocalKeyServiceTest, RotationKeepsOldKeysAndRewrapMovesThem) {
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->current_version, 3u);
  EXPECT_EQ(unwrap(key.wrapped), to_hex(key.plaintext.view()));
  const WrappedKey moved = *keys_->rewrap(tenant_, KeyPurpose::kRows, key.wrapped);
  EXPECT_EQ(moved.key_id, "local:" + tenant_.str() + ":3");
  EXPECT_EQ(unwrap(moved), to_hex(key.plaintext.view()));
  EXPECT_EQ(keys_->rewrap(tenant_, KeyPurpose::kWal, key.wrapped).error().code,
            ErrorCode::kKeyWrong);
  EXPECT_EQ(keys_->generate_data_key(tenant_, KeyPurpose::kRows)->wrapped.key_id, moved.key_id);
}

TEST_F(LocalKeyServiceTest, ADisabledKeyDoesNothingUntilItIsEnabled) {
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  ASSERT_TRUE(keys_->disable(tenant_).ok());
  keys_ = open();
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kDisabled);
  EXPECT_EQ(unwrap(key.wrapped), name(ErrorCode::kKeyDisabled));
  EXPECT_EQ(keys_->generate_data_key(tenant_, KeyPurpose::kRows).error().code,
            ErrorCode::kKeyDisabled);
  EXPECT_EQ(keys_->rewrap(tenant_, KeyPurpose::kRows, key.wrapped).error().code,
            ErrorCode::kKeyDisabled);
  EXPECT_EQ(keys_->rotate(tenant_).error().code, ErrorCode::kKeyDisabled);
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  EXPECT_EQ(unwrap(key.wrapped), to_hex(key.plaintext.view()));
}

TEST_F(LocalKeyServiceTest, PendingDestructionCanBeCancelled) {
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  const Timestamp later{Timestamp::now().unix_us + 3'600'000'000};
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, later).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kPendingDestruction);
  EXPECT_EQ(keys_->describe(tenant_)->destroy_at, later);
  EXPECT_EQ(unwrap(key.wrapped), name(ErrorCode::kKeyDisabled));
  EXPECT_EQ(keys_->enable(tenant_).error().code, ErrorCode::kConflict);
  EXPECT_EQ(keys_->schedule_destroy(tenant_, later).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(keys_->cancel_destroy(tenant_).ok());
  EXPECT_EQ(keys_->cancel_destroy(tenant_).error().code, ErrorCode::kConflict);
  EXPECT_EQ(unwrap(key.wrapped), to_hex(key.plaintext.view()));

  ASSERT_TRUE(keys_->disable(tenant_).ok());
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, later).ok());
  ASSERT_TRUE(keys_->cancel_destroy(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kDisabled) << "it was disabled before";
}

TEST_F(LocalKeyServiceTest, ADestroyedKeyIsGoneForGood) {
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, Timestamp::now()).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(unwrap(key.wrapped), name(ErrorCode::kKeyDestroyed));
    EXPECT_EQ(keys_->describe(tenant_).error().code, ErrorCode::kKeyDestroyed);
    EXPECT_EQ(keys_->cancel_destroy(tenant_).error().code, ErrorCode::kKeyDestroyed);
    EXPECT_EQ(keys_->enable(tenant_).error().code, ErrorCode::kKeyDestroyed);
    EXPECT_EQ(keys_->create_tenant_key(tenant_).error().code, ErrorCode::kKeyDestroyed);
    keys_ = open();
  }
}

TEST_F(LocalKeyServiceTest, DestructionTakesEffectAtItsTimeWithoutAnyCall) {
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  const TenantId bystander = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(bystander).ok());
  const Timestamp when{Timestamp::now().unix_us + 300'000};
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, when).ok());
  while (Timestamp::now() < when) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  // A refused change of another key erases it from the file all the same.
  const auto before = std::filesystem::file_size(store_);
  EXPECT_EQ(keys_->create_tenant_key(bystander).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(std::filesystem::file_size(store_), before - 32);
  EXPECT_EQ(unwrap(key.wrapped), name(ErrorCode::kKeyDestroyed));
  EXPECT_TRUE(keys_->describe(bystander).ok());
}

TEST_F(LocalKeyServiceTest, OpeningErasesWhatIsDue) {
  const Timestamp when{Timestamp::now().unix_us + 200'000};
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, when).ok());
  keys_.reset();
  while (Timestamp::now() < when) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto before = std::filesystem::file_size(store_);
  keys_ = open();
  EXPECT_EQ(std::filesystem::file_size(store_), before - 32);
}

TEST_F(LocalKeyServiceTest, TwoServicesSeeEachOthersChanges) {
  const auto other = open();
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  ASSERT_TRUE(other->disable(tenant_).ok());
  EXPECT_EQ(unwrap(key.wrapped), name(ErrorCode::kKeyDisabled));
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  ASSERT_TRUE(other->rotate(tenant_).ok());
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  EXPECT_EQ(other->describe(tenant_)->current_version, 3u);
  const DataKey newer = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  EXPECT_TRUE(constant_time_equal(other->unwrap(tenant_, KeyPurpose::kRows, newer.wrapped)->view(),
                                  newer.plaintext.view()));
}

TEST_F(LocalKeyServiceTest, ThreadsShareOneService) {
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 25; ++round) {
        const auto key = keys_->generate_data_key(tenant_, KeyPurpose::kWal);
        if (!key.ok() || !keys_->unwrap(tenant_, KeyPurpose::kWal, key->wrapped).ok()) ++failures;
        if (i == 0 && !keys_->rotate(tenant_).ok()) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(keys_->describe(tenant_)->current_version, 26u);
}

}  // namespace
}  // namespace oa
