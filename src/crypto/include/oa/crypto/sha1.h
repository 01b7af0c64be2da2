// SHA-1 (FIPS 180-4), for name-based UUIDs and for checksums of what a network may have damaged:
// nothing here relies on it against an attacker.
#pragma once

#include "oa/crypto/hash.h"

namespace oa {

using Sha1Digest = std::array<std::uint8_t, 20>;
extern template class Hash<Sha1Digest>;
using Sha1 = Hash<Sha1Digest>;

}  // namespace oa
