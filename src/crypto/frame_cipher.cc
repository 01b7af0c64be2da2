#include "oa/crypto/frame_cipher.h"

#include <openssl/crypto.h>

#include <array>

#include "oa/crypto/seal.h"
#include "openssl_library.h"

namespace oa {
namespace {

static_assert(kFrameTagSize == kGcmTagSize);
constexpr std::size_t kMaxFrame = 1u << 30;  // OpenSSL counts in int

std::array<std::uint8_t, kGcmNonceSize> nonce_of(std::uint64_t number) {
  std::array<std::uint8_t, kGcmNonceSize> nonce{};
  for (std::size_t i = 0; i < 8; ++i)
    nonce[kGcmNonceSize - 1 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return nonce;
}

}  // namespace

struct FrameCipher::State {
  CipherContext sealing = new_cipher_context();
  CipherContext opening = new_cipher_context();
};

FrameCipher::FrameCipher(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameCipher::FrameCipher(FrameCipher&&) noexcept = default;
FrameCipher& FrameCipher::operator=(FrameCipher&&) noexcept = default;
FrameCipher::~FrameCipher() = default;

Result<FrameCipher> FrameCipher::create(const SecretBytes& key) {
  if (key.size() != kDataKeySize)
    return make_error(ErrorCode::kInvalidArgument, "frame", "a data key has 32 bytes");
  auto state = std::make_unique<State>();
  OA_ASSERT(EVP_EncryptInit_ex2(state->sealing.get(), aes_256_gcm(), key.view().data(), nullptr,
                                nullptr) == 1);
  OA_ASSERT(EVP_DecryptInit_ex2(state->opening.get(), aes_256_gcm(), key.view().data(), nullptr,
                                nullptr) == 1);
  return FrameCipher(std::move(state));
}

void FrameCipher::seal(std::uint64_t number, ByteView associated, ByteView plain,
                       std::span<std::uint8_t> out) {
  OA_ASSERT(plain.size() <= kMaxFrame && out.size() == plain.size() + kFrameTagSize);
  EVP_CIPHER_CTX* const context = state_->sealing.get();
  const auto nonce = nonce_of(number);
  int n = 0;
  OA_ASSERT(EVP_EncryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1);
  OA_ASSERT(EVP_EncryptUpdate(context, nullptr, &n, associated.data(),
                              static_cast<int>(associated.size())) == 1);
  if (!plain.empty()) {
    OA_ASSERT(EVP_EncryptUpdate(context, out.data(), &n, plain.data(),
                                static_cast<int>(plain.size())) == 1);
  }
  std::uint8_t* const tag = out.data() + plain.size();
  OA_ASSERT(EVP_EncryptFinal_ex(context, tag, &n) == 1);
  OA_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTagSize, tag) == 1);
}

bool FrameCipher::open(std::uint64_t number, ByteView associated, ByteView sealed,
                       std::span<std::uint8_t> out) {
  OA_ASSERT(sealed.size() <= kMaxFrame && out.size() + kFrameTagSize == sealed.size());
  EVP_CIPHER_CTX* const context = state_->opening.get();
  const auto nonce = nonce_of(number);
  int n = 0;
  OA_ASSERT(EVP_DecryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1);
  OA_ASSERT(EVP_DecryptUpdate(context, nullptr, &n, associated.data(),
                              static_cast<int>(associated.size())) == 1);
  if (!out.empty()) {
    OA_ASSERT(EVP_DecryptUpdate(context, out.data(), &n, sealed.data(),
                                static_cast<int>(out.size())) == 1);
  }
  auto* const tag = const_cast<std::uint8_t*>(sealed.data() + out.size());
  OA_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTagSize, tag) == 1);
  std::array<std::uint8_t, kGcmTagSize> rest;
  if (EVP_DecryptFinal_ex(context, rest.data(), &n) == 1) return true;
  OPENSSL_cleanse(out.data(), out.size());
  return false;
}

}  // namespace oa
