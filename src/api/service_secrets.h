// What is derived from the key that all processes of an instance share.
#pragma once

#include "oa/crypto/hash.h"

namespace oa::api {

struct ServiceSecrets {
  Sha256Digest cursors{};   // authenticates cursors
  Sha256Digest requests{};  // tells requests of one Idempotency-Key apart
  static ServiceSecrets of(ByteView service_key) {
    return {hmac_sha256(service_key, as_bytes("oa-cursors:v1")),
            hmac_sha256(service_key, as_bytes("oa-requests:v1"))};
  }
};

}  // namespace oa::api
