#include "pkcs11_record.h"

#include <algorithm>

namespace oa {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kSize = 1 + 1 + 16 + 8 + 8 + 8 + 4;
enum Flag : std::uint8_t { kEnabled = 1, kPending = 2, kDestroyed = 4 };

}  // namespace

Bytes Pkcs11Record::encode() const {
  Bytes bytes{kFormat,
              static_cast<std::uint8_t>((enabled ? kEnabled : 0) | (destroy_at ? kPending : 0) |
                                        (destroyed ? kDestroyed : 0))};
  for (const std::uint8_t byte : tenant.uuid().raw()) bytes.push_back(byte);
  append_le(bytes, sequence);
  append_le(bytes, static_cast<std::uint64_t>(created_at.unix_us));
  append_le(bytes, static_cast<std::uint64_t>(destroy_at.value_or(Timestamp{}).unix_us));
  append_le(bytes, current_version);
  OA_ASSERT(bytes.size() == kSize);
  return bytes;
}

Result<Pkcs11Record> Pkcs11Record::decode(ByteView bytes) {
  if (bytes.size() != kSize || bytes[0] != kFormat ||
      bytes[1] > (kEnabled | kPending | kDestroyed)) {
    return make_error(ErrorCode::kSealCorrupt, "pkcs11.record",
                      "a record of a tenant's key on the token makes no sense");
  }
  Pkcs11Record record;
  record.enabled = (bytes[1] & kEnabled) != 0;
  record.destroyed = (bytes[1] & kDestroyed) != 0;
  const bool pending = (bytes[1] & kPending) != 0;
  Uuid::Raw id;
  std::ranges::copy(bytes.subspan(2, id.size()), id.begin());
  record.tenant = TenantId(Uuid(id));
  bytes = bytes.subspan(2 + id.size());
  record.sequence = read_le<std::uint64_t>(bytes);
  record.created_at.unix_us = static_cast<std::int64_t>(read_le<std::uint64_t>(bytes.subspan(8)));
  if (pending) {
    record.destroy_at =
        Timestamp{static_cast<std::int64_t>(read_le<std::uint64_t>(bytes.subspan(16)))};
  }
  record.current_version = read_le<std::uint32_t>(bytes.subspan(24));
  return record;
}

}  // namespace oa
