// What Postgres keeps of a password (RFC 5802, RFC 7677; PostgreSQL 15 manual, "pg_authid"):
// "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>", in base64.
#pragma once

#include <string_view>

#include "oa/crypto/secret.h"

namespace oa::catalog {

/// Whether `verifier` was made of `password`. False for what is no such verifier, and for passwords
/// beyond printable ASCII, which would have to be prepared first.
bool scram_fits(std::string_view verifier, const SecretBytes& password);

}  // namespace oa::catalog
