// AES-256-GCM of numbered frames under one key, for logs that grow frame by frame. What OAS1
// (seal.h) does not fit.
#pragma once

#include <memory>

#include "oa/crypto/secret.h"

namespace oa {

inline constexpr std::size_t kFrameTagSize = 16;

/// Nonce: the frame's number, 12 bytes big-endian. The caller sees to it that a number is sealed
/// once under a key. Not thread-safe.
class FrameCipher {
 public:
  /// `key` has kDataKeySize bytes; kInvalidArgument.
  static Result<FrameCipher> create(const SecretBytes& key);
  FrameCipher(FrameCipher&&) noexcept;
  FrameCipher& operator=(FrameCipher&&) noexcept;
  ~FrameCipher();

  /// `out` has room for `plain` and the tag behind it.
  void seal(std::uint64_t number, ByteView associated, ByteView plain, std::span<std::uint8_t> out);
  /// False when `sealed` is not what was sealed under that number with these associated data;
  /// `out`, as long as the plain bytes, is then zeroed.
  bool open(std::uint64_t number, ByteView associated, ByteView sealed,
            std::span<std::uint8_t> out);

 private:
  struct State;
  explicit FrameCipher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa
