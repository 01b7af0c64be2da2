#include "oa/crypto/secret.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstring>
#include <utility>

#include "sodium_library.h"

namespace oa {

void require_sodium() {
  static const bool ready = sodium_init() >= 0;
  OA_ASSERT(ready);
}

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  require_sodium();
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size));
  OA_ASSERT(data_ != nullptr);
  std::memset(data_, 0, size);
}

SecretBytes SecretBytes::copy_of(ByteView bytes) {
  SecretBytes copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data_, bytes.data(), bytes.size());
  return copy;
}

SecretBytes SecretBytes::random(std::size_t size) {
  SecretBytes secret(size);
  random_fill(secret.mutable_view());
  return secret;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SecretBytes::~SecretBytes() { sodium_free(data_); }

Result<SecretBytes> secret_from_base64(std::string_view text) {
  require_sodium();
  SecretBytes longest(text.size() / 4 * 3);
  std::size_t size = 0;
  if (sodium_base642bin(longest.mutable_view().data(), longest.size(), text.data(), text.size(),
                        nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
    return make_error(ErrorCode::kInvalidArgument, "secret.decode", "not base64 with padding");
  }
  return SecretBytes::copy_of(longest.view().first(size));
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void random_fill(std::span<std::uint8_t> out) {
  require_sodium();
  randombytes_buf(out.data(), out.size());
}

void forbid_core_dumps() {
  const rlimit none{0, 0};
  OA_ASSERT(setrlimit(RLIMIT_CORE, &none) == 0);
  OA_ASSERT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

}  // namespace oa
