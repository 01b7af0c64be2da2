// Owners of OpenSSL objects, and the algorithms fetched once: a fetch costs more than hashing a
// small message.
#pragma once

#include <openssl/evp.h>

#include <memory>

#include "oa/base/assert.h"

namespace oa {

struct CipherContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherContextDeleter>;

inline constexpr std::size_t kGcmTagSize = 16;
inline constexpr std::size_t kGcmNonceSize = 12;

inline const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  OA_ASSERT(cipher != nullptr);
  return cipher;
}

inline CipherContext new_cipher_context() {
  CipherContext context(EVP_CIPHER_CTX_new());
  OA_ASSERT(context != nullptr);
  return context;
}

}  // namespace oa
