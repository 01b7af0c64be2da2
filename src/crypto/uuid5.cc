#include "oa/crypto/uuid5.h"

#include <algorithm>

#include "oa/crypto/sha1.h"

namespace oa {

Uuid uuid5(const Uuid& name_space, std::string_view name) {
  Sha1 hash;
  hash.update(name_space.raw());
  hash.update(as_bytes(name));
  const Sha1Digest digest = hash.finish();
  Uuid::Raw raw;
  std::copy_n(digest.begin(), raw.size(), raw.begin());
  raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0f) | 0x50);  // version 5
  raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3f) | 0x80);  // RFC 9562 variant
  return Uuid(raw);
}

}  // namespace oa
