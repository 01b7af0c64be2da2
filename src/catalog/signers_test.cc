#include "oa/catalog/repositories.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

User an_owner(TenantTransaction& tx) {
  User user;
  user.id = UserId::random();
  user.email = "owner@example.com";
  user.owner = user.active = true;
  EXPECT_TRUE(Users(tx).put({&user, 1}).ok());
  return user;
}

AcceptedSigner signer_of(const User& owner, const std::string& key, std::int64_t at) {
  return {key, std::string(64, 'a'), "Acme's archives", owner.id, {at}, std::nullopt};
}

TEST(AcceptedSigners, AreKeptWhenTheyAreRevokedAndCanBeAcceptedAgain) {
  TenantTransaction tx = begin(new_tenant());
  const User owner = an_owner(tx);
  AcceptedSigner first = signer_of(owner, "key", 1000);
  ASSERT_OK(AcceptedSigners(tx).accept(first));
  EXPECT_EQ(AcceptedSigners(tx).list().value(), std::vector{first});
  ASSERT_OK(AcceptedSigners(tx).revoke("key", {2000}));
  EXPECT_EQ(AcceptedSigners(tx).revoke("key", {2500}).error().code, ErrorCode::kNotFound);
  const AcceptedSigner again = signer_of(owner, "key", 3000);
  ASSERT_OK(AcceptedSigners(tx).accept(again));
  first.revoked_at = Timestamp{2000};
  EXPECT_EQ(AcceptedSigners(tx).list().value(), (std::vector{first, again}));
}

TEST(AcceptedSigners, AKeyIsAcceptedOnceAtATime) {
  TenantTransaction tx = begin(new_tenant());
  const User owner = an_owner(tx);
  ASSERT_OK(AcceptedSigners(tx).accept(signer_of(owner, "key", 1000)));
  EXPECT_EQ(AcceptedSigners(tx).accept(signer_of(owner, "key", 2000)).error().code,
            ErrorCode::kConflict);
}

TEST(AcceptedSigners, WhatBreaksARuleIsRefused) {
  TenantTransaction tx = begin(new_tenant());
  const User owner = an_owner(tx);
  AcceptedSigner signer = signer_of(owner, "key", 1000);
  signer.note = std::string(600, 'x');
  EXPECT_EQ(AcceptedSigners(tx).accept(signer).error().code, ErrorCode::kInvalidArgument);
  signer = signer_of(owner, "key", 1000);
  signer.fingerprint = std::string(64, 'A');
  EXPECT_EQ(AcceptedSigners(tx).accept(signer).error().code, ErrorCode::kInvalidArgument);
}

TEST(SigningKeys, ARetiredOneCanBeRevokedAndTheOneThatSignsCannot) {
  TenantTransaction tx = begin(new_tenant());
  ASSERT_OK(SigningKeys(tx).rotate_to({"one", {1}, {1000}, std::nullopt}));
  EXPECT_EQ(SigningKeys(tx).revoke("one", {1500}).error().code, ErrorCode::kNotFound);
  ASSERT_OK(SigningKeys(tx).rotate_to({"two", {2}, {2000}, std::nullopt}));
  ASSERT_OK(SigningKeys(tx).revoke("one", {3000}));
  EXPECT_EQ(SigningKeys(tx).revoke("one", {4000}).error().code, ErrorCode::kNotFound);
  const auto keys = SigningKeys(tx).list().value();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].revoked_at, Timestamp{3000});
  EXPECT_FALSE(keys[1].revoked_at.has_value());
}

}  // namespace
}  // namespace oa::catalog
