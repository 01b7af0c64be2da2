#include "oa/crypto/hash.h"

#include <llvm-c/blake3.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <utility>

#include "oa/crypto/sha1.h"

namespace oa {
namespace {

template <class Digest>
constexpr const char* kAlgorithm = nullptr;
template <>
constexpr const char* kAlgorithm<Blake2bDigest> = "BLAKE2B-512";
template <>
constexpr const char* kAlgorithm<Sha256Digest> = "SHA2-256";
template <>
constexpr const char* kAlgorithm<Sha1Digest> = "SHA1";

// Fetched once: EVP_MD_fetch costs more than hashing a small message.
template <class Digest>
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, kAlgorithm<Digest>, nullptr);
  OA_ASSERT(fetched != nullptr && EVP_MD_get_size(fetched) == static_cast<int>(Digest{}.size()));
  return fetched;
}

}  // namespace

template <class Digest>
Hash<Digest>::Hash() : context_(EVP_MD_CTX_new()) {
  OA_ASSERT(context_ != nullptr && EVP_DigestInit_ex2(context_, algorithm<Digest>(), nullptr) == 1);
}

template <class Digest>
Hash<Digest>::~Hash() {
  EVP_MD_CTX_free(context_);
}

template <class Digest>
Hash<Digest>::Hash(Hash&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

template <class Digest>
Hash<Digest>& Hash<Digest>::operator=(Hash&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

template <class Digest>
void Hash<Digest>::update(ByteView bytes) {
  OA_ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

template <class Digest>
Digest Hash<Digest>::finish() {
  Digest digest;
  OA_ASSERT(EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1);
  OA_ASSERT(EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1);
  return digest;
}

template <class Digest>
Digest Hash<Digest>::of(ByteView bytes) {
  // One context per thread, because making one costs as much as hashing a small message.
  thread_local Hash hash;
  hash.update(bytes);
  return hash.finish();
}

template class Hash<Blake2bDigest>;
template class Hash<Sha256Digest>;
template class Hash<Sha1Digest>;

Blake3Digest blake3(ByteView bytes) {
  static_assert(sizeof(Blake3Digest) == LLVM_BLAKE3_OUT_LEN);
  llvm_blake3_hasher hasher;
  llvm_blake3_hasher_init(&hasher);
  llvm_blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  Blake3Digest digest;
  llvm_blake3_hasher_finalize(&hasher, digest.data(), digest.size());
  return digest;
}

Sha256Digest hmac_sha256(ByteView key, ByteView message) {
  // HMAC() wants a non-null key; an empty key is a valid one.
  static constexpr std::uint8_t kNoKey = 0;
  Sha256Digest digest;
  unsigned size = 0;
  OA_ASSERT(HMAC(algorithm<Sha256Digest>(), key.empty() ? &kNoKey : key.data(),
                 static_cast<int>(key.size()), message.data(), message.size(), digest.data(),
                 &size) != nullptr);
  OA_ASSERT(size == digest.size());
  return digest;
}

void ignore_openssl_configuration() {
  OA_ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1);
}

}  // namespace oa
