#include "oa/crypto/sign.h"

#include <sodium.h>

#include <algorithm>
#include <optional>

#include "sodium_library.h"

namespace oa {
namespace {

constexpr std::string_view kUntrusted = "untrusted comment: ";
constexpr std::string_view kTrusted = "trusted comment: ";
constexpr std::size_t kMaxUntrustedComment = 1024;  // minisign's COMMENTMAXBYTES
constexpr std::size_t kMaxTrustedComment = 8192;    // minisign's TRUSTEDCOMMENTMAXBYTES
constexpr std::size_t kKeyIdSize = 8;
constexpr std::size_t kPublicKeySize = crypto_sign_PUBLICKEYBYTES;
constexpr std::size_t kSignatureSize = crypto_sign_BYTES;
constexpr std::size_t kPublicLineSize = 56;      // base64 of "Ed", key id, key
constexpr std::size_t kSignatureLineSize = 100;  // base64 of "ED", key id, signature
constexpr std::size_t kGlobalLineSize = 88;      // base64 of a signature

using Signature = std::array<std::uint8_t, kSignatureSize>;

Error refuse(std::string message) {
  return make_error(ErrorCode::kArchiveSignatureInvalid, "signature.verify", std::move(message));
}

Error bad_key(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "public_key.parse", std::move(message));
}

// Takes one line that ends in '\n' off the front of `text`.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

// One line of text for people: a tab is minisign's own, other control characters could hide a line
// from them.
bool is_comment(std::string_view text, std::size_t max_size) {
  return text.size() <= max_size && std::none_of(text.begin(), text.end(), [](char c) {
           return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
         });
}

// The comment behind `prefix` on the next line; nullopt when it is not there or not plain.
std::optional<std::string_view> take_comment(std::string_view& text, std::string_view prefix,
                                             std::size_t max_size) {
  const auto line = take_line(text);
  if (!line || !line->starts_with(prefix)) return std::nullopt;
  const auto comment = line->substr(prefix.size());
  if (!is_comment(comment, max_size)) return std::nullopt;
  return comment;
}

template <class Array>
Array array_at(ByteView bytes, std::size_t offset) {
  Array array;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), array.size(), array.begin());
  return array;
}

// What the trusted comment's signature covers.
Bytes global_message(ByteView signature, std::string_view trusted_comment) {
  Bytes message(signature.begin(), signature.end());
  const ByteView comment = as_bytes(trusted_comment);
  message.insert(message.end(), comment.begin(), comment.end());
  return message;
}

bool verifies(ByteView signature, ByteView message, const PublicKey& key) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.bytes().data()) == 0;
}

}  // namespace

Result<PublicKey> PublicKey::parse(std::string_view base64_line) {
  if (base64_line.size() != kPublicLineSize) return bad_key("a minisign key has 56 characters");
  OA_ASSIGN(const Bytes raw, from_base64(base64_line));
  if (raw.size() != 2 + kKeyIdSize + kPublicKeySize || raw[0] != 'E' || raw[1] != 'd') {
    return bad_key("not a minisign public key");
  }
  return PublicKey(array_at<KeyId>(raw, 2),
                   array_at<std::array<std::uint8_t, kPublicKeySize>>(raw, 2 + kKeyIdSize));
}

Result<PublicKey> PublicKey::parse_file(std::string_view text) {
  if (!take_comment(text, kUntrusted, kMaxUntrustedComment)) {
    return bad_key("the first line must be an untrusted comment");
  }
  if (text.ends_with('\n')) text.remove_suffix(1);
  return parse(text);
}

std::string PublicKey::base64() const {
  Bytes raw = {'E', 'd'};
  raw.insert(raw.end(), id_.begin(), id_.end());
  raw.insert(raw.end(), key_.begin(), key_.end());
  return to_base64(raw);
}

std::string PublicKey::file_text() const {
  return std::string(kUntrusted) + "minisign public key " + key_id() + "\n" + base64() + "\n";
}

std::string PublicKey::key_id() const {
  std::string text;
  for (auto byte = id_.rbegin(); byte != id_.rend(); ++byte) {
    for (const int nibble : {*byte >> 4, *byte & 15}) text.push_back("0123456789ABCDEF"[nibble]);
  }
  return text;
}

std::string PublicKey::fingerprint() const { return to_hex(Sha256::of(key_)); }

SigningKey::SigningKey(SecretBytes secret, PublicKey public_key)
    : secret_(std::move(secret)), public_key_(public_key) {}

SigningKey SigningKey::generate() { return *from_seed(SecretBytes::random(kSeedSize)); }

Result<SigningKey> SigningKey::from_seed(const SecretBytes& seed) {
  static_assert(kSeedSize == kKeyIdSize + crypto_sign_SEEDBYTES);
  if (seed.size() != kSeedSize) {
    return make_error(ErrorCode::kInvalidArgument, "signing_key.from_seed",
                      "a signing seed has 40 bytes");
  }
  require_sodium();
  SecretBytes secret(crypto_sign_SECRETKEYBYTES);
  std::array<std::uint8_t, kPublicKeySize> key;
  OA_ASSERT(crypto_sign_seed_keypair(key.data(), secret.mutable_view().data(),
                                     seed.view().data() + kKeyIdSize) == 0);
  return SigningKey(std::move(secret), PublicKey(array_at<PublicKey::KeyId>(seed.view(), 0), key));
}

SecretBytes SigningKey::seed() const {
  SecretBytes seed(kSeedSize);
  std::copy_n(public_key_.id().begin(), kKeyIdSize, seed.mutable_view().begin());
  OA_ASSERT(crypto_sign_ed25519_sk_to_seed(seed.mutable_view().data() + kKeyIdSize,
                                           secret_.view().data()) == 0);
  return seed;
}

Signature SigningKey::sign_raw(ByteView message) const {
  Signature signature;
  OA_ASSERT(crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                                 secret_.view().data()) == 0);
  return signature;
}

std::string SigningKey::sign(const Blake2bDigest& message_digest,
                             std::string_view trusted_comment) const {
  OA_ASSERT(is_comment(trusted_comment, kMaxTrustedComment));
  const Signature signature = sign_raw(message_digest);
  const Signature global = sign_raw(global_message(signature, trusted_comment));
  Bytes line = {'E', 'D'};
  line.insert(line.end(), public_key_.id().begin(), public_key_.id().end());
  line.insert(line.end(), signature.begin(), signature.end());

  std::string text(kUntrusted);
  text.append("signature from oa-backup key ").append(public_key_.key_id()).append("\n");
  text.append(to_base64(line)).append("\n");
  text.append(kTrusted).append(trusted_comment).append("\n");
  text.append(to_base64(global)).append("\n");
  return text;
}

Result<VerifiedSignature> verify_signature(std::string_view signature_file, const PublicKey& key,
                                           const Blake2bDigest& message_digest) {
  const auto malformed = [] { return refuse("the signature is not in minisign's format"); };
  if (!take_comment(signature_file, kUntrusted, kMaxUntrustedComment)) return malformed();
  const auto line = take_line(signature_file);
  const auto comment = take_comment(signature_file, kTrusted, kMaxTrustedComment);
  const auto global_line = take_line(signature_file);
  if (!line || line->size() != kSignatureLineSize || !comment || !global_line ||
      global_line->size() != kGlobalLineSize || !signature_file.empty()) {
    return malformed();
  }
  const auto raw = from_base64(*line);
  const auto global = from_base64(*global_line);
  if (!raw.ok() || raw->size() != 2 + kKeyIdSize + kSignatureSize || !global.ok() ||
      global->size() != kSignatureSize) {
    return malformed();
  }
  if ((*raw)[0] != 'E' || (*raw)[1] != 'D') return refuse("the signature is not a prehashed one");
  if (array_at<PublicKey::KeyId>(*raw, 2) != key.id()) {
    return refuse("the signature was made by another key");
  }
  require_sodium();
  const ByteView signature = ByteView(*raw).subspan(2 + kKeyIdSize);
  if (!verifies(signature, message_digest, key)) return refuse("the signature does not verify");
  if (!verifies(*global, global_message(signature, *comment), key)) {
    return refuse("the signature of the trusted comment does not verify");
  }
  return VerifiedSignature{std::string(*comment)};
}

}  // namespace oa
