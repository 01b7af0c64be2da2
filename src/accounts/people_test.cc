// People as the operator adds them.
#include "oa/accounts/people.h"

#include "accounts_testkit.h"
#include "oa/catalog/repositories.h"

namespace oa::accounts {
namespace {

class PeopleTest : public AccountsFixture {
 protected:
  Result<Identity> sign_in(const std::string& email) {
    SignIn request = this->request();
    request.email = email;
    OA_ASSIGN(const SignedIn signed_in, accounts_.sign_in(request));
    return signed_in.identity;
  }
};

TEST_F(PeopleTest, WhoIsAddedSignsInOnceThereIsAPassword) {
  const auto bob = add_person(database_, tenant_.id, {"bob@example.com", "Bob", "B", false});
  ASSERT_OK(bob);
  EXPECT_EQ(sign_in("bob@example.com").error().code, ErrorCode::kSignInRefused);
  ASSERT_OK(accounts_.set_password(tenant_.id, bob->id, secret(kPassword)));
  EXPECT_EQ(sign_in("BOB@example.com")->user, bob->id);
  ASSERT_OK(set_active(database_, tenant_.id, bob->id, false));
  EXPECT_EQ(sign_in("bob@example.com").error().code, ErrorCode::kSignInRefused);
  ASSERT_OK(set_active(database_, tenant_.id, bob->id, true));
  EXPECT_TRUE(sign_in("bob@example.com").ok());
}

TEST_F(PeopleTest, AnAddressIsUsedOnceAndIsOne) {
  EXPECT_EQ(add_person(database_, tenant_.id, {"ADA@example.com", "", "", false}).error().code,
            ErrorCode::kAlreadyExists);
  for (const char* bad : {"", "ada", "@example.com", "ada@", "a da@example.com", "ada@exa\nmple"}) {
    EXPECT_EQ(add_person(database_, tenant_.id, {bad, "", "", false}).error().code,
              ErrorCode::kInvalidArgument)
        << bad;
  }
  const auto long_one = std::string(250, 'a') + "@b.c";
  ASSERT_OK(add_person(database_, tenant_.id, {long_one, "", "", false}));
  EXPECT_FALSE(add_person(database_, tenant_.id, {"a" + long_one, "", "", false}).ok());
}

TEST_F(PeopleTest, AreListedAndFound) {
  const auto bob = add_person(database_, tenant_.id, {"bob@example.com", "Bob", "B", false});
  ASSERT_OK(bob);
  const auto people = list_people(database_, tenant_.id);
  ASSERT_EQ(people->size(), 2u);
  EXPECT_TRUE(people->at(0).has_password);
  EXPECT_TRUE(people->at(0).user.owner);
  EXPECT_FALSE(people->at(1).has_password);
  EXPECT_EQ(find_person(database_, tenant_.id, "Bob@EXAMPLE.com")->id, bob->id);
  EXPECT_EQ(find_person(database_, tenant_.id, bob->id.str())->id, bob->id);
  EXPECT_EQ(find_person(database_, testkit::make_tenant().id, bob->id.str()).error().code,
            ErrorCode::kNotFound);
}

TEST_F(PeopleTest, RolesComeAndGo) {
  const auto bob = add_person(database_, tenant_.id, {"bob@example.com", "Bob", "B", false});
  ASSERT_OK(bob);
  ASSERT_OK(accounts_.set_password(tenant_.id, bob->id, secret(kPassword)));
  catalog::Workspace workspace;
  workspace.id = WorkspaceId::random();
  auto transaction = database_.begin(tenant_.id);
  ASSERT_OK(catalog::Workspaces(*transaction).put({&workspace, 1}));
  ASSERT_OK(transaction->commit());
  const auto set = [&](UserId user, WorkspaceId where, std::optional<catalog::Role> role) {
    return set_role(database_, tenant_.id, user, where, role);
  };
  ASSERT_OK(set(bob->id, workspace.id, catalog::Role::kViewer));
  EXPECT_TRUE(sign_in("bob@example.com")->member_of.contains(workspace.id));
  EXPECT_FALSE(sign_in("bob@example.com")->admin_in(workspace.id));
  ASSERT_OK(set(bob->id, workspace.id, catalog::Role::kAdmin));
  EXPECT_TRUE(sign_in("bob@example.com")->admin_in(workspace.id));
  ASSERT_OK(set(bob->id, workspace.id, std::nullopt));
  EXPECT_TRUE(sign_in("bob@example.com")->member_of.empty());
  EXPECT_EQ(set(bob->id, WorkspaceId::random(), catalog::Role::kAdmin).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(set(UserId::random(), workspace.id, catalog::Role::kAdmin).error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace oa::accounts
