#include "oa/keys/local_key_service.h"

#include <thread>

#include "key_service_conformance.h"
#include "keys_testkit.h"

namespace oa {
namespace {

class LocalUnderTest final : public KeysUnderTest {
 public:
  LocalUnderTest() : folder_(new_folder()) {}
  ~LocalUnderTest() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<KeyService> open() override {
    const RootKeySource root{folder_ + "/root.key", {}};
    if (!std::filesystem::exists(folder_ + "/keys"))
      return *LocalKeyService::create(folder_ + "/keys", root);
    return *LocalKeyService::open(folder_ + "/keys", root);
  }
  void wait_until_after(Timestamp when) override {
    while (Timestamp::now() <= when) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

 private:
  const std::string folder_;
};

INSTANTIATE_TEST_SUITE_P(Local, KeyServiceConformance, testing::Values(KeysFactory{"local", [] {
                           return std::unique_ptr<KeysUnderTest>(new LocalUnderTest);
                         }}));

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

TEST_F(LocalKeyServiceTest, ACopyHasOneKeyAlone) {
  const TenantId other = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(other).ok());
  ASSERT_TRUE(keys_->rotate(other).ok());
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  const DataKey mine = *keys_->generate_data_key(tenant_, KeyPurpose::kRows);
  const DataKey theirs = *keys_->generate_data_key(other, KeyPurpose::kRows);
  const std::string copy = folder_ + "/copy";
  const RootKeySource root{folder_ + "/copy.key", {}};
  ASSERT_TRUE(LocalKeyService::copy_key(store_, root_, tenant_, copy, root).ok());
  const auto copied = *LocalKeyService::open(copy, root);
  EXPECT_EQ(to_hex(copied->unwrap(tenant_, KeyPurpose::kRows, mine.wrapped)->view()),
            to_hex(mine.plaintext.view()));
  EXPECT_EQ(copied->unwrap(other, KeyPurpose::kRows, theirs.wrapped).error().code,
            ErrorCode::kNotFound);
  EXPECT_FALSE(LocalKeyService::open(copy, root_).ok());
  EXPECT_EQ(LocalKeyService::copy_key(store_, root_, tenant_, copy, root).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(LocalKeyService::copy_key(store_, root_, TenantId::random(), folder_ + "/none", root)
                .error()
                .code,
            ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/none"));
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, Timestamp::now()).ok());
  EXPECT_EQ(LocalKeyService::copy_key(store_, root_, tenant_, folder_ + "/none", root).error().code,
            ErrorCode::kKeyDestroyed);
}

}  // namespace
}  // namespace oa
