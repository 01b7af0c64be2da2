// What a token remembers of a tenant's key beside the KEKs: the value of a data object.
#pragma once

#include "key_life.h"

namespace oa {

struct Pkcs11Record : KeyLife {
  TenantId tenant;
  std::uint64_t sequence = 1;  // of several the highest holds
  std::uint32_t current_version = 1;

  Bytes encode() const;
  /// kSealCorrupt when `bytes` is not what encode() made.
  static Result<Pkcs11Record> decode(ByteView bytes);
};

}  // namespace oa
