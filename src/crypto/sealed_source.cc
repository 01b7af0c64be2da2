#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "seal_format.h"

namespace oa {
namespace {

// Sealed bytes come in by pieces of at most about 1 MiB.
constexpr std::uint64_t kMaxChunksPerRead = 16;
constexpr std::uint64_t kNoChunk = ~std::uint64_t{0};

// What one read needs and the next can use again: a keyed cipher, a buffer, and the last chunk that
// was read in part, so that small reads in order decrypt each chunk once.
struct Lane {
  ~Lane() { OPENSSL_cleanse(cached.data(), cached.size()); }
  CipherContext cipher = new_cipher_context();
  Bytes sealed;
  Bytes cached;
  std::uint64_t cached_chunk = kNoChunk;
};

}  // namespace

struct SealedSource::State {
  std::uint64_t plain_size_of(std::uint64_t chunk) const {
    return chunk + 1 < chunks ? kSealChunkSize : plain_size - chunk * kSealChunkSize;
  }

  std::unique_ptr<Lane> borrow(std::uint64_t wanted_chunk);
  void give_back(std::unique_ptr<Lane> lane);
  Status measure();
  bool open_chunk(Lane& lane, std::uint64_t chunk, ByteView from, std::uint8_t* to) const;
  Status read_sealed(Lane& lane, std::uint64_t first, std::uint64_t count) const;
  Status cache_chunk(Lane& lane, std::uint64_t chunk) const;
  Status read_whole(Lane& lane, std::uint64_t first, std::uint64_t count, std::uint8_t* to) const;
  Status read(Lane& lane, std::uint64_t offset, std::span<std::uint8_t> out) const;

  std::unique_ptr<RangedSource> sealed;
  SecretBytes data_key;
  SealPrefix prefix{};
  SealBinding binding{};
  std::uint64_t header_size = 0;
  std::uint64_t chunks = 0;
  std::uint64_t plain_size = 0;
  std::mutex mutex;
  std::vector<std::unique_ptr<Lane>> idle;  // guarded by mutex
};

std::unique_ptr<Lane> SealedSource::State::borrow(std::uint64_t wanted_chunk) {
  {
    const std::lock_guard lock(mutex);
    if (!idle.empty()) {
      auto lane =
          std::find_if(idle.begin(), idle.end(), [&](const std::unique_ptr<Lane>& candidate) {
            return candidate->cached_chunk == wanted_chunk;
          });
      if (lane == idle.end()) --lane;
      std::swap(*lane, idle.back());
      auto taken = std::move(idle.back());
      idle.pop_back();
      return taken;
    }
  }
  auto lane = std::make_unique<Lane>();
  OA_ASSERT(EVP_DecryptInit_ex2(lane->cipher.get(), aes_256_gcm(), data_key.view().data(), nullptr,
                                nullptr) == 1);
  return lane;
}

void SealedSource::State::give_back(std::unique_ptr<Lane> lane) {
  const std::lock_guard lock(mutex);
  idle.push_back(std::move(lane));
}

// Finds the sizes. Every length has exactly one division into chunks; a length that has none is
// refused.
Status SealedSource::State::measure() {
  const std::uint64_t body = sealed->size() - header_size;
  chunks = (body + kSealedChunkSize - 1) / kSealedChunkSize;
  if (chunks == 0 || chunks > kMaxSealChunks)
    return seal_corrupt("no whole chunk follows the header");
  const std::uint64_t last = body - (chunks - 1) * kSealedChunkSize;
  if (last < kGcmTagSize || (last == kGcmTagSize && chunks > 1)) {
    return seal_corrupt("the last chunk is cut off");
  }
  plain_size = body - chunks * kGcmTagSize;
  return {};
}

// Decrypts one chunk. On false `to` holds bytes that nobody may see.
bool SealedSource::State::open_chunk(Lane& lane, std::uint64_t chunk, ByteView from,
                                     std::uint8_t* to) const {
  const SealNonce nonce = seal_nonce(prefix, chunk, chunk + 1 == chunks);
  const ByteView body = from.first(from.size() - kGcmTagSize);
  std::uint8_t tag[kGcmTagSize];
  std::memcpy(tag, from.data() + body.size(), kGcmTagSize);
  EVP_CIPHER_CTX* const context = lane.cipher.get();
  int n = 0;
  OA_ASSERT(EVP_DecryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1);
  OA_ASSERT(EVP_DecryptUpdate(context, nullptr, &n, binding.data(), binding.size()) == 1);
  if (!body.empty()) {
    OA_ASSERT(EVP_DecryptUpdate(context, to, &n, body.data(), static_cast<int>(body.size())) == 1);
  }
  OA_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTagSize, tag) == 1);
  std::uint8_t nothing_left[kGcmTagSize];
  return EVP_DecryptFinal_ex(context, nothing_left, &n) == 1;
}

// Reads the sealed form of `count` chunks into the lane's buffer.
Status SealedSource::State::read_sealed(Lane& lane, std::uint64_t first,
                                        std::uint64_t count) const {
  const std::uint64_t last_size = plain_size_of(first + count - 1) + kGcmTagSize;
  const std::size_t bytes = (count - 1) * kSealedChunkSize + last_size;
  if (lane.sealed.size() < bytes) lane.sealed.resize(bytes);
  return sealed->read_at(header_size + first * kSealedChunkSize,
                         std::span(lane.sealed).first(bytes));
}

Status SealedSource::State::cache_chunk(Lane& lane, std::uint64_t chunk) const {
  if (lane.cached_chunk == chunk) return {};
  lane.cached_chunk = kNoChunk;
  lane.cached.resize(kSealChunkSize);
  OA_TRY(read_sealed(lane, chunk, 1));
  const ByteView from = ByteView(lane.sealed).first(plain_size_of(chunk) + kGcmTagSize);
  if (!open_chunk(lane, chunk, from, lane.cached.data())) {
    OPENSSL_cleanse(lane.cached.data(), lane.cached.size());
    return seal_corrupt("a chunk does not authenticate");
  }
  lane.cached_chunk = chunk;
  return {};
}

// Chunks that are wanted from their first byte to their last: decrypted right to where they are
// wanted.
Status SealedSource::State::read_whole(Lane& lane, std::uint64_t first, std::uint64_t count,
                                       std::uint8_t* to) const {
  OA_TRY(read_sealed(lane, first, count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t chunk = first + i;
    const ByteView from =
        ByteView(lane.sealed).subspan(i * kSealedChunkSize, plain_size_of(chunk) + kGcmTagSize);
    if (!open_chunk(lane, chunk, from, to + i * kSealChunkSize)) {
      return seal_corrupt("a chunk does not authenticate");
    }
  }
  return {};
}

Status SealedSource::State::read(Lane& lane, std::uint64_t offset,
                                 std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    const std::uint64_t chunk = offset / kSealChunkSize;
    const std::uint64_t within = offset % kSealChunkSize;
    const std::uint64_t whole =
        chunk + 1 == chunks && out.size() == plain_size_of(chunk) ? 1 : out.size() / kSealChunkSize;
    std::size_t done = 0;
    if (within == 0 && whole > 0 && lane.cached_chunk != chunk) {
      const std::uint64_t count = std::min(whole, kMaxChunksPerRead);
      done = std::min<std::uint64_t>(out.size(), count * kSealChunkSize);
      OA_TRY(read_whole(lane, chunk, count, out.data()));
    } else {
      OA_TRY(cache_chunk(lane, chunk));
      done = std::min<std::uint64_t>(out.size(), plain_size_of(chunk) - within);
      std::memcpy(out.data(), lane.cached.data() + within, done);
    }
    offset += done;
    out = out.subspan(done);
  }
  return {};
}

SealedSource::SealedSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedSource::~SealedSource() = default;
std::uint64_t SealedSource::size() const { return state_->plain_size; }

Result<std::unique_ptr<SealedSource>> SealedSource::open(std::unique_ptr<RangedSource> sealed,
                                                         const SecretBytes& data_key,
                                                         std::string_view context) {
  OA_TRY(check_data_key(data_key));
  OA_ASSIGN(const ParsedSealHeader parsed, parse_seal_header(*sealed));
  auto state = std::make_unique<State>();
  state->sealed = std::move(sealed);
  state->data_key = data_key.clone();
  state->prefix = parsed.prefix;
  state->binding = seal_binding(parsed.encoded, context);
  state->header_size = parsed.encoded.size();
  OA_TRY(state->measure());
  // The last chunk's flag and index prove that nothing is missing before it, so it proves the size.
  auto lane = state->borrow(kNoChunk);
  OA_TRY(state->cache_chunk(*lane, state->chunks - 1));
  state->give_back(std::move(lane));
  return std::unique_ptr<SealedSource>(new SealedSource(std::move(state)));
}

Status SealedSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > state_->plain_size || out.size() > state_->plain_size - offset) {
    return make_error(ErrorCode::kInvalidArgument, "seal.read",
                      "the range lies outside of the sealed object");
  }
  auto lane = state_->borrow(offset / kSealChunkSize);
  const Status status = state_->read(*lane, offset, out);
  // Nothing of a read that failed may be used, also not the chunks before the bad one.
  if (!status.ok()) OPENSSL_cleanse(out.data(), out.size());
  state_->give_back(std::move(lane));
  return status;
}

}  // namespace oa
