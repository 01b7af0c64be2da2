// Whom a tenant trusts to have signed an archive, and who may say so.
#include <algorithm>
#include <boost/json.hpp>

#include "oa/catalog/repositories.h"
#include "oa/instance/instance.h"

namespace oa::instance {
namespace {

constexpr std::size_t kFingerprintDigits = 2 * sizeof(Sha256Digest);

Result<std::string> normal_fingerprint(std::string_view text) {
  const auto bytes = from_hex(text);
  if (bytes.ok() && text.size() == kFingerprintDigits) return to_hex(*bytes);
  return make_error(ErrorCode::kInvalidArgument, "signers", "that is no fingerprint")
      .with_hint("a fingerprint has 64 hex digits; `oa-archive keys show KEYFILE` prints it");
}

Result<catalog::User> active_owner(catalog::TenantTransaction& transaction, UserId id) {
  auto user = catalog::Users(transaction).get(id);
  if (!user.ok() && user.error().code != ErrorCode::kNotFound) return user;
  if (user.ok() && user->owner && user->active) return user;
  return make_error(ErrorCode::kPermissionDenied, "signers",
                    "only an active Owner of the tenant decides whose archives it trusts")
      .with_hint("ask an Owner to do it");
}

Status record(catalog::TenantTransaction& transaction, const char* action,
              const catalog::User& owner, const std::string& public_key,
              const std::string& fingerprint) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "user";
  event.actor_id = owner.id.uuid();
  event.personal["actor.email"] = owner.email;
  event.action = action;
  event.resource_type = "signing_key";
  event.resource_id = public_key;
  event.detail = JsonText::of(json::object{{"fingerprint", fingerprint}});
  return catalog::Audit(transaction).append({&event, 1});
}

Result<std::vector<PublicKey>> own_keys_in(catalog::TenantTransaction& transaction) {
  OA_ASSIGN(const auto records, catalog::SigningKeys(transaction).list());
  std::vector<PublicKey> keys;
  for (const auto& record : records) {
    if (record.revoked_at.has_value()) continue;
    OA_ASSIGN(const auto key, PublicKey::parse(record.public_key));
    keys.push_back(key);
  }
  return keys;
}

Result<std::vector<PublicKey>> trusted_keys_in(catalog::TenantTransaction& transaction) {
  OA_ASSIGN(auto keys, own_keys_in(transaction));
  OA_ASSIGN(const auto signers, catalog::AcceptedSigners(transaction).list());
  for (const auto& signer : signers) {
    if (signer.revoked_at.has_value()) continue;
    OA_ASSIGN(const auto key, PublicKey::parse(signer.public_key));
    keys.push_back(key);
  }
  return keys;
}

// Public keys of this fingerprint whose trust ends: of accepted signers and of retired keys. More
// than one only when the same key was given under two key ids.
Result<std::vector<std::string>> end_trust(catalog::TenantTransaction& transaction,
                                           const std::string& fingerprint) {
  const Timestamp now = Timestamp::now();
  std::vector<std::string> ended;
  OA_ASSIGN(const auto signers, catalog::AcceptedSigners(transaction).list());
  for (const auto& signer : signers) {
    if (signer.revoked_at.has_value() || signer.fingerprint != fingerprint) continue;
    OA_TRY(catalog::AcceptedSigners(transaction).revoke(signer.public_key, now));
    ended.push_back(signer.public_key);
  }
  OA_ASSIGN(const auto records, catalog::SigningKeys(transaction).list());
  for (const auto& record : records) {
    OA_ASSIGN(const auto key, PublicKey::parse(record.public_key));
    if (record.revoked_at.has_value() || key.fingerprint() != fingerprint) continue;
    if (!record.retired_at.has_value()) {
      return make_error(ErrorCode::kConflict, "signers.revoke",
                        "this key signs the tenant's archives now")
          .with_hint("replace it with `oa-backup keys rotate NAME` first, then revoke it");
    }
    OA_TRY(catalog::SigningKeys(transaction).revoke(record.public_key, now));
    ended.push_back(record.public_key);
  }
  return ended;
}

}  // namespace

Result<std::vector<PublicKey>> Instance::own_keys(TenantId tenant) {
  OA_ASSIGN(auto transaction, database().begin(tenant, catalog::Isolation::kSnapshot));
  return own_keys_in(transaction);
}

Result<std::vector<PublicKey>> Instance::trusted_keys(TenantId tenant) {
  OA_ASSIGN(auto transaction, database().begin(tenant, catalog::Isolation::kSnapshot));
  return trusted_keys_in(transaction);
}

Status Instance::accept_signer(TenantId tenant, const PublicKey& key, std::string_view fingerprint,
                               UserId owner, const std::string& note) {
  OA_ASSIGN(const auto given, normal_fingerprint(fingerprint));
  OA_ASSIGN(auto transaction, database().begin(tenant));
  OA_ASSIGN(const auto user, active_owner(transaction, owner));
  if (given != key.fingerprint()) {
    return make_error(ErrorCode::kInvalidArgument, "signers.accept",
                      "the fingerprint is not that of the public key")
        .with_hint(
            "ask the archive's maker for the fingerprint by another way than the key came; "
            "`oa-archive keys show KEYFILE` prints the file's");
  }
  OA_ASSIGN(const auto trusted, trusted_keys_in(transaction));
  if (std::ranges::find(trusted, key) != trusted.end()) {
    return make_error(ErrorCode::kAlreadyExists, "signers.accept",
                      "the tenant trusts this key already");
  }
  OA_TRY(catalog::AcceptedSigners(transaction)
             .accept({key.base64(), given, note, owner, Timestamp::now(), std::nullopt}));
  OA_TRY(record(transaction, "backup.signer.accept", user, key.base64(), given));
  return transaction.commit();
}

Status Instance::revoke_signer(TenantId tenant, std::string_view fingerprint, UserId owner) {
  OA_ASSIGN(const auto given, normal_fingerprint(fingerprint));
  OA_ASSIGN(auto transaction, database().begin(tenant));
  OA_ASSIGN(const auto user, active_owner(transaction, owner));
  OA_ASSIGN(const auto ended, end_trust(transaction, given));
  if (ended.empty()) {
    return make_error(ErrorCode::kNotFound, "signers.revoke",
                      "the tenant trusts no key with this fingerprint")
        .with_hint("`oa-backup keys list NAME` and `keys accepted NAME` show whom it trusts");
  }
  for (const auto& public_key : ended)
    OA_TRY(record(transaction, "backup.signer.revoke", user, public_key, given));
  return transaction.commit();
}

Result<std::vector<catalog::AcceptedSigner>> Instance::accepted_signers(TenantId tenant) {
  OA_ASSIGN(auto transaction, database().begin(tenant, catalog::Isolation::kSnapshot));
  return catalog::AcceptedSigners(transaction).list();
}

}  // namespace oa::instance
