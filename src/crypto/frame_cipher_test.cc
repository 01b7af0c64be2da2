#include "oa/crypto/frame_cipher.h"

#include <gtest/gtest.h>

namespace oa {
namespace {

FrameCipher cipher_of(std::uint8_t fill) {
  SecretBytes key(32);
  for (auto& byte : key.mutable_view()) byte = fill;
  return FrameCipher::create(key).value();
}

Bytes sealed(FrameCipher& cipher, std::uint64_t number, std::string_view place,
             std::string_view plain) {
  Bytes out(plain.size() + kFrameTagSize);
  cipher.seal(number, as_bytes(place), as_bytes(plain), out);
  return out;
}

TEST(FrameCipher, OpensWhatItSealed) {
  auto cipher = cipher_of(1);
  for (const std::string_view text : {"", "a frame"}) {
    const Bytes frame = sealed(cipher, 7, "here", text);
    Bytes plain(text.size());
    ASSERT_TRUE(cipher_of(1).open(7, as_bytes("here"), frame, plain));
    EXPECT_EQ(as_text(plain), text);
  }
}

// GCM test case 14 of its specification (McGrew and Viega): key, nonce and plaintext all zeros.
TEST(FrameCipher, IsAes256Gcm) {
  auto cipher = cipher_of(0);
  Bytes out(32);
  cipher.seal(0, {}, Bytes(16), out);
  EXPECT_EQ(to_hex(out), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(FrameCipher, RefusesAnotherNumberPlaceOrKeyAndEveryFlippedBit) {
  auto cipher = cipher_of(1);
  Bytes frame = sealed(cipher, 7, "here", "a frame");
  Bytes plain(7, 0xff);
  EXPECT_FALSE(cipher.open(8, as_bytes("here"), frame, plain));
  EXPECT_EQ(plain, Bytes(7));
  EXPECT_FALSE(cipher.open(7, as_bytes("there"), frame, plain));
  EXPECT_FALSE(cipher_of(2).open(7, as_bytes("here"), frame, plain));
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(cipher.open(7, as_bytes("here"), frame, plain));
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  EXPECT_TRUE(cipher.open(7, as_bytes("here"), frame, plain));
}

TEST(FrameCipher, RefusesAKeyOfAnotherLength) {
  EXPECT_EQ(FrameCipher::create(SecretBytes(16)).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace oa
