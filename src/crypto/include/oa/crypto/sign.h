// Ed25519 signatures in minisign's formats (https://jedisct1.github.io/minisign/), so that
// `minisign -V` verifies ours.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "oa/crypto/hash.h"
#include "oa/crypto/secret.h"

namespace oa {

/// A minisign public key: 8-byte key id and Ed25519 public key. Plain value.
class PublicKey {
 public:
  using KeyId = std::array<std::uint8_t, 8>;
  PublicKey() = default;
  PublicKey(const KeyId& id, const std::array<std::uint8_t, 32>& key) : id_(id), key_(key) {}

  /// The base64 line of a minisign public key ("RW…"); kInvalidArgument otherwise.
  static Result<PublicKey> parse(std::string_view base64_line);
  /// A whole `.pub` file: untrusted comment line, then the base64 line.
  static Result<PublicKey> parse_file(std::string_view text);
  std::string base64() const;
  std::string file_text() const;
  /// Key id as minisign prints it: 16 upper-case hex digits, least significant byte last read
  /// first.
  std::string key_id() const;
  /// SHA-256 of the 32 key bytes in hex, what people compare.
  std::string fingerprint() const;
  const KeyId& id() const { return id_; }
  const std::array<std::uint8_t, 32>& bytes() const { return key_; }
  auto operator<=>(const PublicKey&) const = default;

 private:
  KeyId id_{};
  std::array<std::uint8_t, 32> key_{};
};

/// A signing key. Thread-safe for concurrent signing.
class SigningKey {
 public:
  static SigningKey generate();
  /// `seed` has kSeedSize bytes: 8 of key id, 32 of Ed25519 seed. kInvalidArgument on another size.
  static Result<SigningKey> from_seed(const SecretBytes& seed);
  static constexpr std::size_t kSeedSize = 40;
  /// What from_seed() takes back.
  SecretBytes seed() const;
  const PublicKey& public_key() const { return public_key_; }

  /// A minisign signature file (`ED`: Ed25519 over the BLAKE2b-512 of the message) with
  /// `trusted_comment`: at most 8192 bytes, no control character but tab (aborts otherwise).
  /// Deterministic.
  std::string sign(const Blake2bDigest& message_digest, std::string_view trusted_comment) const;
  /// 64-byte Ed25519 signature over `message`.
  std::array<std::uint8_t, 64> sign_raw(ByteView message) const;

 private:
  SigningKey(SecretBytes secret, PublicKey public_key);
  SecretBytes secret_;  // 64 bytes, libsodium form
  PublicKey public_key_;
};

/// A parsed and verified signature.
struct VerifiedSignature {
  std::string trusted_comment;
};

/// Verifies a minisign signature file over a message with digest `message_digest`, the trusted
/// comment's own signature included. kArchiveSignatureInvalid when it is malformed, by another key,
/// or does not verify.
Result<VerifiedSignature> verify_signature(std::string_view signature_file, const PublicKey& key,
                                           const Blake2bDigest& message_digest);

}  // namespace oa
