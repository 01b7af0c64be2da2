// A tenant with an Owner who has a password.
#pragma once

#include "oa/accounts/accounts.h"
#include "shared_database.h"

namespace oa::accounts {

inline SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

/// Refusals without delay, and as few as the test needs.
inline SignInRules quick_rules() {
  SignInRules rules;
  rules.refusal = std::chrono::milliseconds(0);
  return rules;
}

class AccountsFixture : public testing::Test {
 protected:
  static constexpr std::string_view kPassword = "correct horse";
  AccountsFixture()
      : tenant_(testkit::make_tenant()),
        ada_(testkit::make_user(tenant_.id, "Ada@example.com", true)) {
    accounts_.set_password(tenant_.id, ada_, secret(kPassword)).value();
  }

  SignIn request(std::string_view password = kPassword) const {
    return {tenant_.name, "ada@example.com", secret(password), peer_, "trace"};
  }
  SignedIn signed_in() { return accounts_.sign_in(request()).value(); }
  ErrorCode refusal(const SignIn& request) {
    const auto refused = accounts_.sign_in(request);
    EXPECT_FALSE(refused.ok());
    return refused.ok() ? ErrorCode::kInternal : refused.error().code;
  }

  catalog::Database& database_ = testkit::shared_database();
  const catalog::Tenant tenant_;
  const UserId ada_;
  // Attempts of one test must not count for the next.
  const std::string peer_ = "peer " + Uuid::random().str();
  Accounts accounts_{database_, quick_rules()};
};

}  // namespace oa::accounts
