// The root key of a key store: out of a file or a passphrase. The store's clear header says how.
#pragma once

#include "oa/crypto/kdf.h"
#include "oa/keys/local_key_service.h"

namespace oa {

/// The clear header of a key store file. Bound into everything sealed behind it.
struct RootKeyHeader {
  bool from_passphrase = false;
  Argon2Cost cost{0, 0};                             // zero for a key file
  std::array<std::uint8_t, kArgon2SaltSize> salt{};  // zero for a key file

  static constexpr std::size_t kSize = 40;
  Bytes encode() const;
  /// kSealCorrupt when `bytes` does not begin with a header.
  static Result<RootKeyHeader> decode(ByteView bytes);
  bool operator==(const RootKeyHeader& other) const { return encode() == other.encode(); }
};

/// A header for a new store, with a fresh salt. kInvalidArgument unless `source` names exactly one
/// origin.
Result<RootKeyHeader> new_root_key_header(const RootKeySource& source);
/// The root key that `header` asks for. kInvalidArgument, kKeyStoreMissing (no key file),
/// kPermissionDenied, kKeyWrong (the wrong kind of source, or a key file of another size).
Result<SecretBytes> load_root_key(const RootKeySource& source, const RootKeyHeader& header);
/// Makes the key file of `source` when there is none. It appears whole or not at all.
Status ensure_root_key_file(const RootKeySource& source);

}  // namespace oa
