#include "oa/crypto/secret.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <type_traits>

#include "oa/crypto/aead.h"
#include "oa/crypto/kdf.h"

namespace oa {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes>);

SecretBytes secret_of(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

TEST(SecretBytes, MovesAndClones) {
  SecretBytes first = secret_of("key");
  SecretBytes second = std::move(first);
  EXPECT_EQ(as_text(second.view()), "key");
  const SecretBytes third = second.clone();
  second = SecretBytes(5);
  EXPECT_EQ(to_hex(second.view()), "0000000000");
  EXPECT_EQ(as_text(third.view()), "key");
  EXPECT_TRUE(SecretBytes().empty());
  EXPECT_TRUE(SecretBytes().clone().empty());
}

TEST(SecretBytes, RandomIsNotRepeated) {
  EXPECT_FALSE(constant_time_equal(SecretBytes::random(32).view(), SecretBytes::random(32).view()));
}

TEST(SecretBytes, ComesOutOfStrictBase64) {
  EXPECT_EQ(as_text(secret_from_base64("a2V5cw==")->view()), "keys");
  EXPECT_EQ(as_text(secret_from_base64("a2V5")->view()), "key");
  EXPECT_TRUE(secret_from_base64("")->empty());
  for (const char* bad :
       {"a2V5cw", "a2V5cw=", "a2V5 cw==", "a2V5cw==a2V5", "a2V5cx==", "-_-_", "a"})
    EXPECT_FALSE(secret_from_base64(bad).ok()) << bad;
}

TEST(ConstantTimeEqual, ComparesLengthAndContent) {
  EXPECT_TRUE(constant_time_equal(as_bytes("same"), as_bytes("same")));
  EXPECT_FALSE(constant_time_equal(as_bytes("same"), as_bytes("sane")));
  EXPECT_FALSE(constant_time_equal(as_bytes("same"), as_bytes("sam")));
  EXPECT_TRUE(constant_time_equal({}, {}));
}

TEST(ForbidCoreDumps, TurnsThemOff) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    forbid_core_dumps();
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    _exit(limit.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(WrapSecret, OpensOnlyWithItsKeyAndContext) {
  const SecretBytes key = SecretBytes::random(32);
  const Bytes wrapped = wrap_secret(key, "tenant a", secret_of("data key"));
  EXPECT_EQ(wrapped.size(), 8 + kWrapOverhead);
  EXPECT_NE(wrapped, wrap_secret(key, "tenant a", secret_of("data key")));
  EXPECT_EQ(as_text(unwrap_secret(key, "tenant a", wrapped)->view()), "data key");
  EXPECT_EQ(unwrap_secret(key, "tenant b", wrapped).error().code, ErrorCode::kKeyWrong);
  EXPECT_EQ(unwrap_secret(SecretBytes::random(32), "tenant a", wrapped).error().code,
            ErrorCode::kKeyWrong);
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    Bytes damaged = wrapped;
    damaged[i] ^= 1;
    EXPECT_EQ(unwrap_secret(key, "tenant a", damaged).error().code, ErrorCode::kKeyWrong) << i;
    EXPECT_EQ(unwrap_secret(key, "tenant a", ByteView(wrapped).first(i)).error().code,
              ErrorCode::kKeyWrong);
  }
}

TEST(Argon2, DependsOnPassphraseSaltAndCost) {
  const Argon2Cost cheap{1, 8 << 20};
  const Bytes salt(kArgon2SaltSize, 1);
  const auto derive = [](std::string_view passphrase, ByteView with_salt, const Argon2Cost& cost) {
    return to_hex(derive_from_passphrase(secret_of(passphrase), with_salt, cost, 32)->view());
  };
  const std::string key = derive("open", salt, cheap);
  EXPECT_EQ(derive("open", salt, cheap), key);
  EXPECT_NE(derive("opem", salt, cheap), key);
  EXPECT_NE(derive("open", Bytes(kArgon2SaltSize, 2), cheap), key);
  EXPECT_NE(derive("open", salt, {2, 8 << 20}), key);
  EXPECT_NE(derive("", salt, cheap), key);
}

TEST(Argon2, RefusesCostsThatAreOutOfRange) {
  const Bytes salt(kArgon2SaltSize, 1);
  const auto code = [&](const Argon2Cost& cost, ByteView with_salt) {
    return derive_from_passphrase(secret_of("p"), with_salt, cost, 32).error().code;
  };
  EXPECT_EQ(code({0, 8 << 20}, salt), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1'000'000, 8 << 20}, salt), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1, std::uint64_t{1} << 50}, salt), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1, 1}, salt), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1, 8 << 20}, Bytes(8, 1)), ErrorCode::kInvalidArgument);
}

TEST(Password, VerifiesOnlyItself) {
  const std::string hash = *hash_password(secret_of("correct horse"));
  EXPECT_TRUE(hash.starts_with("$argon2id$"));
  EXPECT_TRUE(verify_password(hash, secret_of("correct horse")));
  EXPECT_FALSE(verify_password(hash, secret_of("correct hors")));
  EXPECT_FALSE(verify_password("", secret_of("correct horse")));
  EXPECT_FALSE(verify_password("$argon2id$", SecretBytes()));
}

}  // namespace
}  // namespace oa
