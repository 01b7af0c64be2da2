#pragma once

#include "oa/crypto/secret.h"

namespace oa {

/// Cost of Argon2id (RFC 9106).
struct Argon2Cost {
  std::uint64_t operations = 3;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;
};

inline constexpr std::size_t kArgon2SaltSize = 16;

/// Derives `size` bytes from a passphrase. `salt` has kArgon2SaltSize bytes. kLimitExceeded when
/// memory is short.
Result<SecretBytes> derive_from_passphrase(const SecretBytes& passphrase, ByteView salt,
                                           const Argon2Cost& cost, std::size_t size);

/// Argon2id hash of a login password in the PHC string form, with interactive cost.
Result<std::string> hash_password(const SecretBytes& password);
/// True when `password` matches a string from hash_password().
bool verify_password(const std::string& hash, const SecretBytes& password);

}  // namespace oa
