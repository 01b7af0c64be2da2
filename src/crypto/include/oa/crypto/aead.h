// AES-256-GCM for one short secret at a time (a wrapped key). Streams use seal.h.
#pragma once

#include <string_view>

#include "oa/crypto/secret.h"

namespace oa {

/// Nonce and tag: by so much a wrapped secret is longer than the secret.
inline constexpr std::size_t kWrapOverhead = 12 + 16;

/// Encrypts `secret` under the 32-byte `key` with a random nonce and `context` as associated data.
/// The nonce bounds one key to 2^32 wraps. Form: nonce, ciphertext, tag.
Bytes wrap_secret(const SecretBytes& key, std::string_view context, const SecretBytes& secret);

/// The reverse; kKeyWrong when `wrapped` does not authenticate under `key` and `context`.
Result<SecretBytes> unwrap_secret(const SecretBytes& key, std::string_view context,
                                  ByteView wrapped);

}  // namespace oa
