// Signing in and out, and who somebody is then.
#include "oa/accounts/accounts.h"

#include <atomic>
#include <boost/json.hpp>
#include <thread>

#include "accounts_testkit.h"
#include "oa/catalog/repositories.h"

namespace oa::accounts {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Timestamp in(std::chrono::microseconds time) { return {Timestamp::now().unix_us + time.count()}; }

class SigningIn : public AccountsFixture {
 protected:
  std::vector<AuditEvent> events() {
    std::vector<AuditEvent> all;
    auto transaction = database_.begin(tenant_.id);
    catalog::Audit(*transaction)
        .for_each([&](const AuditEvent& event) {
          all.push_back(event);
          return Status();
        })
        .value();
    return all;
  }
  void change_user(const std::function<void(catalog::User&)>& change) {
    auto transaction = database_.begin(tenant_.id);
    auto user = catalog::Users(*transaction).get(ada_).value();
    change(user);
    catalog::Users(*transaction).put({&user, 1}).value();
    transaction->commit().value();
  }
};

TEST_F(SigningIn, ThePasswordOpensASession) {
  const SignedIn signed_in = this->signed_in();
  EXPECT_EQ(signed_in.identity.tenant, tenant_.id);
  EXPECT_EQ(signed_in.identity.user, ada_);
  EXPECT_EQ(signed_in.identity.email, "Ada@example.com");
  EXPECT_TRUE(signed_in.identity.owner);
  EXPECT_TRUE(signed_in.identity.may_back_up());
  EXPECT_FALSE(signed_in.identity.scopes.has_value());
  const auto identity = accounts_.from_cookie(signed_in.cookie, Timestamp::now());
  ASSERT_OK(identity);
  EXPECT_EQ(identity->user, ada_);
  EXPECT_EQ(identity->tenant, tenant_.id);
  EXPECT_EQ(identity->session, signed_in.identity.session);
  EXPECT_EQ(identity->csrf_token, signed_in.identity.csrf_token);
  EXPECT_FALSE(identity->csrf_token.empty());
}

TEST_F(SigningIn, WhateverIsWrongTheAnswerIsTheSame) {
  const auto expect_same = [&](const SignIn& request) {
    const auto refused = accounts_.sign_in(request);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kSignInRefused);
    EXPECT_EQ(refused.error().message,
              "the organisation, the e-mail address or the password is wrong");
    EXPECT_TRUE(refused.error().cause.empty());
  };
  expect_same(request("wrong horse"));
  SignIn other = request();
  other.organisation = "nobody";
  expect_same(other);
  other = request();
  other.email = "eve@example.com";
  expect_same(other);
  other.email = "ada@example.com\xff";
  expect_same(other);
  other.email = std::string("ada@example.com\0", 16);
  expect_same(other);
  other.email.assign(100'000, 'x');
  expect_same(other);
  // Without a password nobody signs in, whatever is typed.
  testkit::make_user(tenant_.id, "bob@example.com");
  other.email = "bob@example.com";
  expect_same(other);
  other.password = SecretBytes();
  expect_same(other);
  change_user([](catalog::User& user) { user.active = false; });
  expect_same(request());
}

TEST_F(SigningIn, ARefusalTakesItsTime) {
  SignInRules rules;
  rules.refusal = std::chrono::milliseconds(400);
  Accounts slow(database_, rules);
  SignIn nobody = request();
  nobody.organisation = "nobody";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(slow.sign_in(nobody).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - start, rules.refusal);
}

TEST_F(SigningIn, RightsAreReadAnew) {
  const UserId bob = testkit::make_user(tenant_.id, "bob@example.com");
  ASSERT_OK(accounts_.set_password(tenant_.id, bob, secret(kPassword)));
  SignIn request = this->request();
  request.email = "bob@example.com";
  const auto signed_in = accounts_.sign_in(request);
  ASSERT_OK(signed_in);
  EXPECT_FALSE(signed_in->identity.may_back_up());
  catalog::Workspace workspace;
  workspace.id = WorkspaceId::random();
  workspace.roles = {{catalog::PrincipalKind::kUser, bob.uuid(), catalog::Role::kAdmin}};
  auto transaction = database_.begin(tenant_.id);
  ASSERT_OK(catalog::Workspaces(*transaction).put({&workspace, 1}));
  ASSERT_OK(transaction->commit());
  const auto identity = accounts_.from_cookie(signed_in->cookie, Timestamp::now());
  ASSERT_OK(identity);
  EXPECT_TRUE(identity->admin_in(workspace.id));
  EXPECT_FALSE(identity->admin_in(WorkspaceId::random()));
  EXPECT_TRUE(identity->may_back_up());
  EXPECT_FALSE(identity->owner);
}

TEST_F(SigningIn, ASessionEndsByItself) {
  const SignedIn signed_in = this->signed_in();
  const auto code = [&](std::chrono::microseconds later) {
    const auto identity = accounts_.from_cookie(signed_in.cookie, in(later));
    return identity.ok() ? std::nullopt : std::optional(identity.error().code);
  };
  EXPECT_EQ(code(hours(13)), ErrorCode::kTokenExpired);
  EXPECT_EQ(code(hours(11)), std::nullopt);  // a use, which counts from now on
  EXPECT_EQ(code(hours(22)), std::nullopt);
  for (int hour = 33; hour < 7 * 24; hour += 11) EXPECT_EQ(code(hours(hour)), std::nullopt) << hour;
  EXPECT_EQ(code(hours(7 * 24) + minutes(1)), ErrorCode::kTokenExpired);
  EXPECT_GT(signed_in.expires_at, in(hours(7 * 24) - minutes(5)));
  EXPECT_LT(signed_in.expires_at, in(hours(7 * 24) + minutes(5)));
}

TEST_F(SigningIn, AUseIsWrittenOnceAMinute) {
  const SignedIn signed_in = this->signed_in();
  // Twelve hours less half a minute after a use that was not written: the one before counts.
  ASSERT_OK(accounts_.from_cookie(signed_in.cookie, in(std::chrono::seconds(40))));
  EXPECT_FALSE(
      accounts_.from_cookie(signed_in.cookie, in(hours(12) + std::chrono::seconds(20))).ok());
  ASSERT_OK(accounts_.from_cookie(signed_in.cookie, in(minutes(2))));
  ASSERT_OK(accounts_.from_cookie(signed_in.cookie, in(hours(12) + minutes(1))));
}

TEST_F(SigningIn, SignedOutIsOut) {
  const SignedIn first = signed_in(), second = signed_in();
  ASSERT_OK(accounts_.sign_out(first.identity, "trace"));
  EXPECT_EQ(accounts_.from_cookie(first.cookie, Timestamp::now()).error().code,
            ErrorCode::kTokenInvalid);
  ASSERT_OK(accounts_.from_cookie(second.cookie, Timestamp::now()));
  const SignedIn third = signed_in();
  ASSERT_OK(accounts_.sign_out_everywhere(third.identity, "trace"));
  for (const auto& ended : {second.cookie, third.cookie}) {
    EXPECT_EQ(accounts_.from_cookie(ended, Timestamp::now()).error().code,
              ErrorCode::kTokenInvalid);
  }
}

TEST_F(SigningIn, WhoIsMadeInactiveIsOut) {
  const SignedIn signed_in = this->signed_in();
  change_user([](catalog::User& user) { user.active = false; });
  EXPECT_EQ(accounts_.from_cookie(signed_in.cookie, Timestamp::now()).error().code,
            ErrorCode::kTokenInvalid);
}

TEST_F(SigningIn, WhetherItStillHoldsIsKnownWithoutItsSecret) {
  const Identity here = signed_in().identity, elsewhere = signed_in().identity;
  const auto token =
      accounts_.make_token(here, {"ci", {Scope::kRead}, in(hours(20))}, "trace").value().record.id;
  const auto held = [&](std::chrono::microseconds from_now = {}) {
    const auto found = accounts_.holding(tenant_.id, {*here.session, *elsewhere.session}, {token},
                                         in(from_now));
    std::set<std::string> names;
    for (const auto& [id, owner] : *found) {
      const std::string name = id == here.session->uuid() ? "here"
                               : id == token.uuid()       ? "token"
                                                          : "elsewhere";
      names.insert(name + (owner ? "" : ", not an Owner"));
    }
    return names;
  };
  using Names = std::set<std::string>;
  EXPECT_EQ(held(), (Names{"here", "elsewhere", "token"}));
  EXPECT_EQ(held(hours(13)), Names{"token"});  // nobody used the sessions
  EXPECT_EQ(held(hours(21)), Names{});
  ASSERT_OK(accounts_.sign_out(elsewhere, "trace"));
  EXPECT_EQ(held(), (Names{"here", "token"}));
  ASSERT_OK(accounts_.revoke_token(here, token, "trace"));
  EXPECT_EQ(held(), Names{"here"});
  const auto other = testkit::make_tenant();
  EXPECT_TRUE(accounts_.holding(other.id, {*here.session}, {token}, in({})).value().empty());
  change_user([](catalog::User& user) { user.owner = false; });
  EXPECT_EQ(held(), Names{"here, not an Owner"});
  change_user([](catalog::User& user) { user.active = false; });
  EXPECT_EQ(held(), Names{});
}

TEST_F(SigningIn, ACookieOfOneTenantIsNothingToAnother) {
  const SignedIn signed_in = this->signed_in();
  const catalog::Tenant other = testkit::make_tenant();
  for (const auto& tenant : {other.id, TenantId::random()}) {
    const std::string forged = tenant.str() + signed_in.cookie.substr(36);
    EXPECT_EQ(accounts_.from_cookie(forged, Timestamp::now()).error().code,
              ErrorCode::kTokenInvalid);
  }
  // The same address in two organisations are two people.
  const UserId namesake = testkit::make_user(other.id, "ada@example.com", true);
  ASSERT_OK(accounts_.set_password(other.id, namesake, secret("another horse")));
  SignIn crossed = request("another horse");
  EXPECT_EQ(refusal(crossed), ErrorCode::kSignInRefused);
  crossed = request("another horse");
  crossed.organisation = other.name;
  EXPECT_EQ(accounts_.sign_in(crossed)->identity.user, namesake);
}

TEST_F(SigningIn, PasswordsChange) {
  const SignedIn here = signed_in(), elsewhere = signed_in();
  const auto change = [&](std::string_view present, std::string_view next) {
    return accounts_.change_password(here.identity, secret(present), secret(next), "trace");
  };
  EXPECT_EQ(change("wrong horse", "new horse").error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(change(kPassword, "password").error().code, ErrorCode::kInvalidArgument);
  const auto token = [&] {
    return accounts_.make_token(here.identity, {"ci", {Scope::kRead}, std::nullopt}, "trace")
        .value()
        .token;
  };
  const auto works = [&](const std::string& text) {
    return accounts_.from_token(text, Timestamp::now()).ok();
  };
  const std::string before = token();
  EXPECT_FALSE(change("wrong horse", "new horse").ok());
  EXPECT_TRUE(works(before));
  ASSERT_OK(change(kPassword, "new horse"));
  EXPECT_FALSE(works(before));
  EXPECT_EQ(change(kPassword, "old horse").error().code, ErrorCode::kPermissionDenied);
  ASSERT_OK(accounts_.from_cookie(here.cookie, Timestamp::now()));
  EXPECT_EQ(accounts_.from_cookie(elsewhere.cookie, Timestamp::now()).error().code,
            ErrorCode::kTokenInvalid);
  EXPECT_EQ(refusal(request()), ErrorCode::kSignInRefused);
  ASSERT_OK(accounts_.sign_in(request("new horse")));
  // The operator's ends all of them.
  const std::string after = token();
  EXPECT_TRUE(works(after));
  ASSERT_OK(accounts_.set_password(tenant_.id, ada_, secret("third horse")));
  EXPECT_FALSE(works(after));
  EXPECT_FALSE(accounts_.from_cookie(here.cookie, Timestamp::now()).ok());
  EXPECT_EQ(accounts_.set_password(tenant_.id, UserId::random(), secret(kPassword)).error().code,
            ErrorCode::kNotFound);
}

TEST_F(SigningIn, AWrongPresentPasswordIsInTheAuditChain) {
  const SignedIn here = signed_in();
  EXPECT_FALSE(
      accounts_.change_password(here.identity, secret("wrong horse"), secret("new horse"), "trace")
          .ok());
  const auto event = events().back();
  EXPECT_EQ(event.action, "auth.login.failure");
  EXPECT_EQ(event.actor_id, ada_.uuid());
  EXPECT_EQ(event.detail.str(), R"({"at":"password_change","reason":"password"})");
}

TEST_F(SigningIn, OfTwoChangesAtOnceOneHolds) {
  const SignedIn here = signed_in();
  std::atomic<int> changed = 0, denied = 0;
  std::vector<std::thread> threads;
  for (const std::string next : {"first horse", "second horse"}) {
    threads.emplace_back([&, next] {
      const auto done =
          accounts_.change_password(here.identity, secret(kPassword), secret(next), "trace");
      changed += done.ok() ? 1 : 0;
      denied += !done.ok() && done.error().code == ErrorCode::kPermissionDenied ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(denied, 1);
}

TEST_F(SigningIn, TheAuditChainTellsOfItWithoutSecrets) {
  signed_in();
  EXPECT_EQ(refusal(request("wrong horse")), ErrorCode::kSignInRefused);
  SignIn stranger = request();
  stranger.email = "hunter2 typed into the wrong field";
  EXPECT_EQ(refusal(stranger), ErrorCode::kSignInRefused);
  ASSERT_OK(accounts_.sign_out(signed_in().identity, "trace"));
  std::string actions, all;
  for (const auto& event : events()) {
    actions += event.action + " ";
    EXPECT_EQ(event.detail.str().find("example.com"), std::string::npos);
    EXPECT_EQ(event.detail.str().find(peer_), std::string::npos);
    all += audit_to_json(event);
  }
  EXPECT_EQ(actions,
            "user.password.change auth.login.success auth.login.failure auth.login.failure "
            "auth.login.success auth.logout ");
  for (const char* secret : {"horse", "hunter2", "argon2"})
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  const auto failure = events()[2];
  EXPECT_EQ(failure.actor_id, ada_.uuid());
  EXPECT_EQ(failure.personal.at("actor.ip").value, peer_);
  EXPECT_EQ(failure.detail.str(), R"({"reason":"password"})");
  EXPECT_FALSE(events()[3].actor_id.has_value());
}

}  // namespace
}  // namespace oa::accounts
