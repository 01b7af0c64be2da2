#include "oa/crypto/aead.h"

#include "openssl_library.h"

namespace oa {
namespace {

constexpr std::size_t kKeySize = 32;

}  // namespace

Bytes wrap_secret(const SecretBytes& key, std::string_view context, const SecretBytes& secret) {
  OA_ASSERT(key.size() == kKeySize);
  Bytes wrapped(kWrapOverhead + secret.size());
  random_fill(std::span(wrapped).first(kGcmNonceSize));
  std::uint8_t* const body = wrapped.data() + kGcmNonceSize;
  const CipherContext cipher = new_cipher_context();
  int written = 0;
  OA_ASSERT(EVP_EncryptInit_ex2(cipher.get(), aes_256_gcm(), key.view().data(), wrapped.data(),
                                nullptr) == 1);
  OA_ASSERT(EVP_EncryptUpdate(cipher.get(), nullptr, &written, as_bytes(context).data(),
                              static_cast<int>(context.size())) == 1);
  OA_ASSERT(EVP_EncryptUpdate(cipher.get(), body, &written, secret.view().data(),
                              static_cast<int>(secret.size())) == 1);
  OA_ASSERT(EVP_EncryptFinal_ex(cipher.get(), body + secret.size(), &written) == 1);
  OA_ASSERT(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagSize,
                                body + secret.size()) == 1);
  return wrapped;
}

Result<SecretBytes> unwrap_secret(const SecretBytes& key, std::string_view context,
                                  ByteView wrapped) {
  OA_ASSERT(key.size() == kKeySize);
  const auto wrong = [] {
    return make_error(ErrorCode::kKeyWrong, "key.unwrap",
                      "the wrapped key does not open with this key");
  };
  if (wrapped.size() < kWrapOverhead) return wrong();
  const ByteView nonce = wrapped.first(kGcmNonceSize);
  const ByteView body = wrapped.subspan(kGcmNonceSize, wrapped.size() - kWrapOverhead);
  Bytes tag(wrapped.end() - kGcmTagSize, wrapped.end());
  SecretBytes secret(body.size());
  const CipherContext cipher = new_cipher_context();
  int written = 0;
  OA_ASSERT(EVP_DecryptInit_ex2(cipher.get(), aes_256_gcm(), key.view().data(), nonce.data(),
                                nullptr) == 1);
  OA_ASSERT(EVP_DecryptUpdate(cipher.get(), nullptr, &written, as_bytes(context).data(),
                              static_cast<int>(context.size())) == 1);
  OA_ASSERT(EVP_DecryptUpdate(cipher.get(), secret.mutable_view().data(), &written, body.data(),
                              static_cast<int>(body.size())) == 1);
  OA_ASSERT(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagSize, tag.data()) == 1);
  std::uint8_t nothing_left[kGcmTagSize];
  if (EVP_DecryptFinal_ex(cipher.get(), nothing_left, &written) != 1) return wrong();
  return secret;
}

}  // namespace oa
