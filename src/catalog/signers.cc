// Whose signatures a tenant trusts: its own keys and the signers it accepted.
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {

Result<std::vector<SigningKeyRecord>> SigningKeys::list() {
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query(
          "SELECT public_key, sealed_seed, created_at, retired_at, revoked_at FROM signing_keys "
          "ORDER BY created_at, public_key"));
  std::vector<SigningKeyRecord> keys;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    SigningKeyRecord key;
    key.public_key = row.text();
    key.sealed_seed = row.bytes();
    key.created_at = row.timestamp();
    key.retired_at = row.optional_timestamp();
    key.revoked_at = row.optional_timestamp();
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

Status SigningKeys::revoke(const std::string& public_key, Timestamp at) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("UPDATE signing_keys SET revoked_at = $2 WHERE public_key = $1 "
                                   "AND retired_at IS NOT NULL AND revoked_at IS NULL",
                                   {Parameter::of(public_key), Parameter::of(at)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "signing_keys.revoke",
                    "no retired signing key that is trusted has this public key");
}

Result<std::vector<AcceptedSigner>> AcceptedSigners::list() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT public_key, fingerprint, note, accepted_by, "
                                   "accepted_at, revoked_at FROM accepted_signers "
                                   "ORDER BY accepted_at, public_key"));
  std::vector<AcceptedSigner> signers;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    AcceptedSigner signer;
    signer.public_key = row.text();
    signer.fingerprint = row.text();
    signer.note = row.text();
    signer.accepted_by = row.id<UserId>();
    signer.accepted_at = row.timestamp();
    signer.revoked_at = row.optional_timestamp();
    signers.push_back(std::move(signer));
  }
  return signers;
}

Status AcceptedSigners::accept(const AcceptedSigner& signer) {
  OA_TRY(check_name("note", signer.note));
  return tx_.connection().execute(
      "INSERT INTO accepted_signers (public_key, fingerprint, note, accepted_by, accepted_at) "
      "VALUES ($1, $2, $3, $4, $5)",
      {Parameter::of(signer.public_key), Parameter::of(signer.fingerprint),
       Parameter::of(signer.note), Parameter::of(signer.accepted_by),
       Parameter::of(signer.accepted_at)});
}

Status AcceptedSigners::revoke(const std::string& public_key, Timestamp at) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("UPDATE accepted_signers SET revoked_at = $2 "
                                   "WHERE public_key = $1 AND revoked_at IS NULL",
                                   {Parameter::of(public_key), Parameter::of(at)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "accepted_signers.revoke",
                    "no accepted signer has this public key");
}

}  // namespace oa::catalog
