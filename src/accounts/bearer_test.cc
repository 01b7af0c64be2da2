#include "bearer.h"

#include <gtest/gtest.h>

#include <set>

namespace oa::accounts {
namespace {

TEST(Bearer, WhatIsMadeIsRead) {
  const TenantId tenant = TenantId::random();
  const NewBearer cookie = make_cookie(tenant);
  const auto read = read_cookie(cookie.text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->tenant, tenant);
  EXPECT_EQ(read->secret_hash, cookie.secret_hash);
  EXPECT_EQ(read->csrf_token, cookie.csrf_token);
  EXPECT_EQ(cookie.csrf_token.size(), 64u);
  const NewBearer token = make_token(tenant);
  EXPECT_TRUE(token.text.starts_with("oab_"));
  EXPECT_EQ(token.text.size(), 80u);
  EXPECT_EQ(read_token(token.text)->tenant, tenant);
  EXPECT_EQ(read_token(token.text)->secret_hash, token.secret_hash);
}

TEST(Bearer, NoTwoAreAlike) {
  const TenantId tenant = TenantId::random();
  std::set<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.insert(make_cookie(tenant).text);
  EXPECT_EQ(texts.size(), 100u);
}

TEST(Bearer, NothingElseIsRead) {
  const TenantId tenant = TenantId::random();
  const std::string cookie = make_cookie(tenant).text, token = make_token(tenant).text;
  EXPECT_FALSE(read_cookie(token).ok());
  EXPECT_FALSE(read_token(cookie).ok());
  for (const std::string& good : {cookie, token}) {
    const auto read = [&](const std::string& text) {
      const auto bearer = &good == &cookie ? read_cookie(text) : read_token(text);
      EXPECT_TRUE(bearer.ok() || bearer.error().code == ErrorCode::kTokenInvalid);
      return bearer.ok();
    };
    EXPECT_FALSE(read(""));
    EXPECT_FALSE(read(good + "A"));
    EXPECT_FALSE(read(good.substr(0, good.size() - 1)));
    EXPECT_FALSE(read(good + std::string(1 << 16, 'A')));
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char c : {'!', '\0', ' ', '=', '\xff'}) {
        std::string bad = good;
        bad[i] = c;
        EXPECT_FALSE(read(bad)) << i;
      }
    }
  }
}

// Two spellings of the same bytes would let what was refused once come back.
TEST(Bearer, EachSecretHasOneSpelling) {
  const std::string cookie = make_cookie(TenantId::random()).text;
  int accepted = 0;
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_")) {
    std::string other = cookie;
    other.back() = c;
    if (read_cookie(other).ok()) ++accepted;
  }
  EXPECT_EQ(accepted, 16);  // the last character holds four bits
}

}  // namespace
}  // namespace oa::accounts
