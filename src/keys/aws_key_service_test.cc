// The `aws-kms` provider against a stand-in of the service, over TLS.
#include "oa/keys/aws_key_service.h"

#include <optional>

#include "fake_kms_server.h"
#include "key_service_conformance.h"

namespace oa {
namespace {

constexpr auto kRows = KeyPurpose::kRows;
constexpr auto kDay = std::chrono::hours(24);

class AwsUnderTest final : public KeysUnderTest {
 public:
  std::unique_ptr<KeyService> open() override { return *AwsKeyService::open(server_.settings()); }
  void wait_until_after(Timestamp when) override {
    // The service's times are numbers of seconds with a fraction, good to about a microsecond.
    server_.kms().advance(
        std::chrono::microseconds(when.unix_us - server_.kms().now().unix_us + 1000));
  }

 private:
  FakeKmsServer server_;
};

INSTANTIATE_TEST_SUITE_P(AwsKms, KeyServiceConformance,
                         testing::Values(KeysFactory{"aws-kms", [] {
                                                       return std::unique_ptr<KeysUnderTest>(
                                                           new AwsUnderTest);
                                                     }}));

class AwsKeyServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    keys_ = *AwsKeyService::open(server_.settings());
    ASSERT_TRUE(keys_->create_tenant_key(tenant_).ok());
  }
  FakeKms& kms() { return server_.kms(); }
  static std::string alias(TenantId tenant) { return "alias/oa-backup-" + tenant.str(); }
  static std::string tombstone(TenantId tenant) {
    return "alias/oa-backup-destroyed-" + tenant.str();
  }
  template <class T>
  static std::optional<ErrorCode> code_of(const Result<T>& result) {
    return result.ok() ? std::nullopt : std::optional(result.error().code);
  }
  std::optional<ErrorCode> generate_error() {
    return code_of(keys_->generate_data_key(tenant_, kRows));
  }
  static Timestamp in_days(std::int64_t days) {
    return {Timestamp::now().unix_us + std::chrono::microseconds(days * kDay).count()};
  }
  static std::string all_of(const Error& error) {
    return error.message + error.hint + error.cause + error.op;
  }

  FakeKmsServer server_;
  std::unique_ptr<KeyService> keys_;
  const TenantId tenant_ = TenantId::random();
};

TEST_F(AwsKeyServiceTest, TenantAndPurposeAreTheContextAndTheIdNamesKeyAndMaterial) {
  const DataKey key = *keys_->generate_data_key(tenant_, KeyPurpose::kWal);
  ASSERT_TRUE(keys_->unwrap(tenant_, KeyPurpose::kWal, key.wrapped).ok());
  ASSERT_TRUE(keys_->rewrap(tenant_, KeyPurpose::kWal, key.wrapped).ok());
  EXPECT_EQ(kms().contexts(),
            (std::set<std::string>{R"({"purpose":"wal","tenant":")" + tenant_.str() + R"("})"}));
  EXPECT_TRUE(key.wrapped.key_id.starts_with("aws-kms:arn:aws:kms:eu-test-1:111122223333:key/"));
  EXPECT_EQ(kms().calls("Decrypt"), 1) << "rewrap shows this process nothing";
}

// Whoever can write to the store must not choose the key that opens what is in it.
TEST_F(AwsKeyServiceTest, UnwrapNamesTheTenantsAliasWhateverTheBlobSays) {
  const TenantId stranger = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(stranger).ok());
  const WrappedKey planted = keys_->generate_data_key(stranger, kRows)->wrapped;
  EXPECT_EQ(code_of(keys_->unwrap(tenant_, kRows, planted)), ErrorCode::kKeyWrong);
  const std::string request = server_.requests().back();
  EXPECT_NE(request.find("\"KeyId\":\"" + alias(tenant_) + "\""), std::string::npos);
  EXPECT_EQ(request.find("arn:aws"), std::string::npos);
}

TEST_F(AwsKeyServiceTest, OneRequestForEachKeyOverOneConnection) {
  const std::size_t before = server_.requests().size();
  const DataKey key = *keys_->generate_data_key(tenant_, kRows);
  ASSERT_TRUE(keys_->unwrap(tenant_, kRows, key.wrapped).ok());
  ASSERT_TRUE(keys_->rewrap(tenant_, kRows, key.wrapped).ok());
  EXPECT_EQ(server_.requests().size(), before + 3);
}

TEST_F(AwsKeyServiceTest, ThrottlingIsWaitedOutAndInTheEndRetryable) {
  kms().fail_next("", 400, "ThrottlingException", 3);
  EXPECT_TRUE(keys_->generate_data_key(tenant_, kRows).ok());
  kms().fail_next("", 400, "ThrottlingException", 4);
  const auto refused = keys_->generate_data_key(tenant_, kRows);
  EXPECT_EQ(code_of(refused), ErrorCode::kKeyServiceUnavailable);
  EXPECT_TRUE(error_info(refused.error().code).retryable);
  EXPECT_TRUE(keys_->generate_data_key(tenant_, kRows).ok());
}

TEST_F(AwsKeyServiceTest, FailuresOfTheServiceAreRetryable) {
  for (const char* type :
       {"KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException"}) {
    kms().fail_next("Decrypt", 500, type, 4);
    const WrappedKey wrapped = keys_->generate_data_key(tenant_, kRows)->wrapped;
    EXPECT_EQ(code_of(keys_->unwrap(tenant_, kRows, wrapped)), ErrorCode::kKeyServiceUnavailable)
        << type;
    EXPECT_TRUE(keys_->unwrap(tenant_, kRows, wrapped).ok());
  }
  kms().fail_next("CreateKey", 500, "KMSInternalException", 1);
  const TenantId other = TenantId::random();
  EXPECT_EQ(code_of(keys_->create_tenant_key(other)), ErrorCode::kKeyServiceUnavailable);
  EXPECT_EQ(kms().calls("CreateKey"), 2) << "nobody knows whether it was made: not sent again";
  EXPECT_TRUE(keys_->create_tenant_key(other).ok());
}

TEST_F(AwsKeyServiceTest, RefusalsHaveStableCodes) {
  const WrappedKey wrapped = keys_->generate_data_key(tenant_, kRows)->wrapped;
  const std::vector<std::pair<std::string, ErrorCode>> table{
      {"InvalidCiphertextException", ErrorCode::kKeyWrong},
      {"IncorrectKeyException", ErrorCode::kKeyWrong},
      {"NotFoundException", ErrorCode::kNotFound},
      {"LimitExceededException", ErrorCode::kLimitExceeded},
      {"ConflictException", ErrorCode::kConflict},
      // The key was enabled again meanwhile, or is not known to be yet.
      {"DisabledException", ErrorCode::kKeyServiceUnavailable},
      {"KMSInvalidStateException", ErrorCode::kKeyServiceUnavailable},
      {"UnrecognizedClientException", ErrorCode::kKeyServiceRefused},
      {"InvalidSignatureException", ErrorCode::kKeyServiceRefused},
      {"ExpiredTokenException", ErrorCode::kKeyServiceRefused},
      {"SomethingNewException", ErrorCode::kInternal}};
  for (const auto& [type, code] : table) {
    kms().fail_next("Decrypt", 400, type, 1);
    EXPECT_EQ(code_of(keys_->unwrap(tenant_, kRows, wrapped)), code) << type;
  }
  EXPECT_TRUE(keys_->unwrap(tenant_, kRows, wrapped).ok());
}

TEST_F(AwsKeyServiceTest, WhatThePolicyDoesNotAllowIsNamed) {
  for (const char* operation : {"GenerateDataKey", "DescribeKey"}) {
    kms().deny(operation);
    const auto refused = operation == std::string("DescribeKey") ? code_of(keys_->describe(tenant_))
                                                                 : generate_error();
    EXPECT_EQ(refused, ErrorCode::kKeyServiceRefused);
  }
  const auto refused = keys_->generate_data_key(tenant_, kRows);
  EXPECT_NE(refused.error().hint.find("kms:GenerateDataKey"), std::string::npos);
  EXPECT_EQ(all_of(refused.error()).find("ada"), std::string::npos) << "no person of the message";
}

TEST_F(AwsKeyServiceTest, AWrongSecretIsRefusedAndNothingSecretIsSaid) {
  AwsKeySettings settings = server_.settings();
  settings.credentials =
      *aws::CredentialProvider::fixed(FakeKmsServer::credentials("wrong-secret"));
  const auto other = *AwsKeyService::open(settings);
  const auto refused = other->generate_data_key(tenant_, kRows);
  ASSERT_EQ(code_of(refused), ErrorCode::kKeyServiceRefused);
  const std::string said = all_of(refused.error());
  for (const std::string_view secret :
       {std::string_view("wrong-secret"), FakeKmsServer::kSessionToken, FakeKmsServer::kAccessKey})
    EXPECT_EQ(said.find(secret), std::string::npos) << said;
}

TEST_F(AwsKeyServiceTest, AnotherRegionsSignatureIsRefused) {
  AwsKeySettings settings = server_.settings();
  settings.region = "us-test-1";
  const auto other = *AwsKeyService::open(settings);
  EXPECT_EQ(code_of(other->generate_data_key(tenant_, kRows)), ErrorCode::kKeyServiceRefused);
}

TEST_F(AwsKeyServiceTest, AnUnknownCertificateIsNotTrusted) {
  AwsKeySettings settings = server_.settings();
  settings.ca_file = "";
  settings.retries.attempts = 1;
  const auto other = *AwsKeyService::open(settings);
  const std::size_t before = server_.requests().size();
  EXPECT_FALSE(other->generate_data_key(tenant_, kRows).ok());
  EXPECT_EQ(server_.requests().size(), before) << "nothing was sent";
}

TEST_F(AwsKeyServiceTest, AServiceThatSaysNothingIsUnavailableInTime) {
  AwsKeySettings settings = server_.settings();
  settings.attempt_timeout = std::chrono::milliseconds(200);
  settings.retries.attempts = 2;
  const auto other = *AwsKeyService::open(settings);
  server_.say_nothing();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(other->describe(tenant_)), ErrorCode::kKeyServiceUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(AwsKeyServiceTest, AKeyThatIsNotKnownYetIsWaitedFor) {
  kms().settle_slowly(2);
  const TenantId other = TenantId::random();
  ASSERT_TRUE(keys_->create_tenant_key(other).ok());
  EXPECT_TRUE(keys_->generate_data_key(other, kRows).ok());
}

TEST_F(AwsKeyServiceTest, OfTwoCreatorsTheSecondTakesItsKeyBack) {
  const TenantId contested = TenantId::random();
  kms().before_next("CreateAlias", [&] {
    const auto rival = *AwsKeyService::open(server_.settings());
    EXPECT_TRUE(rival->create_tenant_key(contested).ok());
  });
  EXPECT_EQ(code_of(keys_->create_tenant_key(contested)), ErrorCode::kAlreadyExists);
  EXPECT_EQ(kms().states_without_alias(), std::vector<std::string>{"PendingDeletion"});
  EXPECT_EQ(kms().state_of(alias(contested)), "Enabled");
  EXPECT_TRUE(keys_->generate_data_key(contested, kRows).ok());
}

TEST_F(AwsKeyServiceTest, AnAliasWhoseAnswerWasLostIsOurs) {
  const TenantId other = TenantId::random();
  kms().fail_next("CreateAlias", 500, "KMSInternalException", 1, true);
  EXPECT_TRUE(keys_->create_tenant_key(other).ok());
  EXPECT_TRUE(kms().states_without_alias().empty());
}

TEST_F(AwsKeyServiceTest, WhatWasDoneAndNotAnsweredCounts) {
  kms().fail_next("ScheduleKeyDeletion", 500, "KMSInternalException", 1, true);
  EXPECT_TRUE(keys_->schedule_destroy(tenant_, in_days(8)).ok());
  kms().fail_next("CancelKeyDeletion", 500, "KMSInternalException", 1, true);
  EXPECT_TRUE(keys_->cancel_destroy(tenant_).ok());
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kEnabled);
  kms().fail_next("RotateKeyOnDemand", 500, "KMSInternalException", 1, true);
  EXPECT_EQ(code_of(keys_->rotate(tenant_)), ErrorCode::kKeyServiceUnavailable);
  EXPECT_EQ(keys_->describe(tenant_)->current_version, 2u) << "once, not twice";
}

TEST_F(AwsKeyServiceTest, AfterACrashBetweenKeyAndAliasCreatingWorksAndTheOrphanIsLeftAlone) {
  const TenantId other = TenantId::random();
  kms().deny("CreateAlias");
  EXPECT_EQ(code_of(keys_->create_tenant_key(other)), ErrorCode::kKeyServiceRefused);
  kms().deny("CreateAlias", false);
  EXPECT_EQ(code_of(keys_->describe(other)), ErrorCode::kNotFound);
  EXPECT_TRUE(keys_->create_tenant_key(other).ok());
  EXPECT_EQ(kms().states_without_alias(), std::vector<std::string>{"Enabled"});
}

TEST_F(AwsKeyServiceTest, DestructionTakesWholeDaysFromSevenToThirty) {
  for (const std::int64_t days : {-1, 0, 1, 6, 31}) {
    const Status refused = keys_->schedule_destroy(tenant_, in_days(days));
    EXPECT_EQ(code_of(refused), ErrorCode::kInvalidArgument) << days;
    EXPECT_NE(refused.error().hint.find("7 to 30 days"), std::string::npos);
  }
  EXPECT_EQ(kms().state_of(alias(tenant_)), "Enabled");
  const Timestamp when{in_days(9).unix_us + 3'600'000'000};
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, when).ok());
  EXPECT_GE(keys_->describe(tenant_)->destroy_at, when);
  kms().advance(9 * kDay);
  EXPECT_EQ(generate_error(), ErrorCode::kKeyDisabled);
  kms().advance(kDay);
  EXPECT_EQ(generate_error(), ErrorCode::kKeyDestroyed);
}

TEST_F(AwsKeyServiceTest, ATombstoneComesBeforeTheDeletionAndGoesWithItsCancelling) {
  kms().fail_next("ScheduleKeyDeletion", 500, "KMSInternalException", 4);
  EXPECT_FALSE(keys_->schedule_destroy(tenant_, in_days(8)).ok());
  EXPECT_NE(kms().state_of(tombstone(tenant_)), "");
  EXPECT_TRUE(keys_->generate_data_key(tenant_, kRows).ok()) << "the key itself decides";
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, in_days(8)).ok());
  ASSERT_TRUE(keys_->cancel_destroy(tenant_).ok());
  EXPECT_EQ(kms().state_of(tombstone(tenant_)), "");
  EXPECT_TRUE(keys_->generate_data_key(tenant_, kRows).ok());
}

TEST_F(AwsKeyServiceTest, ACancellingThatIsCutShortLeavesAKeyThatCanBeEnabled) {
  ASSERT_TRUE(keys_->schedule_destroy(tenant_, in_days(8)).ok());
  kms().deny("EnableKey");
  EXPECT_EQ(code_of(keys_->cancel_destroy(tenant_)), ErrorCode::kKeyServiceRefused);
  EXPECT_EQ(keys_->describe(tenant_)->state, KeyState::kDisabled);
  kms().deny("EnableKey", false);
  ASSERT_TRUE(keys_->enable(tenant_).ok());
  EXPECT_TRUE(keys_->generate_data_key(tenant_, kRows).ok());
}

TEST_F(AwsKeyServiceTest, TombstonesGoOnAnotherKeyWhenOneHasAllItCanHave) {
  std::vector<TenantId> tenants(51);
  for (TenantId& tenant : tenants) {
    tenant = TenantId::random();
    ASSERT_TRUE(keys_->create_tenant_key(tenant).ok());
    ASSERT_TRUE(keys_->schedule_destroy(tenant, in_days(8)).ok());
  }
  kms().advance(9 * kDay);
  for (const TenantId& tenant : tenants)
    EXPECT_EQ(code_of(keys_->create_tenant_key(tenant)), ErrorCode::kKeyDestroyed);
  EXPECT_EQ(kms().state_of("alias/oa-backup-tombstones-2"), "Enabled");
  EXPECT_EQ(kms().state_of("alias/oa-backup-tombstones-3"), "");
}

TEST_F(AwsKeyServiceTest, TheServicesLimitOfRotationsIsTold) {
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(keys_->rotate(tenant_).ok());
  EXPECT_EQ(code_of(keys_->rotate(tenant_)), ErrorCode::kLimitExceeded);
  EXPECT_EQ(keys_->describe(tenant_)->current_version, 26u);
}

TEST_F(AwsKeyServiceTest, TwoDeploymentsInOneAccountDoNotMeet) {
  AwsKeySettings settings = server_.settings();
  settings.alias_prefix = "staging";
  const auto other = *AwsKeyService::open(settings);
  EXPECT_EQ(code_of(other->describe(tenant_)), ErrorCode::kNotFound);
  EXPECT_TRUE(other->create_tenant_key(tenant_).ok());
  const WrappedKey theirs = other->generate_data_key(tenant_, kRows)->wrapped;
  EXPECT_EQ(code_of(keys_->unwrap(tenant_, kRows, theirs)), ErrorCode::kKeyWrong);
}

TEST_F(AwsKeyServiceTest, SettingsThatCannotBeAreRefused) {
  for (const char* prefix : {"", "a/b", "A", "a b", "x-destroyed"}) {
    AwsKeySettings settings = server_.settings();
    settings.alias_prefix = prefix;
    EXPECT_EQ(code_of(AwsKeyService::open(settings)), ErrorCode::kInvalidArgument) << prefix;
  }
  AwsKeySettings plain = server_.settings();
  plain.endpoint = "http://kms.example.org";
  EXPECT_EQ(code_of(AwsKeyService::open(plain)), ErrorCode::kInvalidArgument);
  AwsKeySettings nobody = server_.settings();
  nobody.credentials = nullptr;
  EXPECT_EQ(code_of(AwsKeyService::open(nobody)), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace oa
