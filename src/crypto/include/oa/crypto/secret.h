// Memory for keys and passwords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "oa/base/bytes.h"

namespace oa {

/// A fixed number of secret bytes in guarded memory (libsodium sodium_malloc): locked where the
/// limit allows, excluded from core dumps, zeroed when released. Cannot be copied implicitly,
/// compared with == or printed.
class SecretBytes {
 public:
  SecretBytes() = default;
  /// `size` zero bytes.
  explicit SecretBytes(std::size_t size);
  static SecretBytes copy_of(ByteView bytes);
  /// From the kernel's generator.
  static SecretBytes random(std::size_t size);
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  SecretBytes clone() const { return copy_of(view()); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return {data_, size_}; }
  std::span<std::uint8_t> mutable_view() { return {data_, size_}; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// RFC 4648 base64 with padding, in constant time and into secret memory; kInvalidArgument
/// otherwise.
Result<SecretBytes> secret_from_base64(std::string_view text);
/// Constant-time equality of two byte strings of equal length; false when the lengths differ.
bool constant_time_equal(ByteView a, ByteView b);
/// Fills `out` from the kernel's generator; aborts when there is none.
void random_fill(std::span<std::uint8_t> out);
/// Turns core dumps of this process off (RLIMIT_CORE and PR_SET_DUMPABLE). Call once at start of
/// main().
void forbid_core_dumps();

}  // namespace oa
