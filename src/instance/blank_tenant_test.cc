// Which tenants an import may go into.
#include <functional>

#include "instance_testkit.h"

namespace oa::instance {
namespace {

using catalog::Plan;

class BlankTenantTest : public testing::Test {
 protected:
  Result<Instance::BlankTenant> blank() {
    return instance_.blank_tenant(name_, Plan::kGrowth, owner_);
  }
  void expect_taken(const std::string& what) {
    const auto refused = blank();
    ASSERT_FALSE(refused.ok()) << what;
    EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists) << what;
    EXPECT_FALSE(refused.error().hint.empty());
    const auto checked = instance_.check_blank_tenant(name_, Plan::kGrowth, owner_.email);
    ASSERT_FALSE(checked.ok()) << what;
    EXPECT_EQ(checked.error().message, refused.error().message);
  }
  void change(TenantId tenant, const std::function<Status(catalog::TenantTransaction&)>& body) {
    auto transaction = instance_.database().begin(tenant);
    const auto done = body(*transaction);
    ASSERT_TRUE(done.ok()) << done.error().message;
    ASSERT_TRUE(transaction->commit().ok());
  }

  Instance& instance_ = shared_instance();
  const std::string name_ = testing::UnitTest::GetInstance()->current_test_info()->name();
  catalog::User owner_ = a_user("owner@example.com", false, true);
};

TEST_F(BlankTenantTest, HasItsKeysAndAnOwnerWhoIsNotInvitedYet) {
  const auto made = blank();
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(made->made);
  EXPECT_EQ(made->owner, owner_.id);
  EXPECT_EQ(made->tenant.plan, Plan::kGrowth);
  EXPECT_TRUE(instance_.signing_key(made->tenant.id).ok());
  auto transaction = instance_.database().begin(made->tenant.id);
  const auto users = catalog::Users(*transaction).list();
  ASSERT_EQ(users->size(), 1u);
  EXPECT_TRUE(users->front().owner);
  EXPECT_FALSE(users->front().active);
  EXPECT_EQ(audit_of(made->tenant.id).back().action, "user.create");
}

TEST_F(BlankTenantTest, IsFoundAgainAfterAnInterruption) {
  EXPECT_TRUE(instance_.check_blank_tenant(name_, Plan::kGrowth, owner_.email).ok());
  EXPECT_FALSE(instance_.database().find_tenant(name_).ok()) << "the check makes nothing";
  const auto first = blank();
  EXPECT_TRUE(instance_.check_blank_tenant(name_, Plan::kGrowth, owner_.email).ok());
  const auto events = audit_of(first->tenant.id).size();
  owner_ = a_user("Owner@Example.com", false, false);
  const auto second = blank();
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_FALSE(second->made);
  EXPECT_EQ(second->tenant.id, first->tenant.id);
  EXPECT_EQ(second->owner, first->owner) << "one owner, not two";
  EXPECT_EQ(audit_of(first->tenant.id).size(), events);
}

TEST_F(BlankTenantTest, GetsTheKeyThatAnInterruptionHadLeftOut) {
  const catalog::Tenant tenant{TenantId::random(), name_, Plan::kGrowth, Timestamp::now()};
  ASSERT_TRUE(instance_.keys().create_tenant_key(tenant.id).ok());
  ASSERT_TRUE(instance_.database().create_tenant(tenant).ok());
  const auto found = blank();
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_FALSE(found->made);
  EXPECT_TRUE(instance_.signing_key(tenant.id).ok());
}

TEST_F(BlankTenantTest, IsNoneOfSomebodyElse) {
  ASSERT_TRUE(blank().ok());
  owner_.email = "somebody.else@example.com";
  expect_taken("another owner");
}

TEST_F(BlankTenantTest, IsNoneOnAnotherPlan) {
  ASSERT_TRUE(instance_.provision_tenant(name_, Plan::kScale).ok());
  expect_taken("another plan");
}

TEST_F(BlankTenantTest, IsNoneNamedByItsId) {
  const auto made = blank();
  const auto refused = instance_.blank_tenant(made->tenant.id.str(), Plan::kGrowth, owner_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(BlankTenantTest, IsNoneWhoseOwnerHasMovedIn) {
  const auto made = blank();
  owner_.owner = owner_.active = true;
  change(made->tenant.id, [&](auto& transaction) {
    return catalog::Users(transaction).put({&owner_, 1});
  });
  expect_taken("an active owner");
}

TEST_F(BlankTenantTest, IsNoneWithSomethingInIt) {
  const auto made = blank();
  const auto member = a_user("member@example.com", false, false);
  change(made->tenant.id, [&](auto& transaction) {
    return catalog::Users(transaction).put({&member, 1});
  });
  expect_taken("another person");
  change(made->tenant.id, [&](auto& transaction) {
    return catalog::Users(transaction).remove_unused(std::vector{member.id});
  });
  EXPECT_TRUE(blank().ok());
  const catalog::Workspace workspace{WorkspaceId::random(), "Sales", Timestamp::now(), {}};
  change(made->tenant.id, [&](auto& transaction) {
    return catalog::Workspaces(transaction).put({&workspace, 1});
  });
  expect_taken("a workspace");
}

TEST_F(BlankTenantTest, IsNoneThatWasRestoredInto) {
  const auto made = blank();
  catalog::RestoreRecord record;
  record.id = RestoreId::random();
  record.kind = catalog::RestoreKind::kImport;
  const auto put = [&](auto& transaction) { return catalog::Restores(transaction).put(record); };
  change(made->tenant.id, put);
  EXPECT_TRUE(blank().ok()) << "a plan alone has changed nothing";
  for (const auto state : {catalog::RestoreState::kApplied, catalog::RestoreState::kUndone}) {
    record.state = state;
    change(made->tenant.id, put);
    expect_taken("an applied restore");
  }
}

}  // namespace
}  // namespace oa::instance
