#include "passwords.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "oa/accounts/accounts.h"
#include "oa/crypto/kdf.h"

namespace oa::accounts {
namespace {

SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

TEST(Passwords, ShortLongAndCommonOnesAreRefused) {
  const auto good = [](std::string_view text) {
    return check_password(secret(text), "ada@example.com").ok();
  };
  EXPECT_TRUE(good("correct horse battery"));
  EXPECT_TRUE(good("xk3-dolp"));
  EXPECT_TRUE(good(std::string(1024, 'x')));
  EXPECT_FALSE(good(""));
  EXPECT_FALSE(good("xk3-dol"));
  EXPECT_FALSE(good(std::string(1025, 'x')));
  EXPECT_FALSE(good("password"));
  EXPECT_FALSE(good("PassWord1"));
  EXPECT_FALSE(good("123456789"));
  EXPECT_FALSE(good("Ada@example.com"));
  EXPECT_EQ(check_password(secret("x"), "").error().code, ErrorCode::kInvalidArgument);
}

TEST(Passwords, AMadeOneIsGood) {
  EXPECT_EQ(make_password().size(), 20u);
  EXPECT_NE(make_password(), make_password());
  EXPECT_TRUE(check_password(secret(make_password()), "").ok());
}

TEST(Passwords, HashesAreArgon2idAndVerify) {
  const auto hash = hash_bounded(secret("correct horse"));
  ASSERT_TRUE(hash.ok());
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << *hash;
  EXPECT_TRUE(*verify_bounded(PasswordWork::kSignIn, *hash, secret("correct horse")));
  EXPECT_FALSE(*verify_bounded(PasswordWork::kSignIn, *hash, secret("correct hors")));
  EXPECT_FALSE(*verify_bounded(PasswordWork::kSignIn, std::nullopt, secret("correct horse")));
}

// The stand-in for nobody's hash must not be told from a real one that does not match: a text that
// libsodium could not read would be refused at once.
TEST(Passwords, NobodysCostsAsMuch) {
  using Clock = std::chrono::steady_clock;
  const auto hash = hash_bounded(secret("correct horse")).value();
  const auto best = [&](const std::optional<std::string>& of) {
    auto least = Clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      const auto start = Clock::now();
      EXPECT_FALSE(*verify_bounded(PasswordWork::kSignIn, of, secret("wrong")));
      least = std::min(least, Clock::now() - start);
    }
    return least;
  };
  EXPECT_GT(best(std::nullopt) * 2, best(hash));
}

TEST(Passwords, ManyAtOnceAreServedOrTurnedAway) {
  std::atomic<int> served = 0, turned_away = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] {
      const auto verified = verify_bounded(PasswordWork::kSignIn, std::nullopt, secret("x"));
      if (verified.ok()) {
        ++served;
      } else if (verified.error().code == ErrorCode::kOverloaded) {
        ++turned_away;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served + turned_away, 40);
  EXPECT_GE(served, 16);
  EXPECT_TRUE(verify_bounded(PasswordWork::kSignIn, std::nullopt, secret("x")).ok());
}

TEST(Passwords, ACrowdThatSignsInKeepsNoChangeWaiting) {
  constexpr int kCrowd = 14;
  std::atomic<int> signed_in = 0;
  std::vector<std::thread> crowd;
  for (int i = 0; i < kCrowd; ++i) {
    crowd.emplace_back([&] {
      EXPECT_TRUE(verify_bounded(PasswordWork::kSignIn, std::nullopt, secret("x")).ok());
      ++signed_in;
    });
  }
  while (signed_in == 0) std::this_thread::yield();  // now the others wait
  const int before = signed_in;
  EXPECT_TRUE(hash_bounded(secret("correct horse")).ok());
  EXPECT_LE(signed_in - before, 5) << "those that ran already, and one that was due";
  for (auto& each : crowd) each.join();
}

}  // namespace
}  // namespace oa::accounts
