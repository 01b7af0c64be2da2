// The layout of OAS1 (docs/format.md, "Sealed objects"), shared by the writer and the reader.
#pragma once

#include <array>
#include <string_view>

#include "oa/crypto/seal.h"
#include "openssl_library.h"

namespace oa {

inline constexpr std::size_t kSealedChunkSize = kSealChunkSize + kGcmTagSize;
inline constexpr std::size_t kSealPrefixSize =
    7;  // of the nonce; then the chunk's index and the last-chunk flag
inline constexpr std::uint64_t kMaxSealChunks = std::uint64_t{1} << 32;

using SealPrefix = std::array<std::uint8_t, kSealPrefixSize>;
using SealBinding = std::array<std::uint8_t, 32>;  // associated data of every chunk
using SealNonce = std::array<std::uint8_t, kGcmNonceSize>;

/// A header with its exact bytes.
struct ParsedSealHeader {
  SealHeader header;
  SealPrefix prefix{};
  Bytes encoded;
};

/// kInvalidArgument when the key id or the wrapped key is too long.
Result<Bytes> encode_seal_header(const SealHeader& header, const SealPrefix& prefix);
/// kSealCorrupt when `sealed` does not begin with a well-formed header.
Result<ParsedSealHeader> parse_seal_header(const RangedSource& sealed);

/// SHA-256 over header, length of the context and context: ties each chunk to both.
SealBinding seal_binding(ByteView encoded_header, std::string_view context);
SealNonce seal_nonce(const SealPrefix& prefix, std::uint64_t chunk, bool last);

/// kInvalidArgument unless `data_key` has kDataKeySize bytes.
Status check_data_key(const SecretBytes& data_key);
Error seal_corrupt(std::string message);

}  // namespace oa
