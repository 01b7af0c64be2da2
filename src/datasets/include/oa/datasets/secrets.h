// A tenant's secrets: sealed one by one under the tenant's key, never handed out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/catalog/database.h"
#include "oa/datasets/actor.h"
#include "oa/keys/key_service.h"

namespace oa::datasets {

/// All that anybody is told of a secret.
struct SecretInfo {
  SecretId id;
  std::string name;
  catalog::SecretKind kind = catalog::SecretKind::kPostgres;
  Timestamp created_at;
  std::optional<Timestamp> rotated_at;
  std::optional<Timestamp> expires_at;  // of a certificate
};

/// One tenant's secrets. What a semantic model's `source.ref` names is a secret of kind postgres.
///
/// A payload is a JSON object, at most 256 KiB:
///   postgres          host, database, user, password; port (5432), sslmode (verify-full), ca (PEM)
///   cloud_key         provider (aws, azure, gcp or s3), access_key_id, secret_access_key;
///                     session_token, region, endpoint
///   saml_certificate  certificate: one X.509 certificate in PEM
/// Names have 1 to 128 of [A-Za-z0-9._-]. No function returns or logs a payload, and no error
/// quotes one. Thread-safe. Errors: kInvalidArgument, those of the database and of the key service.
class SecretStore {
 public:
  /// Borrows both.
  SecretStore(catalog::Database& database, KeyService& keys, TenantId tenant)
      : database_(database), keys_(keys), tenant_(tenant) {}

  /// kAlreadyExists when the name is taken. Audited as `admin.secret.create`.
  Result<SecretInfo> put(std::string_view name, catalog::SecretKind kind,
                         const SecretBytes& payload, const Actor& actor);
  /// Another value of the same kind under a data key of its own; the old one is gone. kNotFound.
  /// Audited as `admin.secret.rotate`.
  Result<SecretInfo> rotate(std::string_view name, const SecretBytes& payload, const Actor& actor);
  /// Seals every secret anew, under the current version of the tenant's key; how many. Values stay.
  /// Audited as `admin.secret.rewrap`.
  Result<std::uint64_t> rewrap_all(const Actor& actor);
  Result<std::vector<SecretInfo>> list();  // by name
  /// kConflict while a dataset names it, unless `force`; kNotFound. Audited as
  /// `admin.secret.delete`.
  Status remove(std::string_view name, bool force, const Actor& actor);

 private:
  catalog::Database& database_;
  KeyService& keys_;
  TenantId tenant_;
};

}  // namespace oa::datasets
