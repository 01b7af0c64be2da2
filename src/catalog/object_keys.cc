#include "oa/catalog/object_keys.h"

#include "row_reader.h"

namespace oa::catalog {

Result<bool> ObjectKeys::any() {
  OA_ASSIGN(const Rows rows, tx_.connection().query("SELECT EXISTS (SELECT FROM object_keys)"));
  return RowReader(rows, 0).boolean();
}

Result<std::optional<RewrappedKey>> ObjectKeys::find(const ObjectVersionName& object) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT key_id, wrapped FROM object_keys WHERE "
                                   "retention_class = $1 AND name = $2 AND version = $3",
                                   {Parameter::of(object.retention_class),
                                    Parameter::of(object.name), Parameter::of(object.version)}));
  if (rows.count() == 0) return std::optional<RewrappedKey>();
  RowReader row(rows, 0);
  RewrappedKey key;
  key.key_id = row.text();
  key.wrapped = row.bytes();
  return std::optional(std::move(key));
}

Status ObjectKeys::put(const ObjectVersionName& object, const RewrappedKey& key) {
  return tx_.connection().execute(
      "INSERT INTO object_keys (retention_class, name, version, key_id, wrapped, seen_at) "
      "VALUES ($1, $2, $3, $4, $5, now()) ON CONFLICT (tenant_id, retention_class, name, version) "
      "DO UPDATE SET key_id = excluded.key_id, wrapped = excluded.wrapped, seen_at = now()",
      {Parameter::of(object.retention_class), Parameter::of(object.name),
       Parameter::of(object.version), Parameter::of(key.key_id), Parameter::of(key.wrapped)});
}

Status ObjectKeys::seen(const ObjectVersionName& object) {
  return tx_.connection().execute(
      "UPDATE object_keys SET seen_at = now() WHERE retention_class = $1 AND name = $2 AND version "
      "= $3",
      {Parameter::of(object.retention_class), Parameter::of(object.name),
       Parameter::of(object.version)});
}

Result<std::uint64_t> ObjectKeys::remove_not_seen_since(Timestamp moment) {
  OA_ASSIGN(const Rows rows, tx_.connection().query("DELETE FROM object_keys WHERE seen_at < $1",
                                                    {Parameter::of(moment)}));
  return rows.affected();
}

Result<bool> reseal_signing_key(TenantTransaction& transaction, const std::string& public_key,
                                const Bytes& before, const Bytes& after) {
  OA_ASSIGN(
      const Rows rows,
      transaction.connection().query(
          "UPDATE signing_keys SET sealed_seed = $3 WHERE public_key = $1 AND sealed_seed = $2",
          {Parameter::of(public_key), Parameter::of(before), Parameter::of(after)}));
  return rows.affected() == 1;
}

}  // namespace oa::catalog
