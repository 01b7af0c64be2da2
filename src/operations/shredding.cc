#include "oa/operations/shredding.h"

#include <algorithm>

#include "oa/audit/audit.h"
#include "oa/catalog/cell.h"
#include "oa/catalog/repositories.h"
#include "oa/catalog/tenant_rows.h"
#include "oa/continuity/retention.h"
#include "oa/crypto/hash.h"
#include "oa/instance/service_key.h"
#include "oa/operations/tenant_keys.h"
#include "parts.h"

namespace oa::operations {
namespace {

constexpr const char* kOp = "tenant.shred";
constexpr std::string_view kStatementKey = "oa-statement-key:v1";
constexpr std::int64_t kMicrosADay = 24LL * 3600 * 1'000'000;

// The same in all processes of the instance, and in no archive's trust.
Result<SigningKey> statement_key(instance::Instance& instance) {
  OA_ASSIGN(const SecretBytes service, instance::service_key(instance));
  const auto derived = hmac_sha256(service.view(), as_bytes(kStatementKey));
  SecretBytes seed(SigningKey::kSeedSize);
  const auto id = hmac_sha256(service.view(), as_bytes("oa-statement-key-id:v1"));
  constexpr std::size_t kIdBytes = SigningKey::kSeedSize - sizeof(derived);
  std::copy_n(id.begin(), kIdBytes, seed.mutable_view().begin());
  std::copy(derived.begin(), derived.end(), seed.mutable_view().begin() + kIdBytes);
  return SigningKey::from_seed(seed);
}

// By the code of the refusal; "opened" for what opened.
struct Tries {
  std::uint64_t total = 0;
  std::map<std::string, std::uint64_t> outcomes = {};

  void add(const Status& opened) {
    ++total;
    ++outcomes[opened.ok() ? "opened" : std::string(error_info(opened.error().code).name)];
  }
  bool all_refused_for_good() const {
    const auto refused = outcomes.find(std::string(error_info(ErrorCode::kKeyDestroyed).name));
    return (refused == outcomes.end() ? 0 : refused->second) == total;
  }
  json::object document() const {
    json::object by;
    for (const auto& [outcome, count] : outcomes) by[outcome] = count;
    return {{"tried", total}, {"outcomes", std::move(by)}};
  }
};

template <class T>
Status without_value(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

Result<Tries> try_values(instance::Instance& instance, TenantId tenant) {
  OA_ASSIGN(auto transaction, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto secrets, catalog::Secrets(transaction).list());
  OA_ASSIGN(const auto signing, catalog::SigningKeys(transaction).list());
  Tries tries;
  for (const auto& secret : secrets)
    tries.add(without_value(unseal_value(instance.keys(), tenant, KeyPurpose::kSecrets,
                                         secret.id.str(), secret.sealed)));
  for (const auto& key : signing)
    tries.add(without_value(unseal_value(instance.keys(), tenant, KeyPurpose::kSigning,
                                         key.public_key, key.sealed_seed)));
  return tries;
}

Result<Tries> try_objects(instance::Instance& instance, TenantId tenant, Progress& progress) {
  Tries tries;
  progress.begin("trying to open every version", 0, "objects");
  OA_TRY(for_each_version(
      instance.objects().store(), tenant, [&](const ObjectVersion& version) -> Status {
        if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
        tries.add(without_value(instance.objects().open(version.key, version.version)));
        progress.update(tries.total);
        return {};
      }));
  return tries;
}

// Backups of the whole cluster go on holding rows that were in the clear, until the last of them
// expires.
Result<json::value> backups_until(instance::Instance& instance, Timestamp now) {
  if (instance.cell() == nullptr) return json::value(nullptr);
  OA_ASSIGN(const auto plans,
            catalog::CellCatalog(instance.database()).plans_since(continuity::regret_begins(now)));
  const std::int64_t days = continuity::kept_days(plans) + continuity::kMarginDays;
  return json::value(Timestamp{now.unix_us + days * kMicrosADay}.rfc3339());
}

std::string state_of(const Result<TenantKeyInfo>& key) {
  if (!key.ok()) return std::string(error_info(key.error().code).name);
  switch (key->state) {
    case KeyState::kEnabled:
      return "enabled";
    case KeyState::kDisabled:
      return "disabled";
    case KeyState::kPendingDestruction:
      return "pending-destruction";
  }
  OA_ASSERT(false);
}

bool is_destroyed(const Result<TenantKeyInfo>& key) {
  return !key.ok() && key.error().code == ErrorCode::kKeyDestroyed;
}

}  // namespace

Result<Timestamp> schedule_shredding(instance::Instance& instance, const catalog::Tenant& tenant,
                                     std::chrono::seconds wait) {
  const auto waits = std::chrono::duration_cast<std::chrono::microseconds>(wait);
  const Timestamp when{Timestamp::now().unix_us + waits.count()};
  OA_TRY(instance.keys().schedule_destroy(tenant.id, when));
  const auto key = instance.keys().describe(tenant.id);
  const Timestamp at = key.ok() ? key->destroy_at : when;  // without a wait it is gone
  OA_TRY(
      note_of_operator(instance, tenant, "tenant.shred.schedule", {{"destroy_at", at.rfc3339()}}));
  return at;
}

Status cancel_shredding(instance::Instance& instance, const catalog::Tenant& tenant) {
  OA_TRY(instance.keys().cancel_destroy(tenant.id));
  return note_of_operator(instance, tenant, "tenant.shred.cancel", {});
}

Result<Remains> remove_remains(instance::Instance& instance, const catalog::Tenant& tenant,
                               Progress& progress) {
  if (!is_destroyed(instance.keys().describe(tenant.id))) {
    return make_error(ErrorCode::kConflict, kOp, "the tenant's key is not destroyed")
        .with_hint("`oa-backup tenant shred NAME` destroys it after a waiting time");
  }
  Remains remains;
  auto& store = instance.objects().store();
  std::vector<ObjectVersion> versions;
  OA_TRY(for_each_version(store, tenant.id, [&](const ObjectVersion& version) -> Status {
    versions.push_back(version);
    return {};
  }));
  progress.begin("removing objects", versions.size(), "objects");
  for (const auto& version : versions) {
    if (progress.cancelled()) return make_error(ErrorCode::kCancelled, kOp, "cancelled");
    const Status removed = store.remove(version.key, version.version);
    const bool write_once = version.key.retention_class == RetentionClass::kLedger;
    if (write_once && !removed.ok() && removed.error().code == ErrorCode::kPermissionDenied) {
      ++remains.kept_objects;
    } else if (removed.ok() || removed.error().code == ErrorCode::kNotFound) {
      ++remains.objects;
    } else {
      return removed.error();
    }
    progress.update(remains.objects + remains.kept_objects);
  }
  OA_ASSIGN(remains.rows, catalog::remove_tenant_rows(instance.database(), tenant.id));
  return remains;
}

Result<ShredProof> prove_shredding(instance::Instance& instance, const catalog::Tenant& tenant,
                                   Progress& progress) {
  const auto key = instance.keys().describe(tenant.id);
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const Tries objects, try_objects(instance, tenant.id, progress));
  OA_ASSIGN(const Tries values, try_values(instance, tenant.id));
  OA_ASSIGN(auto transaction, instance.database().begin(tenant.id, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto counts, catalog::count_tenant_rows(transaction));
  json::object rows;
  std::uint64_t left = 0;
  for (const auto& [table, count] : counts) {
    rows[table] = count;
    if (table != "tenants") left += count;
  }
  OA_ASSIGN(json::value until, backups_until(instance, now));
  ShredProof proof;
  proof.proven =
      is_destroyed(key) && objects.all_refused_for_good() && values.all_refused_for_good();
  proof.statement = {{"format", "oa-shred-proof:v1"},
                     {"tenant_id", tenant.id.str()},
                     {"tenant", tenant.name},
                     {"at", now.rfc3339()},
                     {"key", state_of(key)},
                     {"nothing_opens", proof.proven},
                     {"objects", objects.document()},
                     {"sealed_values", values.document()},
                     {"rows_in_the_clear", left},
                     {"rows_by_table", std::move(rows)},
                     {"backups_hold_rows_until", std::move(until)}};
  OA_ASSIGN(const SigningKey signer, statement_key(instance));
  const std::string text = canonical_json(proof.statement);
  proof.signer = signer.public_key();
  proof.signature =
      signer.sign(Blake2b::of(as_bytes(text)), "oa-shred-proof tenant=" + tenant.id.str());
  return proof;
}

}  // namespace oa::operations
