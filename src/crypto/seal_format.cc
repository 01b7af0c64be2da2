#include "seal_format.h"

#include <algorithm>

#include "oa/crypto/hash.h"

namespace oa {
namespace {

constexpr std::array<std::uint8_t, 8> kFixed = {
    'O', 'A', 'S', '1',
    1,   // version
    1,   // algorithm: AES-256-GCM in STREAM
    16,  // log2 of the chunk size
    0,   // reserved
};
static_assert(kSealChunkSize == 1u << 16);
constexpr std::size_t kLengthsOffset = kFixed.size();
constexpr std::size_t kPrefixOffset = kLengthsOffset + 4;
constexpr std::size_t kFieldsOffset = kPrefixOffset + kSealPrefixSize;
constexpr std::size_t kMaxKeyId = 255;
constexpr std::size_t kMaxWrappedKey = 4096;
// One read gets every header that our own key services make.
constexpr std::size_t kFirstRead = 512;

}  // namespace

Error seal_corrupt(std::string message) {
  return make_error(ErrorCode::kSealCorrupt, "seal.open", std::move(message))
      .with_hint(
          "the stored bytes, their name or their key are not what was sealed; use another copy");
}

Status check_data_key(const SecretBytes& data_key) {
  if (data_key.size() == kDataKeySize) return {};
  return make_error(ErrorCode::kInvalidArgument, "seal", "a data key has 32 bytes");
}

Result<Bytes> encode_seal_header(const SealHeader& header, const SealPrefix& prefix) {
  if (header.key_id.size() > kMaxKeyId || header.wrapped_key.size() > kMaxWrappedKey) {
    return make_error(ErrorCode::kInvalidArgument, "seal.create",
                      "key id or wrapped key is too long for a header");
  }
  Bytes bytes(kFixed.begin(), kFixed.end());
  append_le(bytes, static_cast<std::uint16_t>(header.key_id.size()));
  append_le(bytes, static_cast<std::uint16_t>(header.wrapped_key.size()));
  bytes.insert(bytes.end(), prefix.begin(), prefix.end());
  bytes.insert(bytes.end(), header.key_id.begin(), header.key_id.end());
  bytes.insert(bytes.end(), header.wrapped_key.begin(), header.wrapped_key.end());
  return bytes;
}

Result<ParsedSealHeader> parse_seal_header(const RangedSource& sealed) {
  if (sealed.size() < kFieldsOffset) return seal_corrupt("too short for a sealed object");
  ParsedSealHeader parsed;
  Bytes& bytes = parsed.encoded;
  bytes.resize(std::min<std::uint64_t>(kFirstRead, sealed.size()));
  OA_TRY(sealed.read_at(0, bytes));
  if (!std::equal(kFixed.begin(), kFixed.end(), bytes.begin())) {
    return seal_corrupt("not a sealed object of version 1");
  }
  const std::size_t key_id = read_le<std::uint16_t>(ByteView(bytes).subspan(kLengthsOffset));
  const std::size_t wrapped = read_le<std::uint16_t>(ByteView(bytes).subspan(kLengthsOffset + 2));
  const std::size_t whole = kFieldsOffset + key_id + wrapped;
  if (key_id > kMaxKeyId || wrapped > kMaxWrappedKey) return seal_corrupt("bad header lengths");
  if (whole > sealed.size()) return seal_corrupt("the header is cut off");
  const std::size_t have = std::min(bytes.size(), whole);
  bytes.resize(whole);
  OA_TRY(sealed.read_at(have, std::span(bytes).subspan(have)));

  const auto fields = bytes.begin() + kFieldsOffset;
  const auto wrapped_at = fields + static_cast<std::ptrdiff_t>(key_id);
  std::copy_n(bytes.begin() + kPrefixOffset, kSealPrefixSize, parsed.prefix.begin());
  parsed.header.key_id.assign(fields, wrapped_at);
  parsed.header.wrapped_key.assign(wrapped_at, bytes.end());
  return parsed;
}

Result<SealHeader> read_seal_header(const RangedSource& sealed) {
  OA_ASSIGN(ParsedSealHeader parsed, parse_seal_header(sealed));
  return std::move(parsed.header);
}

SealBinding seal_binding(ByteView encoded_header, std::string_view context) {
  Bytes context_size;
  append_le(context_size, static_cast<std::uint32_t>(context.size()));
  Sha256 hash;
  hash.update(encoded_header);
  hash.update(context_size);
  hash.update(as_bytes(context));
  return hash.finish();
}

SealNonce seal_nonce(const SealPrefix& prefix, std::uint64_t chunk, bool last) {
  OA_ASSERT(chunk < kMaxSealChunks);
  SealNonce nonce;
  std::copy(prefix.begin(), prefix.end(), nonce.begin());
  for (std::size_t i = 0; i < 4; ++i) {
    nonce[kSealPrefixSize + i] = static_cast<std::uint8_t>(chunk >> (24 - 8 * i));
  }
  nonce[kGcmNonceSize - 1] = last ? 1 : 0;
  return nonce;
}

}  // namespace oa
