// Secrets: rows that hold only what oa/keys has sealed.
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {

namespace {

constexpr std::size_t kMaxSealedBytes = std::size_t{2} << 20;

Result<SealedSecret> read_secret(const Rows& rows, int index) {
  RowReader row(rows, index);
  SealedSecret secret;
  secret.id = row.id<SecretId>();
  secret.name = row.text();
  OA_ASSIGN(secret.kind, row.enumerator<SecretKind>());
  secret.sealed = row.bytes();
  secret.created_at = row.timestamp();
  secret.rotated_at = row.optional_timestamp();
  secret.expires_at = row.optional_timestamp();
  return secret;
}

Result<SealedSecret> one_secret(const Rows& rows) {
  if (rows.count() == 1) return read_secret(rows, 0);
  return make_error(ErrorCode::kNotFound, "secrets.get", "no secret has this name");
}

}  // namespace

Result<std::vector<SealedSecret>> Secrets::list() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT id, name, kind, sealed, created_at, rotated_at, "
                                   "expires_at FROM secrets ORDER BY id"));
  std::vector<SealedSecret> secrets;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(SealedSecret secret, read_secret(rows, i));
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

Result<SealedSecret> Secrets::get(std::string_view name) {
  OA_TRY(check_name("name", name));
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT id, name, kind, sealed, created_at, rotated_at, "
                                   "expires_at FROM secrets WHERE name = $1",
                                   {Parameter::of(name)}));
  return one_secret(rows);
}

Result<SealedSecret> Secrets::lock(std::string_view name) {
  OA_TRY(check_name("name", name));
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT id, name, kind, sealed, created_at, rotated_at, "
                                   "expires_at FROM secrets WHERE name = $1 FOR UPDATE",
                                   {Parameter::of(name)}));
  return one_secret(rows);
}

Status Secrets::put(const SealedSecret& secret) {
  OA_TRY(check_name("name", secret.name));
  if (secret.sealed.size() > kMaxSealedBytes) {
    return make_error(ErrorCode::kInvalidArgument, "secrets.put", "a secret has at most 1 MiB");
  }
  return tx_.connection().execute(
      "INSERT INTO secrets (id, name, kind, sealed, created_at, rotated_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) "
      "ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, kind = excluded.kind, "
      "sealed = excluded.sealed, created_at = excluded.created_at, "
      "rotated_at = excluded.rotated_at, expires_at = excluded.expires_at",
      {Parameter::of(secret.id), Parameter::of(secret.name), Parameter::of(to_text(secret.kind)),
       Parameter::of(secret.sealed), Parameter::of(secret.created_at),
       Parameter::of(secret.rotated_at), Parameter::of(secret.expires_at)});
}

Status Secrets::remove(SecretId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM secrets WHERE id = $1", {Parameter::of(id)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "secrets.remove", "no secret has this id");
}

Result<std::uint64_t> Secrets::uses(std::string_view name) {
  OA_TRY(check_name("name", name));
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT count(*) FROM datasets WHERE source_ref = $1",
                                   {Parameter::of(name)}));
  return static_cast<std::uint64_t>(RowReader(rows, 0).bigint());
}

}  // namespace oa::catalog
