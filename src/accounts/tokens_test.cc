// API tokens.
#include "accounts_testkit.h"

namespace oa::accounts {
namespace {

class TokensTest : public AccountsFixture {
 protected:
  Identity ada() { return signed_in().identity; }
  ErrorCode use(const std::string& token, Timestamp now = Timestamp::now()) {
    const auto identity = accounts_.from_token(token, now);
    return identity.ok() ? ErrorCode::kInternal : identity.error().code;
  }
};

TEST_F(TokensTest, ATokenIsItsPersonWithinItsScopes) {
  const auto made =
      accounts_.make_token(ada(), {"ci", {Scope::kRead, Scope::kBackup}, std::nullopt}, "trace");
  ASSERT_OK(made);
  const auto identity = accounts_.from_token(made->token, Timestamp::now());
  ASSERT_OK(identity);
  EXPECT_EQ(identity->user, ada_);
  EXPECT_EQ(identity->tenant, tenant_.id);
  EXPECT_TRUE(identity->owner);
  EXPECT_EQ(identity->token, made->record.id);
  EXPECT_FALSE(identity->session.has_value());
  EXPECT_EQ(identity->scopes, (std::set{Scope::kRead, Scope::kBackup}));
  const auto listed = accounts_.tokens(*identity);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().name, "ci");
  EXPECT_TRUE(listed->front().last_used_at.has_value());
  // It makes no session, and is none.
  EXPECT_EQ(accounts_.sign_out(*identity, "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(accounts_.from_cookie(made->token, Timestamp::now()).error().code,
            ErrorCode::kTokenInvalid);
  EXPECT_EQ(
      accounts_.change_password(*identity, secret(kPassword), secret("new horse"), "").error().code,
      ErrorCode::kPermissionDenied);
}

TEST_F(TokensTest, ATokenEnds) {
  const Timestamp soon{Timestamp::now().unix_us + 3'600'000'000};
  const auto made = accounts_.make_token(ada(), {"ci", {Scope::kRead}, soon}, "trace");
  ASSERT_OK(made);
  EXPECT_EQ(use(made->token), ErrorCode::kInternal);
  EXPECT_EQ(use(made->token, soon), ErrorCode::kTokenExpired);
  ASSERT_OK(accounts_.revoke_token(ada(), made->record.id, "trace"));
  EXPECT_EQ(use(made->token), ErrorCode::kTokenInvalid);
  EXPECT_EQ(accounts_.revoke_token(ada(), made->record.id, "").error().code, ErrorCode::kNotFound);
}

TEST_F(TokensTest, ATokenOfOneTenantIsNothingToAnother) {
  const auto made = accounts_.make_token(ada(), {"ci", {Scope::kRead}, std::nullopt}, "trace");
  const catalog::Tenant other = testkit::make_tenant();
  std::string forged = made->token;
  forged.replace(4, 32, to_hex(other.id.uuid().raw()));
  EXPECT_EQ(use(forged), ErrorCode::kTokenInvalid);
  // Nor may its people, or anybody else, revoke it.
  Identity stranger = ada();
  stranger.tenant = other.id;
  EXPECT_EQ(accounts_.revoke_token(stranger, made->record.id, "").error().code,
            ErrorCode::kNotFound);
  Identity colleague = ada();
  colleague.user = testkit::make_user(tenant_.id, "bob@example.com");
  EXPECT_EQ(accounts_.revoke_token(colleague, made->record.id, "").error().code,
            ErrorCode::kNotFound);
  EXPECT_TRUE(accounts_.tokens(colleague)->empty());
  EXPECT_EQ(use(made->token), ErrorCode::kInternal);
}

TEST_F(TokensTest, WhatMakesNoSenseIsRefused) {
  const Identity ada = this->ada();
  const auto code = [&](const Identity& who, NewToken token) {
    const auto made = accounts_.make_token(who, token, "");
    return made.ok() ? ErrorCode::kInternal : made.error().code;
  };
  EXPECT_EQ(code(ada, {"", {Scope::kRead}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(ada, {std::string(600, 'x'), {Scope::kRead}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(ada, {"x", {}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(ada, {"x", {Scope::kRead}, Timestamp{1}}), ErrorCode::kInvalidArgument);
  const auto admin = accounts_.make_token(ada, {"admin", {Scope::kAdmin}, std::nullopt}, "");
  ASSERT_OK(admin);
  const auto by_token = accounts_.from_token(admin->token, Timestamp::now());
  ASSERT_OK(by_token);
  EXPECT_EQ(code(*by_token, {"x", {Scope::kAdmin}, {}}), ErrorCode::kPermissionDenied);
  for (int i = 1; i < 100; ++i)
    EXPECT_EQ(code(ada, {"x", {Scope::kRead}, {}}), ErrorCode::kInternal);
  EXPECT_EQ(code(ada, {"x", {Scope::kRead}, {}}), ErrorCode::kLimitExceeded);
}

TEST_F(TokensTest, ScopesHaveTexts) {
  for (const char* text : {"read", "reports", "datasets", "backup", "restore", "admin"})
    EXPECT_EQ(to_text(parse_scope(text).value()), text);
  EXPECT_EQ(parse_scope("root").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace oa::accounts
