// What is inside a secret, per kind.
#pragma once

#include <optional>

#include "oa/catalog/database.h"
#include "oa/crypto/secret.h"
#include "oa/keys/key_service.h"
#include "oa/sources/postgres_source.h"

namespace oa::datasets {

/// What may be told of a payload.
struct PayloadFacts {
  std::optional<Timestamp> expires_at;
};

/// kInvalidArgument naming the member that is wrong, never its content.
Result<PayloadFacts> check_payload(catalog::SecretKind kind, const SecretBytes& payload);
/// Of a payload of kind postgres.
Result<sources::PostgresCredentials> decode_postgres(const SecretBytes& payload);

/// The credentials that `name` stands for: only for this module's own connections. kSourceRefused,
/// with a hint, when there is no such secret or it is of another kind.
Result<sources::PostgresCredentials> open_postgres(catalog::TenantTransaction& transaction,
                                                   KeyService& keys, std::string_view name);

}  // namespace oa::datasets
