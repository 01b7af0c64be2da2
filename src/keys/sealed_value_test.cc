#include "keys_testkit.h"
#include "oa/crypto/seal.h"

namespace oa {
namespace {

class SealedValueTest : public KeyStoreTest {
 protected:
  void SetUp() override {
    KeyStoreTest::SetUp();
    keys_ = create();
    ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
  }
  Bytes seal(ByteView plain) {
    return *seal_value(*keys_, tenant_, KeyPurpose::kSecrets, "warehouse", plain);
  }
  ErrorCode refusal(TenantId tenant, KeyPurpose purpose, std::string_view name, ByteView sealed) {
    const auto opened = unseal_value(*keys_, tenant, purpose, name, sealed);
    return opened.ok() ? ErrorCode::kInternal : opened.error().code;
  }

  std::unique_ptr<KeyService> keys_;
  const TenantId tenant_ = TenantId::random();
};

TEST_F(SealedValueTest, RoundTrip) {
  for (const std::size_t size : {0u, 1u, 100u, 65536u, 1u << 20}) {
    const Bytes plain(size, 0x5a);
    const Bytes sealed = seal(plain);
    const SecretBytes opened =
        *unseal_value(*keys_, tenant_, KeyPurpose::kSecrets, "warehouse", sealed);
    EXPECT_TRUE(constant_time_equal(opened.view(), plain));
  }
}

TEST_F(SealedValueTest, IsBoundToTenantPurposeAndName) {
  const TenantId other = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(other).ok());
  const Bytes sealed = seal(as_bytes("password"));
  EXPECT_EQ(refusal(tenant_, KeyPurpose::kSecrets, "other", sealed), ErrorCode::kSealCorrupt);
  EXPECT_EQ(refusal(tenant_, KeyPurpose::kSigning, "warehouse", sealed), ErrorCode::kKeyWrong);
  EXPECT_EQ(refusal(other, KeyPurpose::kSecrets, "warehouse", sealed), ErrorCode::kKeyWrong);
  EXPECT_EQ(as_text(sealed).find("password"), std::string_view::npos);
}

TEST_F(SealedValueTest, DamageAndLengthAreRefused) {
  Bytes sealed = seal(as_bytes("password"));
  sealed.back() ^= 1;
  EXPECT_EQ(refusal(tenant_, KeyPurpose::kSecrets, "warehouse", sealed), ErrorCode::kSealCorrupt);
  EXPECT_EQ(refusal(tenant_, KeyPurpose::kSecrets, "warehouse", {}), ErrorCode::kSealCorrupt);
  const Bytes long_value((1 << 20) + 1);
  EXPECT_EQ(seal_value(*keys_, tenant_, KeyPurpose::kSecrets, "n", long_value).error().code,
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(refusal(tenant_, KeyPurpose::kSecrets, "n", Bytes(3 << 20)), ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace oa
