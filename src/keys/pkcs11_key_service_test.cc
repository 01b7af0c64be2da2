// The `pkcs11` provider with SoftHSM.
#include "oa/keys/pkcs11_key_service.h"

#include <optional>
#include <thread>

#include "key_service_conformance.h"
#include "oa/base/io.h"
#include "oa/crypto/seal.h"
#include "pkcs11_record.h"
#include "pkcs11_token.h"
#include "softhsm_testkit.h"

namespace oa {
namespace {

constexpr auto kRows = KeyPurpose::kRows;

class Pkcs11UnderTest final : public KeysUnderTest {
 public:
  std::unique_ptr<KeyService> open() override { return *Pkcs11KeyService::open(token_.settings()); }
  void wait_until_after(Timestamp when) override {
    while (Timestamp::now() <= when) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

 private:
  SoftToken token_;
};

INSTANTIATE_TEST_SUITE_P(Pkcs11, KeyServiceConformance,
                         testing::Values(KeysFactory{"pkcs11", [] {
                                                       return std::unique_ptr<KeysUnderTest>(
                                                           new Pkcs11UnderTest);
                                                     }}));

class Pkcs11KeyServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    keys_ = *Pkcs11KeyService::open(token_.settings());
    ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
  }
  template <class T>
  static std::optional<ErrorCode> code_of(const Result<T>& result) {
    return result.ok() ? std::nullopt : std::optional(result.error().code);
  }
  std::optional<ErrorCode> open_error(Pkcs11Settings settings) {
    return code_of(Pkcs11KeyService::open(std::move(settings)));
  }
  std::string key_label() const { return "oa-backup key " + tenant_.str(); }
  std::string record_label() const { return "oa-backup tenant " + tenant_.str(); }
  static Pkcs11Attributes labelled(const std::string& label) {
    return {{CKA_LABEL, Bytes(label.begin(), label.end())}};
  }

  SoftToken token_;
  std::unique_ptr<KeyService> keys_;
  const TenantId tenant_ = TenantId::random();
};

TEST_F(Pkcs11KeyServiceTest, KeksDoNotLeaveTheToken) {
  const auto token = *Pkcs11Token::open(token_.settings());
  auto session = *token->session();
  const auto keks = *session.find(labelled(key_label()));
  ASSERT_EQ(keks.size(), 1u);
  const auto flag = [&](CK_ATTRIBUTE_TYPE type) { return (*session.read(keks[0], type)).at(0); };
  EXPECT_EQ(flag(CKA_SENSITIVE), CK_TRUE);
  EXPECT_EQ(flag(CKA_ALWAYS_SENSITIVE), CK_TRUE);
  EXPECT_EQ(flag(CKA_EXTRACTABLE), CK_FALSE);
  EXPECT_EQ(flag(CKA_NEVER_EXTRACTABLE), CK_TRUE);
  EXPECT_EQ(flag(CKA_PRIVATE), CK_TRUE);
  EXPECT_EQ(flag(CKA_WRAP), CK_FALSE);
  EXPECT_FALSE(session.read(keks[0], CKA_VALUE).ok());
}

TEST_F(Pkcs11KeyServiceTest, DestructionRemovesEveryVersionFromTheToken) {
  ASSERT_TRUE(keys_->rotate(tenant_).ok());
  const auto token = *Pkcs11Token::open(token_.settings());
  auto session = *token->session();
  ASSERT_EQ(session.find(labelled(key_label()))->size(), 2u);
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, Timestamp::now()).ok());
  EXPECT_EQ(session.find(labelled(key_label()))->size(), 0u);
  EXPECT_EQ(session.find(labelled(record_label()))->size(), 1u) << "the record stays";
}

TEST_F(Pkcs11KeyServiceTest, OpeningErasesWhatIsDue) {
  const Timestamp when{Timestamp::now().unix_us + 200'000};
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, when).ok());
  keys_.reset();
  while (Timestamp::now() < when) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  keys_ = *Pkcs11KeyService::open(token_.settings());
  const auto token = *Pkcs11Token::open(token_.settings());
  EXPECT_EQ((*token->session()).find(labelled(key_label()))->size(), 0u);
}

// A crash after the new record was made and before the old ones were removed.
TEST_F(Pkcs11KeyServiceTest, OfTwoRecordsTheNewerHoldsAndTheNextChangeLeavesOne) {
  const auto token = *Pkcs11Token::open(token_.settings());
  auto session = *token->session();
  const auto before = *session.find(labelled(record_label()));
  ASSERT_EQ(before.size(), 1u);
  Pkcs11Record record = *Pkcs11Record::decode(*session.read(before[0], CKA_VALUE));
  ++record.sequence;
  record.enabled = false;
  Pkcs11Attributes newer = labelled(record_label());
  newer.insert(newer.end(), {{CKA_CLASS, CK_ULONG{CKO_DATA}},
                             {CKA_TOKEN, true},
                             {CKA_PRIVATE, true},
                             {CKA_APPLICATION, Bytes{'o', 'a', '-', 'b', 'a', 'c', 'k', 'u', 'p'}},
                             {CKA_VALUE, record.encode()}});
  ASSERT_TRUE(session.create(newer).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kDisabled);
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  EXPECT_EQ(session.find(labelled(record_label()))->size(), 1u);
  EXPECT_TRUE(keys_->generate_data_key(tenant_, kRows).ok());
}

// A crash after a KEK was made and before the record named it.
TEST_F(Pkcs11KeyServiceTest, AKekThatNoRecordNamesIsReplaced) {
  const auto token = *Pkcs11Token::open(token_.settings());
  auto session = *token->session();
  const auto records = *session.find(labelled(record_label()));
  for (const CK_OBJECT_HANDLE record : records) ASSERT_TRUE(session.destroy(record).ok());
  EXPECT_EQ(code_of(keys_->describe(tenant_)), ErrorCode::kNotFound);
  ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
  EXPECT_EQ(session.find(labelled(key_label()))->size(), 1u);
  EXPECT_TRUE(keys_->generate_data_key(tenant_, kRows).ok());
}

TEST_F(Pkcs11KeyServiceTest, AKekThatIsGoneIsToldAndNotMadeAnew) {
  const DataKey key = *keys_->generate_data_key(tenant_, kRows);
  const auto token = *Pkcs11Token::open(token_.settings());
  auto session = *token->session();
  const auto keks = *session.find(labelled(key_label()));
  for (const CK_OBJECT_HANDLE kek : keks) ASSERT_TRUE(session.destroy(kek).ok());
  EXPECT_EQ(code_of(keys_->unwrap(tenant_, kRows, key.wrapped)), ErrorCode::kKeyStoreMissing);
  EXPECT_EQ(code_of(keys_->generate_data_key(tenant_, kRows)), ErrorCode::kKeyStoreMissing);
}

TEST_F(Pkcs11KeyServiceTest, AWrongPinIsTriedOnceAndLocksNothing) {
  keys_.reset();
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(open_error(token_.settings("0815")), ErrorCode::kKeyServiceRefused);
  const auto refused = Pkcs11KeyService::open(token_.settings("0815"));
  const Error& error = refused.error();
  EXPECT_EQ((error.message + error.hint + error.cause).find("0815"), std::string::npos);
  EXPECT_EQ(open_error(token_.settings("")), ErrorCode::kKeyServiceRefused);
  EXPECT_TRUE(Pkcs11KeyService::open(token_.settings()).ok());
}

TEST_F(Pkcs11KeyServiceTest, WhatIsNotThereIsUnavailable) {
  keys_.reset();
  Pkcs11Settings settings = token_.settings();
  settings.token_label = "another";
  EXPECT_EQ(open_error(std::move(settings)), ErrorCode::kKeyServiceUnavailable);
  settings = token_.settings();
  settings.module_path = "/nonexistent/module.so";
  EXPECT_EQ(open_error(std::move(settings)), ErrorCode::kKeyServiceUnavailable);
  settings = token_.settings();
  settings.module_path = "libz.so.1";
  EXPECT_EQ(open_error(std::move(settings)), ErrorCode::kKeyServiceUnavailable);
  settings = token_.settings();
  settings.lock_file = token_.folder() + "/no/folder";
  EXPECT_EQ(open_error(std::move(settings)), ErrorCode::kNotFound);
  settings = token_.settings();
  settings.label_prefix = "no spaces";
  EXPECT_EQ(open_error(std::move(settings)), ErrorCode::kInvalidArgument);
}

// SoftHSM shows a token without objects then.
TEST_F(Pkcs11KeyServiceTest, ATokenThatIsTakenOutFailsClearlyAndComesBack) {
  const DataKey key = *keys_->generate_data_key(tenant_, kRows);
  token_.remove();
  const auto failed = keys_->unwrap(tenant_, kRows, key.wrapped);
  EXPECT_EQ(code_of(failed), ErrorCode::kKeyServiceUnavailable);
  EXPECT_EQ(code_of(keys_->describe(tenant_)), ErrorCode::kKeyServiceUnavailable);
  EXPECT_EQ(code_of(keys_->create_tenant_key(TenantId::random())),
            ErrorCode::kKeyServiceUnavailable);
  token_.put_back();
  keys_.reset();
  keys_ = *Pkcs11KeyService::open(token_.settings());
  const auto opened = keys_->unwrap(tenant_, kRows, key.wrapped);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(constant_time_equal(opened->view(), key.plaintext.view()));
}

// All sessions are logged out behind the provider's back, as when a token was reset.
TEST_F(Pkcs11KeyServiceTest, ALostLogInIsMadeAgain) {
  const DataKey key = *keys_->generate_data_key(tenant_, kRows);
  const auto module = *Pkcs11Module::load(token_.settings().module_path);
  std::vector<CK_SLOT_ID> slots(8);
  CK_ULONG count = slots.size();
  ASSERT_EQ(module->functions().C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
  slots.resize(count);
  for (const CK_SLOT_ID slot : slots)
    ASSERT_EQ(module->functions().C_CloseAllSessions(slot), CKR_OK);
  EXPECT_TRUE(keys_->unwrap(tenant_, kRows, key.wrapped).ok());
}

TEST_F(Pkcs11KeyServiceTest, TwoDeploymentsOnOneTokenDoNotMeet) {
  Pkcs11Settings settings = token_.settings();
  settings.label_prefix = "staging";
  const auto other = *Pkcs11KeyService::open(std::move(settings));
  EXPECT_EQ(code_of(other->describe(tenant_)), ErrorCode::kNotFound);
  ASSERT_TRUE(other->create_tenant_key(tenant_).ok());
  const WrappedKey theirs = other->generate_data_key(tenant_, kRows)->wrapped;
  EXPECT_EQ(code_of(keys_->unwrap(tenant_, kRows, theirs)), ErrorCode::kKeyWrong);
}

TEST(Pkcs11RecordTest, SaysWhatItWasAndRefusesAnythingElse) {
  Pkcs11Record record;
  record.tenant = TenantId::random();
  record.sequence = 7;
  record.enabled = false;
  record.destroy_at = Timestamp{123};
  record.created_at = {456};
  record.current_version = 9;
  const Bytes bytes = record.encode();
  const Pkcs11Record back = *Pkcs11Record::decode(bytes);
  EXPECT_EQ(back.encode(), bytes);
  EXPECT_EQ(back.tenant, record.tenant);
  EXPECT_EQ(back.sequence, 7u);
  EXPECT_EQ(back.destroy_at, record.destroy_at);
  EXPECT_EQ(back.current_version, 9u);
  Bytes longer = bytes;
  longer.push_back(0);
  Bytes another = bytes;
  another[0] = 2;
  Bytes flags = bytes;
  flags[1] = 8;
  for (const Bytes& bad : {longer, another, flags, Bytes(bytes.begin(), bytes.end() - 1), Bytes()})
    EXPECT_FALSE(Pkcs11Record::decode(bad).ok());
}

}  // namespace
}  // namespace oa
