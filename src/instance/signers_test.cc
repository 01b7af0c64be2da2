// Who may say whose archives a tenant trusts, on a real instance.
#include <algorithm>

#include "instance_testkit.h"

namespace oa::instance {
namespace {

class SignersTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    tenant_ = instance_->provision_tenant(name, catalog::Plan::kGrowth)->id;
    owner_ = add_user(tenant_, "owner@example.com", true, true);
  }
  bool trusts(const PublicKey& key) const {
    const auto keys = instance_->trusted_keys(tenant_);
    return std::ranges::find(*keys, key) != keys->end();
  }
  AuditEvent last_event() const { return audit_of(tenant_).back(); }

  Instance* const instance_ = &shared_instance();
  TenantId tenant_;
  UserId owner_;
  PublicKey stranger_ = SigningKey::generate().public_key();
};

TEST_F(SignersTest, AnAcceptedSignerIsTrustedUntilRevoked) {
  EXPECT_FALSE(trusts(stranger_));
  ASSERT_TRUE(
      instance_->accept_signer(tenant_, stranger_, stranger_.fingerprint(), owner_, "why").ok());
  EXPECT_TRUE(trusts(stranger_));
  const auto own = instance_->own_keys(tenant_);
  EXPECT_EQ(own->size(), 1u);
  EXPECT_EQ(std::ranges::find(*own, stranger_), own->end()) << "it is not the tenant's own";
  auto event = last_event();
  EXPECT_EQ(event.action, "backup.signer.accept");
  EXPECT_EQ(event.actor_id, owner_.uuid());
  EXPECT_EQ(event.personal.at("actor.email").value, "owner@example.com");
  EXPECT_EQ(event.resource_id, stranger_.base64());
  EXPECT_NE(event.detail.str().find(stranger_.fingerprint()), std::string::npos);

  std::string upper = stranger_.fingerprint();
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  ASSERT_TRUE(instance_->revoke_signer(tenant_, upper, owner_).ok());
  EXPECT_FALSE(trusts(stranger_));
  EXPECT_EQ(last_event().action, "backup.signer.revoke");
  const auto signers = instance_->accepted_signers(tenant_);
  ASSERT_EQ(signers->size(), 1u);
  EXPECT_EQ(signers->front().note, "why");
  EXPECT_TRUE(signers->front().revoked_at.has_value());
  ASSERT_TRUE(instance_->accept_signer(tenant_, stranger_, upper, owner_).ok());
  EXPECT_TRUE(trusts(stranger_));
}

TEST_F(SignersTest, ATenantThatWasCutShortIsCompleted) {
  const catalog::Tenant half{TenantId::random(), "half made", catalog::Plan::kGrowth, {1'000'000}};
  ASSERT_TRUE(instance_->keys().create_tenant_key(half.id).ok());
  ASSERT_TRUE(instance_->database().create_tenant(half).ok());
  EXPECT_FALSE(instance_->signing_key(half.id).ok());
  EXPECT_EQ(instance_->provision_tenant(half.name, catalog::Plan::kScale).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(instance_->provision_tenant(half.name, half.plan)->id, half.id);
  EXPECT_TRUE(instance_->signing_key(half.id).ok());
  EXPECT_EQ(audit_of(half.id).size(), 1u);
  EXPECT_EQ(instance_->provision_tenant(half.name, half.plan).error().code,
            ErrorCode::kAlreadyExists);
}

TEST_F(SignersTest, OnlyAnActiveOwnerOfTheTenantDecides) {
  const auto other = instance_->provision_tenant("other", catalog::Plan::kStarter);
  const UserId others[] = {add_user(tenant_, "member@example.com", false, true),
                           add_user(tenant_, "invited@example.com", true, false),
                           add_user(other->id, "owner@example.com", true, true), UserId::random()};
  const auto before = last_event();
  for (const UserId user : others) {
    const auto refused =
        instance_->accept_signer(tenant_, stranger_, stranger_.fingerprint(), user);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  }
  ASSERT_TRUE(instance_->accept_signer(tenant_, stranger_, stranger_.fingerprint(), owner_).ok());
  for (const UserId user : others) {
    EXPECT_EQ(instance_->revoke_signer(tenant_, stranger_.fingerprint(), user).error().code,
              ErrorCode::kPermissionDenied);
  }
  EXPECT_TRUE(trusts(stranger_));
  EXPECT_EQ(last_event().sequence, before.sequence + 1) << "what was refused left no event";
}

TEST_F(SignersTest, TheFingerprintMustBeTheKeys) {
  const std::string another = SigningKey::generate().public_key().fingerprint();
  for (const std::string& given : {another, std::string(), stranger_.fingerprint().substr(1),
                                   stranger_.key_id(), stranger_.base64()}) {
    const auto refused = instance_->accept_signer(tenant_, stranger_, given, owner_);
    ASSERT_FALSE(refused.ok()) << given;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(refused.error().hint.empty());
  }
  EXPECT_FALSE(trusts(stranger_));
}

TEST_F(SignersTest, WhatIsTrustedIsNotAcceptedAgain) {
  ASSERT_TRUE(instance_->accept_signer(tenant_, stranger_, stranger_.fingerprint(), owner_).ok());
  const PublicKey own = instance_->own_keys(tenant_)->front();
  for (const PublicKey& key : {stranger_, own}) {
    EXPECT_EQ(instance_->accept_signer(tenant_, key, key.fingerprint(), owner_).error().code,
              ErrorCode::kAlreadyExists);
  }
}

TEST_F(SignersTest, ARetiredKeyOfTheTenantCanBeRevoked) {
  const PublicKey old = instance_->own_keys(tenant_)->front();
  const auto while_it_signs = instance_->revoke_signer(tenant_, old.fingerprint(), owner_);
  EXPECT_EQ(while_it_signs.error().code, ErrorCode::kConflict);
  EXPECT_NE(while_it_signs.error().hint.find("keys rotate"), std::string::npos);
  const PublicKey next = *instance_->rotate_signing_key(tenant_);
  EXPECT_TRUE(trusts(old));
  ASSERT_TRUE(instance_->revoke_signer(tenant_, old.fingerprint(), owner_).ok());
  EXPECT_FALSE(trusts(old));
  EXPECT_EQ(*instance_->own_keys(tenant_), std::vector{next});
  EXPECT_EQ(instance_->revoke_signer(tenant_, old.fingerprint(), owner_).error().code,
            ErrorCode::kNotFound);
  // An Owner who wants it back accepts it as any other signer.
  ASSERT_TRUE(instance_->accept_signer(tenant_, old, old.fingerprint(), owner_).ok());
  EXPECT_TRUE(trusts(old));
  EXPECT_EQ(*instance_->own_keys(tenant_), std::vector{next});
}

TEST_F(SignersTest, OneTenantsTrustIsNotAnothers) {
  const auto other = instance_->provision_tenant("another", catalog::Plan::kStarter);
  ASSERT_TRUE(instance_->accept_signer(tenant_, stranger_, stranger_.fingerprint(), owner_).ok());
  const auto keys = instance_->trusted_keys(other->id);
  EXPECT_EQ(std::ranges::find(*keys, stranger_), keys->end());
  EXPECT_TRUE(instance_->accepted_signers(other->id)->empty());
}

}  // namespace
}  // namespace oa::instance
