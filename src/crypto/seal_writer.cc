#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "seal_format.h"

namespace oa {
namespace {

// Sealed bytes go out in pieces of about 1 MiB.
constexpr std::size_t kOutChunks = 16;
constexpr std::size_t kOutCapacity = kOutChunks * kSealedChunkSize;

}  // namespace

struct SealWriter::State {
  explicit State(ByteSink& sink) : out(sink) {}
  ~State() { OPENSSL_cleanse(pending.data(), pending.size()); }

  // Encrypts one chunk to the end of the buffer.
  void seal_chunk(ByteView plain, bool last) {
    OA_ASSERT(buffered + kSealedChunkSize <= kOutCapacity && plain.size() <= kSealChunkSize);
    const SealNonce nonce = seal_nonce(prefix, next_chunk++, last);
    std::uint8_t* const to = buffer.get() + buffered;
    EVP_CIPHER_CTX* const context = cipher.get();
    int n = 0;
    OA_ASSERT(EVP_EncryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1);
    OA_ASSERT(EVP_EncryptUpdate(context, nullptr, &n, binding.data(), binding.size()) == 1);
    if (!plain.empty()) {
      OA_ASSERT(EVP_EncryptUpdate(context, to, &n, plain.data(), static_cast<int>(plain.size())) ==
                1);
    }
    OA_ASSERT(EVP_EncryptFinal_ex(context, to + plain.size(), &n) == 1);
    OA_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTagSize, to + plain.size()) ==
              1);
    buffered += plain.size() + kGcmTagSize;
  }

  Status flush() {
    OA_TRY(out.write({buffer.get(), buffered}));
    buffered = 0;
    return {};
  }

  // A chunk that is known not to be the last.
  Status put_chunk(ByteView plain) {
    if (next_chunk + 1 >= kMaxSealChunks) {
      return make_error(ErrorCode::kLimitExceeded, "seal.write", "a sealed object ends at 256 TiB");
    }
    seal_chunk(plain, false);
    if (buffered + kSealedChunkSize > kOutCapacity) return flush();
    return {};
  }

  Status put(ByteView bytes);
  Status finish();

  ByteSink& out;
  CipherContext cipher = new_cipher_context();
  SealPrefix prefix{};
  SealBinding binding{};
  std::uint64_t next_chunk = 0;
  Bytes pending;  // at most one chunk: what cannot go out before it is known whether it is the last
  std::unique_ptr<std::uint8_t[]> buffer =
      std::make_unique_for_overwrite<std::uint8_t[]>(kOutCapacity);
  std::size_t buffered = 0;
  bool open = true;
};

Status SealWriter::State::put(ByteView bytes) {
  if (!pending.empty()) {
    const auto fill = std::min(kSealChunkSize - pending.size(), bytes.size());
    pending.insert(pending.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(fill));
    bytes = bytes.subspan(fill);
    if (bytes.empty()) return {};
    OA_TRY(put_chunk(pending));
    pending.clear();
  }
  for (; bytes.size() > kSealChunkSize; bytes = bytes.subspan(kSealChunkSize)) {
    OA_TRY(put_chunk(bytes.first(kSealChunkSize)));
  }
  // Never grows past this, so no plaintext is left behind by a reallocation.
  pending.reserve(kSealChunkSize);
  pending.assign(bytes.begin(), bytes.end());
  return {};
}

Status SealWriter::State::finish() {
  seal_chunk(pending, true);
  return flush();
}

SealWriter::SealWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealWriter::~SealWriter() = default;

Result<std::unique_ptr<SealWriter>> SealWriter::create(ByteSink& out, const SealHeader& header,
                                                       const SecretBytes& data_key,
                                                       std::string_view context) {
  OA_TRY(check_data_key(data_key));
  auto state = std::make_unique<State>(out);
  random_fill(state->prefix);
  OA_ASSIGN(const Bytes encoded, encode_seal_header(header, state->prefix));
  state->binding = seal_binding(encoded, context);
  OA_ASSERT(EVP_EncryptInit_ex2(state->cipher.get(), aes_256_gcm(), data_key.view().data(), nullptr,
                                nullptr) == 1);
  OA_TRY(out.write(encoded));
  return std::unique_ptr<SealWriter>(new SealWriter(std::move(state)));
}

Status SealWriter::write(ByteView bytes) {
  // A failed write lost bytes: what came later must never be finished into something that opens.
  if (!std::exchange(state_->open, false)) {
    return make_error(ErrorCode::kPreconditionFailed, "seal.write", "this sealed stream has ended");
  }
  OA_TRY(state_->put(bytes));
  state_->open = true;
  return {};
}

Status SealWriter::finish() {
  if (!std::exchange(state_->open, false)) {
    return make_error(ErrorCode::kPreconditionFailed, "seal.finish",
                      "this sealed stream has ended");
  }
  return state_->finish();
}

}  // namespace oa
