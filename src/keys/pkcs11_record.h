// What a token remembers of a tenant's key beside the KEKs: the value of a data object.
#pragma once

#include <optional>

#include "oa/base/clock.h"
#include "oa/base/ids.h"
#include "oa/crypto/secret.h"

namespace oa {

struct Pkcs11Record {
  TenantId tenant;
  std::uint64_t sequence = 1;  // of several the highest holds
  bool enabled = true;
  bool destroyed = false;               // the KEKs are gone; stays for good
  std::optional<Timestamp> destroy_at;  // set while destruction is pending
  Timestamp created_at;
  std::uint32_t current_version = 1;

  bool destroyed_by(Timestamp now) const { return destroyed || (destroy_at && *destroy_at <= now); }

  Bytes encode() const;
  /// kSealCorrupt when `bytes` is not what encode() made.
  static Result<Pkcs11Record> decode(ByteView bytes);
};

}  // namespace oa
