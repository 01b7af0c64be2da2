// Bytes and their text forms.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/result.h"

namespace oa {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
/// Accepts both cases; kInvalidArgument on an odd length or another character.
Result<Bytes> from_hex(std::string_view text);

/// RFC 4648 base64 with padding.
std::string to_base64(ByteView bytes);
/// Strict: padding required, no white space, no non-zero trailing bits.
Result<Bytes> from_base64(std::string_view text);

/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

/// Unsigned little-endian integers for binary headers.
template <class T>
void append_le(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
/// `bytes` must hold at least sizeof(T) bytes.
template <class T>
T read_le(ByteView bytes) {
  OA_ASSERT(bytes.size() >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<T>(bytes[i]) << (8 * i));
  return value;
}

/// "1.5 MiB", for people.
std::string format_size(std::uint64_t bytes);

}  // namespace oa
