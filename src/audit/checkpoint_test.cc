#include "oa/audit/checkpoint.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace oa {
namespace {

class Checkpoint : public testing::Test {
 protected:
  const TenantId tenant_ = TenantId::random();
  const SigningKey signer_ = SigningKey::generate();
  const AuditMark mark_{41, Sha256::of(as_bytes("event 41"))};
  AuditCheckpoint checkpoint_ =
      make_checkpoint(tenant_, mark_, Timestamp{1'000'000}, Timestamp{2'000'000}, signer_);
};

TEST_F(Checkpoint, SaysWhoMadeItAndSurvivesJson) {
  EXPECT_EQ(check_checkpoint(tenant_, checkpoint_).value(), signer_.public_key());
  const auto again = checkpoint_from_json(to_json(checkpoint_));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, checkpoint_);
}

TEST_F(Checkpoint, WhateverIsAlteredIsFound) {
  const auto refused = [&](const AuditCheckpoint& altered) {
    const auto checked = check_checkpoint(tenant_, altered);
    return !checked.ok() && checked.error().code == ErrorCode::kAuditBroken;
  };
  EXPECT_EQ(check_checkpoint(TenantId::random(), checkpoint_).error().code,
            ErrorCode::kAuditBroken);
  auto altered = checkpoint_;
  ++altered.mark.sequence;
  EXPECT_TRUE(refused(altered));
  altered = checkpoint_;
  altered.mark.hash[0] ^= 1;
  EXPECT_TRUE(refused(altered));
  altered = checkpoint_;
  altered.made_at.unix_us += 1;
  EXPECT_TRUE(refused(altered));
  altered = checkpoint_;
  altered.statement.pop_back();
  EXPECT_TRUE(refused(altered));
  for (std::size_t at = 0; at < checkpoint_.statement.size(); at += 7) {
    altered = checkpoint_;
    altered.statement[at] ^= 1;
    EXPECT_TRUE(refused(altered)) << at;
  }
  altered = checkpoint_;
  altered.signature =
      make_checkpoint(tenant_, mark_, Timestamp{1}, Timestamp{2'000'000}, signer_).signature;
  EXPECT_TRUE(refused(altered));
}

TEST_F(Checkpoint, AChainGoesOnBehindIt) {
  AuditEvent event;
  event.id = EventId::random();
  event.sequence = 42;
  event.ts = Timestamp{3'000'000};
  event.actor_type = "system";
  event.action = "report.view";
  event.resource_type = "report";
  event.resource_id = "r1";
  event.previous_hash = mark_.hash;
  event.hash = audit_hash(event);
  AuditChainVerifier verifier(checkpoint_.mark);
  EXPECT_TRUE(verifier.check(event).ok());
  EXPECT_EQ(verifier.events(), 1u);
  EXPECT_EQ(verifier.last(), (AuditMark{42, event.hash}));
  EXPECT_EQ(AuditChainVerifier(tenant_).check(event).error().code, ErrorCode::kAuditBroken);
}

}  // namespace
}  // namespace oa
