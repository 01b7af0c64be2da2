#include "oa/crypto/hash.h"

#include <gtest/gtest.h>

#include "oa/crypto/uuid5.h"

namespace oa {
namespace {

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(to_hex(Sha256::of(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(Blake2b::of(as_bytes("abc"))),  // RFC 7693 appendix A
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
  EXPECT_EQ(to_hex(Sha256::of({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Blake3, KnownAnswers) {
  // From the official test vectors: byte i of the input is i % 251.
  const auto digest = [](std::size_t size) {
    Bytes input(size);
    for (std::size_t i = 0; i < size; ++i) input[i] = static_cast<std::uint8_t>(i % 251);
    return to_hex(blake3(input));
  };
  EXPECT_EQ(digest(0), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  EXPECT_EQ(digest(1), "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213");
  EXPECT_EQ(digest(102400), "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085");
}

TEST(Hash, IsReadyForTheNextMessageAfterFinish) {
  Blake2b hash;
  for (int round = 0; round < 3; ++round) {
    hash.update(as_bytes("a"));
    hash.update(as_bytes("bc"));
    EXPECT_EQ(hash.finish(), Blake2b::of(as_bytes("abc")));
  }
  EXPECT_EQ(hash.finish(), Blake2b::of({}));
}

TEST(Hash, MoveTakesTheStateAlong) {
  Sha256 first;
  first.update(as_bytes("ab"));
  Sha256 second(std::move(first));
  second.update(as_bytes("c"));
  Sha256 third;
  third.update(as_bytes("something else"));
  third = std::move(second);
  EXPECT_EQ(third.finish(), Sha256::of(as_bytes("abc")));
}

TEST(Hmac, Rfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xaa),
                               as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Uuid5, Rfc9562) {
  const Uuid dns = *Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(uuid5(dns, "www.example.com").str(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  EXPECT_EQ(uuid5(Uuid{}, "").str(), "e129f27c-5103-5c5c-844b-cdf0a15e160d");
}

}  // namespace
}  // namespace oa
