// Hashes: through OpenSSL 3 (RFC 7693 BLAKE2b-512, FIPS 180-4 SHA-256, RFC 2104 HMAC), and BLAKE3 with 32 bytes of
// output (draft-aumasson-blake3) through LLVM's copy of the official implementation.
#pragma once

#include <array>
#include <memory>

#include "oa/base/bytes.h"

struct evp_md_ctx_st;

namespace oa {

using Blake2bDigest = std::array<std::uint8_t, 64>;
using Sha256Digest = std::array<std::uint8_t, 32>;

/// An incremental hash. finish() returns the digest and makes the object ready for the next
/// message. Not thread-safe.
template <class Digest>
class Hash {
 public:
  Hash();
  ~Hash();
  Hash(Hash&&) noexcept;
  Hash& operator=(Hash&&) noexcept;
  void update(ByteView bytes);
  Digest finish();
  /// Digest of one message.
  static Digest of(ByteView bytes);

 private:
  evp_md_ctx_st* context_;
};

extern template class Hash<Blake2bDigest>;
extern template class Hash<Sha256Digest>;
using Blake2b = Hash<Blake2bDigest>;
using Sha256 = Hash<Sha256Digest>;

/// BLAKE3 of one message, for what is hashed in pieces of its own: about three times as fast as SHA-256
/// with its own instructions, seven with AVX-512.
using Blake3Digest = std::array<std::uint8_t, 32>;
Blake3Digest blake3(ByteView bytes);

/// HMAC-SHA-256.
Sha256Digest hmac_sha256(ByteView key, ByteView message);

/// Keeps OpenSSL from reading openssl.cnf and so from loading modules that it may name: with its built-in algorithms
/// alone, a program runs the same on every machine. Call before any hash.
void ignore_openssl_configuration();

}  // namespace oa
