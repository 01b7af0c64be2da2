#include "oa/crypto/key_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "oa/base/io.h"

namespace oa {
namespace {

constexpr ScryptCost kCheap{std::uint64_t{1} << 15, std::uint64_t{16} << 20};
constexpr std::size_t kRecordSize = 158;

SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

std::string text_of(const SecretBytes& bytes) { return std::string(as_text(bytes.view())); }

Bytes record_of(const std::string& text) {
  const auto begin = text.find('\n') + 1;
  return *from_base64(text.substr(begin, text.size() - begin - 1));
}

std::string with_record(const Bytes& record) {
  return "untrusted comment: a key\n" + to_base64(record) + "\n";
}

ErrorCode refusal(const std::string& text, std::string_view passphrase = "right") {
  const auto file = SecretKeyFile::parse(as_bytes(text));
  if (!file.ok()) return file.error().code;
  const auto key = file->open(secret(passphrase));
  return key.ok() ? ErrorCode::kInternal : key.error().code;
}

TEST(SecretKeyFile, RoundTrips) {
  const SigningKey key = SigningKey::generate();
  const auto plain = *SecretKeyFile::parse(plain_secret_key_text(key).view());
  EXPECT_FALSE(plain.encrypted());
  EXPECT_EQ(plain.open({})->public_key(), key.public_key());

  const auto text = encrypted_secret_key_text(key, secret("right"), kCheap);
  const auto sealed = *SecretKeyFile::parse(text->view());
  EXPECT_TRUE(sealed.encrypted());
  const auto opened = sealed.open(secret("right"));
  EXPECT_EQ(opened->public_key(), key.public_key());
  EXPECT_EQ(opened->sign_raw(as_bytes("m")), key.sign_raw(as_bytes("m")));
  EXPECT_NE(text_of(*text), text_of(*encrypted_secret_key_text(key, secret("right"), kCheap)))
      << "each file has its own salt";
}

TEST(SecretKeyFile, AWrongPassphraseIsNamed) {
  const SigningKey key = SigningKey::generate();
  const auto text = text_of(*encrypted_secret_key_text(key, secret("right"), kCheap));
  EXPECT_EQ(refusal(text, "wrong"), ErrorCode::kKeyWrong);
  EXPECT_EQ(refusal(text, ""), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(text, std::string(kMaxKeyPassphraseBytes + 1, 'x')),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(encrypted_secret_key_text(key, secret("two\nlines"), kCheap).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(encrypted_secret_key_text(key, secret(""), kCheap).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(SecretKeyFile, DamageIsRefused) {
  const SigningKey key = SigningKey::generate();
  const std::string text = text_of(*encrypted_secret_key_text(key, secret("right"), kCheap));
  const Bytes record = record_of(text);
  ASSERT_EQ(record.size(), kRecordSize);
  for (const std::size_t at : {std::size_t{6}, std::size_t{54}, std::size_t{62}, std::size_t{100},
                               kRecordSize - 1}) {  // salt, key id, key, key, checksum
    Bytes damaged = record;
    damaged[at] ^= 1;
    EXPECT_EQ(refusal(with_record(damaged)), ErrorCode::kKeyWrong) << at;
  }
  for (std::size_t at = 0; at < 6; ++at) {
    Bytes damaged = record;
    damaged[at] ^= 1;
    EXPECT_EQ(refusal(with_record(damaged)), ErrorCode::kInvalidArgument) << at;
  }
  for (std::size_t length = 0; length < text.size() - 1; ++length)
    EXPECT_EQ(refusal(text.substr(0, length)), ErrorCode::kInvalidArgument) << length;
  EXPECT_EQ(refusal(text + "x"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(text + text), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(key.public_key().file_text()), ErrorCode::kInvalidArgument);
}

TEST(SecretKeyFile, DamageOfAnUnencryptedKeyIsRefused) {
  const std::string text = text_of(plain_secret_key_text(SigningKey::generate()));
  for (const std::size_t at : {std::size_t{62}, std::size_t{94}, kRecordSize - 1}) {
    Bytes damaged = record_of(text);
    damaged[at] ^= 1;
    EXPECT_EQ(refusal(with_record(damaged)), ErrorCode::kInvalidArgument) << at;
  }
}

TEST(SecretKeyFile, AbsurdCostsAreRefusedBeforeTheyArePaid) {
  const std::string text =
      text_of(*encrypted_secret_key_text(SigningKey::generate(), secret("right"), kCheap));
  const auto with_cost = [&](std::uint64_t operations, std::uint64_t memory_bytes) {
    Bytes record = record_of(text), cost;
    append_le(cost, operations);
    append_le(cost, memory_bytes);
    std::copy(cost.begin(), cost.end(), record.begin() + 38);
    return refusal(with_record(record));
  };
  EXPECT_EQ(with_cost(std::uint64_t{1} << 29, kCheap.memory_bytes), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with_cost(kCheap.operations, std::uint64_t{4} << 30), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with_cost(UINT64_MAX, UINT64_MAX), ErrorCode::kLimitExceeded);
  EXPECT_EQ(with_cost(0, kCheap.memory_bytes), ErrorCode::kInvalidArgument);
  EXPECT_EQ(with_cost(kCheap.operations, 0), ErrorCode::kInvalidArgument);
}

// Files, and the minisign program itself.
class KeyFileOnDisk : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/oa-keys-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    std::ofstream(path("m")) << "a message";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string get(const std::string& name) const {
    return std::string(as_text(*read_file(path(name), 1 << 20)));
  }
  // Without a terminal the program reads its passphrase from standard input.
  int minisign(const std::string& arguments, const std::string& input = "") const {
    std::ofstream(path("in")) << input;
    return std::system(
        ("cd " + folder_ + " && setsid -w minisign " + arguments + " <in >out 2>&1").c_str());
  }
  void sign_and_verify(const SigningKey& key, const std::string& secret_name,
                       const std::string& input) const {
    EXPECT_EQ(minisign("-S -s " + secret_name + " -m m", input), 0) << get("out");
    EXPECT_EQ(minisign("-V -m m -P " + key.public_key().base64()), 0) << get("out");
  }
  std::string folder_;
};

TEST_F(KeyFileOnDisk, IsNeverOverwrittenAndForItsOwnerOnly) {
  const SecretBytes one = plain_secret_key_text(SigningKey::generate());
  ASSERT_TRUE(write_secret_key_file(path("k"), one, false).ok());
  struct stat info {};
  ASSERT_EQ(stat(path("k").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0600u);
  EXPECT_EQ(write_secret_key_file(path("k"), secret("x"), false).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(get("k"), text_of(one));
  EXPECT_TRUE(write_secret_key_file(path("k"), secret("x"), true).ok());
  EXPECT_EQ(get("k"), "x");
  EXPECT_FALSE(std::filesystem::exists(path("k.partial")));
  EXPECT_EQ(write_secret_key_file(path("no/such/k"), one, false).error().code,
            ErrorCode::kNotFound);
  EXPECT_NE(SecretKeyFile::read(path("k")).error().message.find(path("k")), std::string::npos);
}

TEST_F(KeyFileOnDisk, MinisignReadsOursUnencrypted) {
  const SigningKey key = SigningKey::generate();
  ASSERT_TRUE(write_secret_key_file(path("k"), plain_secret_key_text(key), false).ok());
  sign_and_verify(key, "k", "");
  ASSERT_EQ(minisign("-R -s k -p made.pub"), 0) << get("out");
  EXPECT_EQ(*read_public_key_file(path("made.pub")), key.public_key());
}

TEST_F(KeyFileOnDisk, MinisignReadsOursEncrypted) {
  const SigningKey key = SigningKey::generate();
  const std::string passphrase(kMaxKeyPassphraseBytes, 'p');
  const auto cheap = encrypted_secret_key_text(key, secret(passphrase), kCheap);
  ASSERT_TRUE(write_secret_key_file(path("k"), *cheap, false).ok());
  sign_and_verify(key, "k", passphrase + "\n");
  EXPECT_NE(minisign("-S -s k -m m", "wrong\n"), 0);
}

TEST_F(KeyFileOnDisk, OurDefaultIsWhatMinisignWrites) {
  const SigningKey key = SigningKey::generate();
  const auto text = encrypted_secret_key_text(key, secret("right"));
  ASSERT_TRUE(text.ok()) << text.error().message;
  ASSERT_TRUE(write_secret_key_file(path("ours"), *text, false).ok());
  sign_and_verify(key, "ours", "right\n");

  ASSERT_EQ(minisign("-G -p theirs.pub -s theirs", "right\nright\n"), 0) << get("out");
  const auto theirs = SecretKeyFile::read(path("theirs"));
  ASSERT_TRUE(theirs.ok()) << theirs.error().message;
  EXPECT_TRUE(theirs->encrypted());
  EXPECT_EQ(theirs->open(secret("right"))->public_key(), *read_public_key_file(path("theirs.pub")));
  EXPECT_EQ(theirs->open(secret("wrong")).error().code, ErrorCode::kKeyWrong);
  const auto head = [&](const std::string& name) {
    const Bytes record = record_of(get(name));
    return to_hex(ByteView(record).first(6)) + to_hex(ByteView(record).subspan(38, 16));
  };
  EXPECT_EQ(head("ours"), head("theirs"));
  EXPECT_EQ(get("ours").substr(0, get("ours").find('\n')),
            get("theirs").substr(0, get("theirs").find('\n')));
}

TEST_F(KeyFileOnDisk, MinisignsUnencryptedKeyOpensHere) {
  ASSERT_EQ(minisign("-G -W -p theirs.pub -s theirs"), 0) << get("out");
  const auto theirs = SecretKeyFile::read(path("theirs"));
  ASSERT_TRUE(theirs.ok()) << theirs.error().message;
  EXPECT_FALSE(theirs->encrypted());
  const auto key = theirs->open({});
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->public_key(), *read_public_key_file(path("theirs.pub")));
  EXPECT_EQ(text_of(plain_secret_key_text(*key)), get("theirs")) << "byte for byte the same";
}

}  // namespace
}  // namespace oa
