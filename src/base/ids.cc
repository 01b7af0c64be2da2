#include "oa/base/ids.h"

#include <sys/random.h>

#include <cstring>

#include "oa/base/bytes.h"

namespace oa {

Uuid Uuid::random() {
  Raw raw;
  OA_ASSERT(getrandom(raw.data(), raw.size(), 0) == static_cast<ssize_t>(raw.size()));
  raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0F) | 0x40);
  raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3F) | 0x80);
  return Uuid(raw);
}

std::string Uuid::str() const {
  const std::string hex = to_hex(raw_);
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text.push_back('-');
    text.push_back(hex[i]);
  }
  return text;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto bad = [] {
    return make_error(ErrorCode::kInvalidArgument, "uuid.parse", "not a UUID");
  };
  if (text.size() != 36) return bad();
  std::string hex;
  for (std::size_t i = 0; i < 36; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return bad();
    if (!dash) hex.push_back(text[i]);
  }
  const auto bytes = from_hex(hex);
  if (!bytes.ok()) return bad();
  Raw raw;
  std::memcpy(raw.data(), bytes->data(), raw.size());
  return Uuid(raw);
}

}  // namespace oa

std::size_t std::hash<oa::Uuid>::operator()(const oa::Uuid& uuid) const noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, uuid.raw().data(), sizeof halves);
  return halves[0] ^ (halves[1] * 0x9E3779B97F4A7C15ULL);
}
