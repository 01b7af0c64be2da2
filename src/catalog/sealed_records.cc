// Secrets and signing keys: rows that hold only what oa/keys has sealed.
#include "oa/catalog/repositories.h"
#include "row_reader.h"

namespace oa::catalog {

Result<std::vector<SealedSecret>> Secrets::list() {
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query("SELECT id, name, kind, sealed, created_at FROM secrets ORDER BY id"));
  std::vector<SealedSecret> secrets;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    SealedSecret secret;
    secret.id = row.id<SecretId>();
    secret.name = row.text();
    OA_ASSIGN(secret.kind, row.enumerator<SecretKind>());
    secret.sealed = row.bytes();
    secret.created_at = row.timestamp();
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

Status Secrets::put(const SealedSecret& secret) {
  return tx_.connection().execute(
      "INSERT INTO secrets (id, name, kind, sealed, created_at) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, kind = excluded.kind, "
      "sealed = excluded.sealed, created_at = excluded.created_at",
      {Parameter::of(secret.id), Parameter::of(secret.name), Parameter::of(to_text(secret.kind)),
       Parameter::of(secret.sealed), Parameter::of(secret.created_at)});
}

Result<std::vector<SigningKeyRecord>> SigningKeys::list() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(
                "SELECT public_key, sealed_seed, created_at, retired_at FROM signing_keys "
                "ORDER BY created_at, public_key"));
  std::vector<SigningKeyRecord> keys;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    SigningKeyRecord key;
    key.public_key = row.text();
    key.sealed_seed = row.bytes();
    key.created_at = row.timestamp();
    key.retired_at = row.optional_timestamp();
    keys.push_back(std::move(key));
  }
  return keys;
}

Status SigningKeys::rotate_to(const SigningKeyRecord& record) {
  OA_TRY(
      tx_.connection().execute("UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL",
                               {Parameter::of(record.created_at)}));
  return tx_.connection().execute(
      "INSERT INTO signing_keys (public_key, sealed_seed, created_at, retired_at) VALUES ($1, $2, "
      "$3, $4)",
      {Parameter::of(record.public_key), Parameter::of(record.sealed_seed),
       Parameter::of(record.created_at), Parameter::of(record.retired_at)});
}

}  // namespace oa::catalog
