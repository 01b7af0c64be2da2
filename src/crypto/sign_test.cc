#include "oa/crypto/sign.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "oa/base/io.h"

namespace oa {
namespace {

Blake2bDigest digest_of(std::string_view message) { return Blake2b::of(as_bytes(message)); }

ErrorCode refusal(std::string_view signature, const PublicKey& key, std::string_view message) {
  const auto verified = verify_signature(signature, key, digest_of(message));
  return verified.ok() ? ErrorCode::kInternal : verified.error().code;
}

TEST(Sign, RoundTripAndDeterminism) {
  const SigningKey key = SigningKey::generate();
  const std::string signature = key.sign(digest_of("message"), "archive:1\tpath:a");
  EXPECT_EQ(signature,
            SigningKey::from_seed(key.seed())->sign(digest_of("message"), "archive:1\tpath:a"));
  EXPECT_EQ(verify_signature(signature, key.public_key(), digest_of("message"))->trusted_comment,
            "archive:1\tpath:a");
  EXPECT_EQ(refusal(signature, key.public_key(), "massage"), ErrorCode::kArchiveSignatureInvalid);
  EXPECT_EQ(refusal(signature, SigningKey::generate().public_key(), "message"),
            ErrorCode::kArchiveSignatureInvalid);
  EXPECT_TRUE(verify_signature(key.sign(digest_of(""), ""), key.public_key(), digest_of("")).ok());
}

TEST(Sign, SameKeyIdWithAnotherKeyIsRefused) {
  const SigningKey key = SigningKey::generate();
  const PublicKey impostor(key.public_key().id(), SigningKey::generate().public_key().bytes());
  EXPECT_EQ(refusal(key.sign(digest_of("m"), "c"), impostor, "m"),
            ErrorCode::kArchiveSignatureInvalid);
}

TEST(Sign, EveryDamagedByteBehindTheUntrustedCommentIsRefused) {
  const SigningKey key = SigningKey::generate();
  const std::string signature = key.sign(digest_of("m"), "trusted");
  for (std::size_t i = signature.find('\n'); i < signature.size(); ++i) {
    std::string damaged = signature;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_EQ(refusal(damaged, key.public_key(), "m"), ErrorCode::kArchiveSignatureInvalid) << i;
  }
  for (std::size_t length = 0; length < signature.size(); ++length) {
    EXPECT_EQ(refusal(signature.substr(0, length), key.public_key(), "m"),
              ErrorCode::kArchiveSignatureInvalid);
  }
}

TEST(Sign, OtherFormsAreRefused) {
  const SigningKey key = SigningKey::generate();
  const std::string signature = key.sign(digest_of("m"), "trusted");
  const auto refused = [&](const std::string& text) {
    return refusal(text, key.public_key(), "m") == ErrorCode::kArchiveSignatureInvalid;
  };
  EXPECT_TRUE(refused(signature + "\n"));
  EXPECT_TRUE(refused(signature + signature));
  EXPECT_TRUE(refused(" " + signature));
  EXPECT_TRUE(refused("untrusted comment: \x1b[2J" + signature.substr(signature.find('\n'))));
  EXPECT_TRUE(refused("untrusted comment: " + std::string(2000, 'x') +
                      signature.substr(signature.find('\n'))));
  std::string crlf;
  for (const char c : signature) crlf.append(c == '\n' ? "\r\n" : std::string(1, c));
  EXPECT_TRUE(refused(crlf));
}

TEST(PublicKeyText, RoundTripAndRefusals) {
  const PublicKey key = SigningKey::generate().public_key();
  EXPECT_EQ(*PublicKey::parse(key.base64()), key);
  EXPECT_EQ(*PublicKey::parse_file(key.file_text()), key);
  EXPECT_TRUE(key.base64().starts_with("RW"));
  EXPECT_EQ(key.fingerprint(), to_hex(Sha256::of(key.bytes())));
  for (const std::string& bad : {std::string(), key.base64() + "\n", key.base64().substr(1),
                                 "XX" + key.base64().substr(2)}) {
    EXPECT_EQ(PublicKey::parse(bad).error().code, ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(PublicKey::parse_file(key.base64()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(PublicKey::parse_file(key.file_text() + "x").error().code, ErrorCode::kInvalidArgument);
}

TEST(SigningSeed, HasOneSize) {
  EXPECT_EQ(SigningKey::from_seed(SecretBytes(39)).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(SigningKey::from_seed(SecretBytes()).error().code, ErrorCode::kInvalidArgument);
}

TEST(SigningKeyRaw, Rfc8032) {
  const auto secret = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  SecretBytes seed(SigningKey::kSeedSize);
  std::copy(secret->begin(), secret->end(), seed.mutable_view().begin() + 8);
  const SigningKey key = *SigningKey::from_seed(seed);
  EXPECT_EQ(to_hex(key.public_key().bytes()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(to_hex(key.sign_raw({})),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39"
            "701cf9b"
            "46bd25bf5f0595bbe24655141438e7a100b");
}

// Against the minisign program itself.
class Minisign : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-sign-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void put(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string get(const std::string& name) const {
    return std::string(as_text(*read_file(path(name), 1 << 20)));
  }
  int run(const std::string& arguments) const {
    return std::system(("cd " + folder_ + " && minisign " + arguments + " >out 2>&1").c_str());
  }

  std::string folder_;
};

TEST_F(Minisign, AcceptsOurSignaturesAndKeys) {
  const SigningKey key = SigningKey::generate();
  const std::string message(100'000, 'x');
  put("m", message);
  put("key.pub", key.public_key().file_text());
  put("m.minisig", key.sign(digest_of(message), "archive:17\tpath:workspaces/é.json\tsize:100000"));
  EXPECT_EQ(run("-V -H -m m -p key.pub"), 0) << get("out");
  EXPECT_NE(get("out").find("Trusted comment: archive:17\tpath:workspaces/é.json\tsize:100000\n"),
            std::string::npos);
  EXPECT_EQ(run("-V -m m -P " + key.public_key().base64()), 0) << get("out");
  put("m", message + "y");
  EXPECT_NE(run("-V -m m -p key.pub"), 0);
}

TEST_F(Minisign, ItsSignaturesVerifyHere) {
  put("m", "a message");
  ASSERT_EQ(run("-G -W -p key.pub -s key.sec"), 0) << get("out");
  ASSERT_EQ(run("-S -H -s key.sec -m m -t 'from the program'"), 0) << get("out");
  const PublicKey key = *PublicKey::parse_file(get("key.pub"));
  // The program prints key ids without leading zeros.
  const std::string shown = key.key_id().substr(key.key_id().find_first_not_of('0'));
  EXPECT_NE(get("key.pub").find("minisign public key " + shown + "\n"), std::string::npos);
  EXPECT_EQ(verify_signature(get("m.minisig"), key, digest_of("a message"))->trusted_comment,
            "from the program");
  EXPECT_EQ(refusal(get("m.minisig"), key, "b message"), ErrorCode::kArchiveSignatureInvalid);

  ASSERT_EQ(run("-S -l -s key.sec -m m"), 0) << get("out");
  EXPECT_EQ(refusal(get("m.minisig"), key, "a message"), ErrorCode::kArchiveSignatureInvalid)
      << "the form that is not prehashed is refused";
}

}  // namespace
}  // namespace oa
