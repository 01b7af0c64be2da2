// A secret that all processes which serve one instance have in common, and nobody else.
#pragma once

#include "oa/crypto/secret.h"
#include "oa/instance/instance.h"

namespace oa::instance {

/// 32 random bytes, made by whoever asks first. They are in `keys/service.key` of the data folder,
/// sealed under a key of their own in the key service; without that file others are made. Errors:
/// those of the file and of the key service; kSealCorrupt.
Result<SecretBytes> service_key(Instance& instance);

}  // namespace oa::instance
