// The plaintext of an object out of sealed bytes, wherever they came from.
#pragma once

#include <memory>

#include "oa/keys/key_service.h"
#include "oa/objects/object_store.h"

namespace oa {

/// Opens `stored` as a version of the object `key`. kSealCorrupt when it is none; errors of the key
/// service.
Result<std::unique_ptr<RangedSource>> open_sealed(KeyService& keys, const ObjectKey& key,
                                                  std::unique_ptr<RangedSource> stored);

}  // namespace oa
