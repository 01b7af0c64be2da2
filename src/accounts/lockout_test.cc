// Failing too often.
#include <cstdio>
#include <thread>

#include "accounts_testkit.h"
#include "attempt.h"

namespace oa::accounts {
namespace {

using std::chrono::milliseconds;

class LockOut : public AccountsFixture {
 protected:
  static SignInRules rules(milliseconds first_wait = milliseconds(30'000)) {
    SignInRules rules = quick_rules();
    rules.account.first_wait = rules.address.first_wait = first_wait;
    rules.address.attempts = 8;
    return rules;
  }
  ErrorCode attempt(Accounts& accounts, const SignIn& request) {
    const auto signed_in = accounts.sign_in(request);
    return signed_in.ok() ? ErrorCode::kInternal : signed_in.error().code;
  }
  Accounts strict_{database_, rules()};
};

TEST_F(LockOut, AfterFiveFailuresAnAccountWaits) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(attempt(strict_, request("wrong horse")), ErrorCode::kSignInRefused);
  // The right password too, in another process too, from anywhere.
  Accounts other_process(database_, rules());
  SignIn from_elsewhere = request();
  from_elsewhere.peer_address = "elsewhere " + peer_;
  const auto locked = other_process.sign_in(from_elsewhere);
  ASSERT_FALSE(locked.ok());
  EXPECT_EQ(locked.error().code, ErrorCode::kLockedOut);
  int seconds = 0;
  EXPECT_EQ(std::sscanf(locked.error().hint.c_str(), "try again in %d seconds", &seconds), 1);
  EXPECT_GT(seconds, 0);
  EXPECT_LE(seconds, 30);
}

TEST_F(LockOut, AfterTheWaitTheRightPasswordBeginsAnew) {
  constexpr milliseconds kWait{20};
  Accounts brief(database_, rules(kWait));
  for (int round = 0; round < 2; ++round) {
    SignIn from = request("wrong horse");
    from.peer_address += std::to_string(round);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt(brief, from), ErrorCode::kSignInRefused);
    std::this_thread::sleep_for(2 * kWait);
    from.password = secret(kPassword);
    EXPECT_TRUE(brief.sign_in(from).ok());
  }
}

TEST_F(LockOut, TheOperatorEndsIt) {
  for (int i = 0; i < 5; ++i) (void)attempt(strict_, request("wrong horse"));
  EXPECT_EQ(attempt(strict_, request()), ErrorCode::kLockedOut);
  ASSERT_OK(strict_.set_password(tenant_.id, ada_, secret("new horse")));
  EXPECT_TRUE(strict_.sign_in(request("new horse")).ok());
}

TEST_F(LockOut, WhoDoesNotExistIsLockedOutAlike) {
  for (const bool tenant_exists : {true, false}) {
    SignIn stranger = request();
    stranger.peer_address += tenant_exists ? "a" : "b";
    if (!tenant_exists) stranger.organisation = "nobody " + Uuid::random().str();
    stranger.email = "eve@example.com";
    for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt(strict_, stranger), ErrorCode::kSignInRefused);
    EXPECT_EQ(attempt(strict_, stranger), ErrorCode::kLockedOut);
  }
}

TEST_F(LockOut, AnAddressThatTriesManyAccountsWaits) {
  SignIn sprayed = request("wrong horse");
  for (int i = 0; i < 8; ++i) {
    sprayed.organisation = "nobody " + std::to_string(i) + peer_;
    EXPECT_EQ(attempt(strict_, sprayed), ErrorCode::kSignInRefused) << i;
  }
  EXPECT_EQ(attempt(strict_, request()), ErrorCode::kLockedOut);
  SignIn from_elsewhere = request();
  from_elsewhere.peer_address = "elsewhere " + peer_;
  EXPECT_TRUE(strict_.sign_in(from_elsewhere).ok());
}

TEST_F(LockOut, WhoSignsInDoesNotCountAgainstTheAddress) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(strict_.sign_in(request()).ok()) << i;
}

TEST_F(LockOut, AWrongPresentPasswordCounts) {
  const SignedIn ada = signed_in();
  const auto change = [&](std::string_view present) {
    return strict_.change_password(ada.identity, secret(present), secret("new horse"), "trace");
  };
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(change("wrong horse").error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(change(kPassword).error().code, ErrorCode::kLockedOut);
}

TEST(AttemptKeys, OneForEachAccountAndNetwork) {
  const TenantId tenant = TenantId::random();
  EXPECT_EQ(account_key(tenant, "a", "Ada@x"), account_key(tenant, "b", "ada@X"));
  EXPECT_NE(account_key(tenant, "", "ada@x"), account_key(tenant, "", "ada@y"));
  EXPECT_NE(account_key(tenant, "", "ada@x"), account_key(TenantId::random(), "", "ada@x"));
  EXPECT_NE(account_key({}, "a", "bc"), account_key({}, "ab", "c"));
  EXPECT_EQ(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:2:ffff::9"));
  EXPECT_NE(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:3::1"));
  EXPECT_EQ(address_key("192.0.2.1"), address_key("::ffff:192.0.2.1"));
  EXPECT_NE(address_key("192.0.2.1"), address_key("192.0.2.2"));
}

}  // namespace
}  // namespace oa::accounts
