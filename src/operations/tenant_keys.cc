#include "oa/operations/tenant_keys.h"

#include <thread>

#include "oa/catalog/object_keys.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/seal.h"
#include "parts.h"

namespace oa::operations {
namespace {

constexpr const char* kOp = "keys.rewrap";
constexpr std::size_t kPage = 500, kBatch = 8;
constexpr auto kRotationPatience = std::chrono::minutes(2);
constexpr auto kRotationPoll = std::chrono::milliseconds(500);

Result<std::string> current_key(KeyService& keys, TenantId tenant) {
  OA_ASSIGN(const DataKey made, keys.generate_data_key(tenant, KeyPurpose::kSecrets));
  return made.wrapped.key_id;
}

Result<std::string> key_of(const Bytes& sealed) {
  OA_ASSIGN(SealHeader header, read_seal_header(MemorySource(sealed)));
  return std::move(header.key_id);
}

Status check_cancelled(const Progress& progress) {
  return progress.cancelled() ? Status(make_error(ErrorCode::kCancelled, kOp, "cancelled"))
                              : Status();
}

// A provider may take a while until it seals with a version that was just made.
Result<std::string> await_other_key(KeyService& keys, TenantId tenant, const std::string& old_key,
                                    const Progress& progress) {
  const auto until = std::chrono::steady_clock::now() + kRotationPatience;
  for (;;) {
    OA_ASSIGN(std::string now, current_key(keys, tenant));
    if (now != old_key) return now;
    OA_TRY(check_cancelled(progress));
    if (std::chrono::steady_clock::now() > until) {
      return make_error(ErrorCode::kKeyServiceUnavailable, kOp,
                        "the provider still seals with the key's older version")
          .with_hint("try again in 60 seconds");
    }
    std::this_thread::sleep_for(kRotationPoll);
  }
}

// Opens a sealed value and seals it anew; none when it is under `key_id` already.
Result<std::optional<Bytes>> sealed_anew(KeyService& keys, TenantId tenant, KeyPurpose purpose,
                                         const std::string& name, const Bytes& sealed,
                                         const std::string& key_id) {
  OA_ASSIGN(const std::string under, key_of(sealed));
  if (under == key_id) return std::optional<Bytes>();
  OA_ASSIGN(const SecretBytes value, unseal_value(keys, tenant, purpose, name, sealed));
  OA_ASSIGN(Bytes anew, seal_value(keys, tenant, purpose, name, value.view()));
  return std::optional(std::move(anew));
}

class Rewrapping {
 public:
  Rewrapping(instance::Instance& instance, TenantId tenant, Progress& progress)
      : instance_(instance), tenant_(tenant), progress_(progress) {}
  Result<Rewrapped> run(const std::string& old_key);

 private:
  Status values();
  Status objects();
  Status write_batch();

  instance::Instance& instance_;
  const TenantId tenant_;
  Progress& progress_;
  Rewrapped done_;
  struct Seen {
    catalog::ObjectVersionName object;
    std::optional<catalog::RewrappedKey> anew;
  };
  std::vector<Seen> batch_;
};

Status Rewrapping::values() {
  OA_ASSIGN(auto transaction, instance_.database().begin(tenant_));
  catalog::Secrets secrets(transaction);
  OA_ASSIGN(const auto listed, secrets.list());
  for (const auto& entry : listed) {
    auto locked = secrets.lock(entry.name);
    if (!locked.ok() && locked.error().code == ErrorCode::kNotFound) continue;  // gone meanwhile
    OA_TRY(locked);
    OA_ASSIGN(auto anew, sealed_anew(instance_.keys(), tenant_, KeyPurpose::kSecrets,
                                     locked->id.str(), locked->sealed, done_.key_id));
    if (!anew.has_value()) {
      ++done_.already;
      continue;
    }
    locked->sealed = *std::move(anew);
    OA_TRY(secrets.put(*locked));
    ++done_.secrets;
  }
  OA_ASSIGN(const auto signing, catalog::SigningKeys(transaction).list());
  for (const auto& key : signing) {
    OA_ASSIGN(const auto anew, sealed_anew(instance_.keys(), tenant_, KeyPurpose::kSigning,
                                           key.public_key, key.sealed_seed, done_.key_id));
    if (!anew.has_value()) {
      ++done_.already;
      continue;
    }
    OA_ASSIGN(const bool written,
              catalog::reseal_signing_key(transaction, key.public_key, key.sealed_seed, *anew));
    if (written) ++done_.signing_keys;
  }
  return transaction.commit();
}

Status Rewrapping::write_batch() {
  if (batch_.empty()) return {};
  OA_ASSIGN(auto transaction, instance_.database().begin(tenant_));
  catalog::ObjectKeys keys(transaction);
  for (const auto& [object, anew] : batch_)
    OA_TRY(anew.has_value() ? keys.put(object, *anew) : keys.seen(object));
  OA_TRY(transaction.commit());
  batch_.clear();
  return {};
}

Status Rewrapping::objects() {
  Timestamp began;
  {
    OA_ASSIGN(const auto transaction, instance_.database().begin(tenant_));
    began = transaction.started_at();
  }
  progress_.begin("wrapping data keys anew", 0, "objects");
  std::uint64_t looked_at = 0;
  OA_TRY(for_each_version(
      instance_.objects().store(), tenant_, [&](const ObjectVersion& version) -> Status {
        OA_TRY(check_cancelled(progress_));
        const auto wrapped = instance_.objects().wrapped_key(version.key, version.version);
        progress_.update(++looked_at);
        if (!wrapped.ok() && wrapped.error().code == ErrorCode::kNotFound)
          return {};  // removed meanwhile
        if (!wrapped.ok() && wrapped.error().code == ErrorCode::kSealCorrupt) {
          ++done_.damaged;
          return {};
        }
        OA_TRY(wrapped);
        Seen seen{{std::string(to_text(version.key.retention_class)), version.key.name,
                   version.version.value},
                  std::nullopt};
        if (wrapped->key_id == done_.key_id) {
          ++done_.already;
        } else {
          OA_ASSIGN(auto anew, instance_.objects().rewrap(version.key, *wrapped));
          seen.anew = catalog::RewrappedKey{std::move(anew.key_id), std::move(anew.blob)};
          ++done_.objects;
        }
        batch_.push_back(std::move(seen));
        return batch_.size() < kBatch ? Status() : write_batch();
      }));
  OA_TRY(write_batch());
  OA_ASSIGN(auto transaction, instance_.database().begin(tenant_));
  OA_TRY(catalog::ObjectKeys(transaction).remove_not_seen_since(began));
  return transaction.commit();
}

Result<Rewrapped> Rewrapping::run(const std::string& old_key) {
  progress_.begin("waiting for the key's new version", 0, "");
  OA_ASSIGN(done_.key_id, await_other_key(instance_.keys(), tenant_, old_key, progress_));
  OA_TRY(values());
  OA_TRY(objects());
  return done_;
}

}  // namespace

Status note_of_operator(instance::Instance& instance, const catalog::Tenant& tenant,
                        std::string_view action, json::object detail) {
  OA_ASSIGN(auto transaction, instance.database().begin(tenant.id));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "operator";
  event.action = action;
  event.resource_type = "tenant";
  event.resource_id = tenant.id.str();
  event.detail = JsonText::of(detail);
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

Status disable_key(instance::Instance& instance, const catalog::Tenant& tenant) {
  OA_TRY(instance.keys().disable(tenant.id));
  return note_of_operator(instance, tenant, "key.disable", {});
}

Status enable_key(instance::Instance& instance, const catalog::Tenant& tenant) {
  OA_TRY(instance.keys().enable(tenant.id));
  return note_of_operator(instance, tenant, "key.enable", {});
}

Status for_each_version(ObjectStore& store, TenantId tenant,
                        const std::function<Status(const ObjectVersion&)>& each) {
  using enum RetentionClass;
  for (const auto retention_class : {kRows, kOriginals, kArchives, kWal, kLedger}) {
    std::string after;
    for (;;) {
      OA_ASSIGN(const auto page, store.list(tenant, retention_class, after, kPage));
      for (const auto& newest : page) {
        OA_ASSIGN(const auto versions, store.list_versions(newest.key));
        for (const auto& version : versions) OA_TRY(each(version));
      }
      if (page.size() < kPage) break;
      after = page.back().key.name;
    }
  }
  return {};
}

Result<KeyUse> key_use(instance::Instance& instance, TenantId tenant, Progress& progress) {
  KeyUse use;
  OA_ASSIGN(use.key, instance.keys().describe(tenant));
  if (use.key.state == KeyState::kEnabled) {
    OA_ASSIGN(use.current, current_key(instance.keys(), tenant));
  }
  {
    OA_ASSIGN(auto transaction, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto secrets, catalog::Secrets(transaction).list());
    OA_ASSIGN(const auto signing, catalog::SigningKeys(transaction).list());
    for (const auto& secret : secrets) {
      OA_ASSIGN(const std::string id, key_of(secret.sealed));
      ++use.by_key[id].secrets;
    }
    for (const auto& key : signing) {
      OA_ASSIGN(const std::string id, key_of(key.sealed_seed));
      ++use.by_key[id].signing_keys;
    }
  }
  progress.begin("reading headers", 0, "objects");
  std::uint64_t looked_at = 0;
  OA_TRY(for_each_version(
      instance.objects().store(), tenant, [&](const ObjectVersion& version) -> Status {
        OA_TRY(check_cancelled(progress));
        const auto wrapped = instance.objects().wrapped_key(version.key, version.version);
        progress.update(++looked_at);
        if (!wrapped.ok() && wrapped.error().code == ErrorCode::kNotFound)
          return {};  // removed meanwhile
        if (!wrapped.ok() && wrapped.error().code == ErrorCode::kSealCorrupt) {
          ++use.damaged;
          return {};
        }
        OA_TRY(wrapped);
        ++use.by_key[wrapped->key_id].objects;
        return {};
      }));
  return use;
}

Result<std::string> rotate_key(instance::Instance& instance, const catalog::Tenant& tenant) {
  OA_ASSIGN(const std::string before, current_key(instance.keys(), tenant.id));
  OA_TRY(instance.keys().rotate(tenant.id));
  OA_TRY(note_of_operator(instance, tenant, "key.rotate", {{"from", before}}));
  return before;
}

Result<Rewrapped> rewrap_keys(instance::Instance& instance, TenantId tenant,
                              const std::string& old_key, Progress& progress) {
  return Rewrapping(instance, tenant, progress).run(old_key);
}

Result<JsonText> run(const Run& run, const RewrapKeys& operation) {
  OA_ASSIGN(const auto done,
            rewrap_keys(run.instance, run.tenant, operation.old_key, run.progress));
  return JsonText::of(json::object{{"objects", done.objects},
                                   {"secrets", done.secrets},
                                   {"signing_keys", done.signing_keys},
                                   {"already", done.already}, {"damaged", done.damaged}});
}

}  // namespace oa::operations
