// Sessions, tokens, credentials and the counting of attempts, as tables.
#include "oa/catalog/accounts.h"

#include <thread>

#include "oa/catalog/repositories.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

using std::chrono::milliseconds;

Sha256Digest digest(const std::string& text) { return Sha256::of(as_bytes(text)); }

constexpr Timestamp at(std::int64_t seconds) { return {seconds * 1'000'000}; }

class AccountsTest : public testing::Test {
 protected:
  AccountsTest() : tenant_(new_tenant()) {
    user_.id = UserId::random();
    user_.email = "Ada@Example.com";
    user_.first_name = "Ada";
    user_.last_name = "L";
    TenantTransaction tx = begin(tenant_);
    Users(tx).put({&user_, 1}).value();
    tx.commit().value();
  }
  SessionRecord session(std::int64_t created) const {
    return {SessionId::random(), user_.id,           at(created),
            at(created),         at(created + 1000), std::nullopt};
  }

  TenantId tenant_;
  User user_;
};

TEST_F(AccountsTest, ASessionIsFoundByItsHashWithItsPersonAndRights) {
  Team team{TeamId::random(), "t", {user_.id}, {}};
  const auto role = [](const Uuid& principal, PrincipalKind kind, Role r) {
    Workspace workspace;
    workspace.id = WorkspaceId::random();
    workspace.roles = {{kind, principal, r}};
    return workspace;
  };
  const Workspace viewed = role(user_.id.uuid(), PrincipalKind::kUser, Role::kViewer);
  const Workspace ruled = role(user_.id.uuid(), PrincipalKind::kUser, Role::kAdmin);
  const Workspace by_team = role(team.id.uuid(), PrincipalKind::kTeam, Role::kAdmin);
  User other;
  other.id = UserId::random();
  other.email = "other";
  const Workspace foreign = role(other.id.uuid(), PrincipalKind::kUser, Role::kAdmin);
  TenantTransaction tx = begin(tenant_);
  ASSERT_OK(Users(tx).put({&other, 1}));
  ASSERT_OK(Teams(tx).put({&team, 1}));
  ASSERT_OK(Workspaces(tx).put(std::vector{viewed, ruled, by_team, foreign}));
  const SessionRecord made = session(1);
  ASSERT_OK(Sessions(tx).add(made, digest("s")));
  const auto found = Sessions(tx).find(digest("s"));
  ASSERT_OK(found);
  ASSERT_TRUE(found->has_value());
  const auto& [record, person] = **found;
  EXPECT_EQ(record.id, made.id);
  EXPECT_EQ(record.last_used_at, at(1));
  EXPECT_EQ(record.expires_at, at(1001));
  EXPECT_EQ(person.id, user_.id);
  EXPECT_EQ(person.email, user_.email);
  EXPECT_TRUE(person.active);
  EXPECT_FALSE(person.owner);
  EXPECT_EQ(person.member_of, (std::set{viewed.id, ruled.id, by_team.id}));
  EXPECT_EQ(person.admin_of, (std::set{ruled.id, by_team.id}));
  EXPECT_FALSE(Sessions(tx).find(digest("other"))->has_value());
}

TEST_F(AccountsTest, SessionsEndOneByOneOrTogether) {
  TenantTransaction tx = begin(tenant_);
  std::vector<SessionRecord> made;
  for (int i = 0; i < 4; ++i) {
    made.push_back(session(i));
    ASSERT_OK(Sessions(tx).add(made.back(), digest(std::to_string(i))));
  }
  const auto ended = [&](int i) {
    return (*Sessions(tx).find(digest(std::to_string(i))))->record.revoked_at.has_value();
  };
  EXPECT_EQ(*Sessions(tx).end(user_.id, at(9), made[0].id), 1u);
  EXPECT_EQ(*Sessions(tx).end(user_.id, at(9), made[0].id), 0u);
  EXPECT_TRUE(ended(0));
  EXPECT_FALSE(ended(1));
  EXPECT_EQ(*Sessions(tx).end(UserId::random(), at(9)), 0u);
  EXPECT_EQ(*Sessions(tx).end(user_.id, at(9), std::nullopt, made[3].id), 2u);
  EXPECT_FALSE(ended(3));
  EXPECT_EQ(*Sessions(tx).end(user_.id, at(9)), 1u);
}

TEST_F(AccountsTest, OldSessionsAreRemoved) {
  TenantTransaction tx = begin(tenant_);
  for (int i = 0; i < 5; ++i) ASSERT_OK(Sessions(tx).add(session(i), digest(std::to_string(i))));
  ASSERT_OK(Sessions(tx).remove_old(user_.id, at(1001), 2));
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(Sessions(tx).find(digest(std::to_string(i)))->has_value(), i >= 3) << i;
  ASSERT_OK(Sessions(tx).remove_old(user_.id, at(1004), 9));
  EXPECT_FALSE(Sessions(tx).find(digest("3"))->has_value());
  EXPECT_TRUE(Sessions(tx).find(digest("4"))->has_value());
}

TEST_F(AccountsTest, Tokens) {
  TenantTransaction tx = begin(tenant_);
  TokenRecord token;
  token.id = TokenId::random();
  token.user = user_.id;
  token.name = "ci";
  token.scopes = {"backup", "read"};
  token.created_at = at(1);
  token.expires_at = at(100);
  ASSERT_OK(Tokens(tx).add(token, digest("t")));
  TokenRecord bare;
  bare.id = TokenId::random();
  bare.user = user_.id;
  bare.created_at = at(2);
  ASSERT_OK(Tokens(tx).add(bare, digest("u")));
  ASSERT_OK(Tokens(tx).touch(token.id, at(50)));
  ASSERT_OK(Tokens(tx).touch(token.id, at(40)));
  const auto found = Tokens(tx).find(digest("t"));
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->record.scopes, token.scopes);
  EXPECT_EQ((*found)->record.last_used_at, at(50));
  EXPECT_EQ((*found)->record.expires_at, at(100));
  EXPECT_EQ((*found)->person.id, user_.id);
  const auto listed = Tokens(tx).list(user_.id);
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(listed->front().id, bare.id);
  EXPECT_TRUE(listed->front().scopes.empty());
  EXPECT_EQ(Tokens(tx).revoke(token.id, UserId::random(), at(60)).error().code,
            ErrorCode::kNotFound);
  ASSERT_OK(Tokens(tx).revoke(token.id, user_.id, at(60)));
  EXPECT_EQ(Tokens(tx).revoke(token.id, user_.id, at(61)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(*Tokens(tx).revoke_all(UserId::random(), at(62)), 0u);
  EXPECT_EQ(*Tokens(tx).revoke_all(user_.id, at(62)), 1u);
  EXPECT_EQ((*Tokens(tx).find(digest("t")))->record.revoked_at, at(60));
  EXPECT_EQ((*Tokens(tx).find(digest("u")))->record.revoked_at, at(62));
  EXPECT_EQ(*Tokens(tx).remove_ended_before(at(60)), 0u);
  EXPECT_EQ(*Tokens(tx).remove_ended_before(at(61)), 1u);
  EXPECT_FALSE(Tokens(tx).find(digest("t"))->has_value());
  TokenRecord in_use = bare;
  in_use.id = TokenId::random();
  ASSERT_OK(Tokens(tx).add(in_use, digest("v")));
  TokenRecord expired = token;
  expired.id = TokenId::random();
  ASSERT_OK(Tokens(tx).add(expired, digest("w")));
  EXPECT_EQ(*Tokens(tx).remove_ended_before(at(101)), 2u) << "the revoked and the expired one";
  EXPECT_TRUE(Tokens(tx).find(digest("v"))->has_value());
}

TEST_F(AccountsTest, ACredentialIsFoundByAddressWithoutCase) {
  TenantTransaction tx = begin(tenant_);
  EXPECT_FALSE(find_credential(tx, "ada@example.org")->has_value());
  EXPECT_FALSE((*find_credential(tx, "ADA@example.COM"))->password_hash.has_value());
  ASSERT_OK(Users(tx).set_password_hash(user_.id, "$argon2id$x"));
  EXPECT_EQ((*find_credential(tx, "ada@example.com"))->password_hash, "$argon2id$x");
  EXPECT_EQ((*find_credential(tx, user_.id))->person.email, user_.email);
  EXPECT_FALSE(*replace_password_hash(tx, user_.id, "$argon2id$y", "$argon2id$z"));
  EXPECT_FALSE(*replace_password_hash(tx, UserId::random(), "$argon2id$x", "$argon2id$z"));
  EXPECT_TRUE(*replace_password_hash(tx, user_.id, "$argon2id$x", "$argon2id$z"));
  EXPECT_EQ((*find_credential(tx, user_.id))->password_hash, "$argon2id$z");
  TenantTransaction elsewhere = begin(new_tenant());
  EXPECT_FALSE(find_credential(elsewhere, user_.id)->has_value());
  EXPECT_FALSE(find_credential(elsewhere, "ada@example.com")->has_value());
}

class Attempts : public testing::Test {
 protected:
  bool locked() {
    const auto wait = attempts_.begin(key_, limit_);
    EXPECT_TRUE(wait.ok()) << wait.error().cause;
    last_wait_ = wait->value_or(milliseconds(0));
    return wait->has_value();
  }
  // As if so much time had passed.
  void pass(milliseconds time) {
    ASSERT_OK(superuser()->execute(
        "UPDATE oa.sign_in_attempts SET locked_until = locked_until - $2 * interval "
        "'1 millisecond', forget_at = forget_at - $2 * interval '1 millisecond' WHERE key = $1",
        {Parameter::of(ByteView(key_)), Parameter::of(static_cast<std::int64_t>(time.count()))}));
  }

  const AttemptLimit limit_;
  const Sha256Digest key_ = digest(Uuid::random().str());
  SignInAttempts attempts_{database()};
  milliseconds last_wait_{0};
};

TEST_F(Attempts, FiveLockAndTheWaitDoubles) {
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(locked()) << i;
  milliseconds wait = limit_.first_wait;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(locked());
    EXPECT_LE(last_wait_, wait);
    EXPECT_GT(last_wait_, wait - milliseconds(5'000));
    EXPECT_TRUE(locked());  // asking again changes nothing
    pass(wait);
    EXPECT_FALSE(locked());
    wait = std::min(wait * 2, limit_.longest_wait);
  }
}

TEST_F(Attempts, OldOnesAreForgotten) {
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(locked());
  pass(limit_.window);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(locked());
  EXPECT_TRUE(locked());
  pass(limit_.first_wait + limit_.window);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(locked());
}

TEST_F(Attempts, RowsThatCountNoMoreAreRemoved) {
  EXPECT_FALSE(locked());
  pass(limit_.window);
  ASSERT_OK(attempts_.begin(digest("another " + Uuid::random().str()), limit_));
  const auto rows = superuser()->query("SELECT FROM oa.sign_in_attempts WHERE key = $1",
                                       {Parameter::of(ByteView(key_))});
  EXPECT_EQ(rows->count(), 0);
}

TEST_F(Attempts, OneThatSucceededDoesNotCount) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(locked());
    ASSERT_OK(attempts_.take_back(key_, limit_));
  }
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(locked());
  ASSERT_OK(attempts_.take_back(key_, limit_));
  EXPECT_FALSE(locked());
  EXPECT_TRUE(locked());
  ASSERT_OK(attempts_.forget(key_));
  EXPECT_FALSE(locked());
}

TEST_F(Attempts, ManyAtOnceDoNotGetPast) {
  std::atomic<int> let_through = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        const auto wait = attempts_.begin(key_, limit_);
        if (wait.ok() && !wait->has_value()) ++let_through;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(let_through, 5);
}

}  // namespace
}  // namespace oa::catalog
