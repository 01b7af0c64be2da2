#include "oa/keys/local_key_service.h"

#include <functional>
#include <mutex>

#include "key_names.h"
#include "key_store_file.h"
#include "oa/crypto/aead.h"
#include "oa/crypto/seal.h"

namespace oa {
namespace {

constexpr std::string_view kProvider = "local";

class LocalKeys final : public KeyService {
 public:
  explicit LocalKeys(std::unique_ptr<KeyStoreFile> file) : file_(std::move(file)) {}

  Status create_tenant_key(TenantId tenant) override;
  Result<TenantKeyInfo> describe(TenantId tenant) override;
  Result<DataKey> generate_data_key(TenantId tenant, KeyPurpose purpose) override;
  Result<SecretBytes> unwrap(TenantId tenant, KeyPurpose purpose,
                             const WrappedKey& wrapped) override;
  Result<WrappedKey> rewrap(TenantId tenant, KeyPurpose purpose,
                            const WrappedKey& wrapped) override;
  Status rotate(TenantId tenant) override;
  Status disable(TenantId tenant) override;
  Status enable(TenantId tenant) override;
  Status schedule_destroy(TenantId tenant, Timestamp when) override;
  Status cancel_destroy(TenantId tenant) override;
  /// Erases what is due for destruction, from the file too. Writes nothing when nothing is due.
  Status erase_all_due();
  Status erase_if_due(TenantId tenant);

 private:
  struct Kek {
    std::string id;
    SecretBytes key;
  };
  using Change = std::function<Status(KeyTable&, TenantKey&)>;

  Result<TenantKey*> find(KeyTable& table, TenantId tenant);
  Status change(const std::function<Status(KeyTable&)>& apply);
  Status change_key(TenantId tenant, const Change& apply);
  /// A KEK of an enabled key; the current one when `version` is 0.
  Result<Kek> usable_kek(TenantId tenant, std::uint32_t version);
  static WrappedKey wrap(const Kek& kek, KeyPurpose purpose, const SecretBytes& data_key);

  std::mutex mutex_;
  std::unique_ptr<KeyStoreFile> file_;  // guarded by mutex_
};

// Changes the table under the lock of the file. `apply` either refuses or changes, never both.
Status LocalKeys::change(const std::function<Status(KeyTable&)>& apply) {
  const std::lock_guard guard(mutex_);
  OA_ASSIGN(const auto held, file_->lock());
  OA_ASSIGN(KeyTable* const table, file_->table());
  const bool erased = table->erase_due(Timestamp::now());
  Status applied = apply(*table);
  if (applied.ok() || erased) OA_TRY(file_->save());
  return applied;
}

Status LocalKeys::change_key(TenantId tenant, const Change& apply) {
  return change([&](KeyTable& table) -> Status {
    OA_ASSIGN(TenantKey* const key, find(table, tenant));
    return apply(table, *key);
  });
}

Result<TenantKey*> LocalKeys::find(KeyTable& table, TenantId tenant) {
  TenantKey* const key = table.find(tenant);
  if (key == nullptr) return key_error(ErrorCode::kNotFound, tenant, "does not exist");
  if (key->destroyed_by(Timestamp::now()))
    return key_error(ErrorCode::kKeyDestroyed, tenant, "was destroyed");
  return key;
}

Status LocalKeys::erase_all_due() {
  {
    const std::lock_guard guard(mutex_);
    OA_ASSIGN(const KeyTable* const table, file_->table());
    if (!table->any_due(Timestamp::now())) return {};
  }
  return change([](KeyTable&) -> Status { return {}; });
}

Status LocalKeys::erase_if_due(TenantId tenant) {
  {
    const std::lock_guard guard(mutex_);
    OA_ASSIGN(KeyTable* const table, file_->table());
    const TenantKey* const key = table->find(tenant);
    if (key == nullptr || key->destroyed || !key->destroyed_by(Timestamp::now())) return {};
  }
  return erase_all_due();
}

Status LocalKeys::create_tenant_key(TenantId tenant) {
  return change([&](KeyTable& table) -> Status {
    if (const TenantKey* key = table.find(tenant)) {
      // A shredded tenant never gets a key again: whoever destroyed it must be able to rely on
      // that.
      return key->taken(tenant);
    }
    table.add(tenant, Timestamp::now());
    return {};
  });
}

Result<TenantKeyInfo> LocalKeys::describe(TenantId tenant) {
  OA_TRY(erase_if_due(tenant));
  const std::lock_guard guard(mutex_);
  OA_ASSIGN(KeyTable* const table, file_->table());
  OA_ASSIGN(const TenantKey* const key, find(*table, tenant));
  return key->info(tenant, key->current_version());
}

Result<LocalKeys::Kek> LocalKeys::usable_kek(TenantId tenant, std::uint32_t version) {
  OA_TRY(erase_if_due(tenant));
  const std::lock_guard guard(mutex_);
  OA_ASSIGN(KeyTable* const table, file_->table());
  OA_ASSIGN(const TenantKey* const key, find(*table, tenant));
  OA_TRY(key->check_usable(tenant));
  if (version > key->current_version()) {
    return key_error(ErrorCode::kKeyWrong, tenant, "has no such version");
  }
  if (version == 0) version = key->current_version();
  return Kek{key_id_of(kProvider, tenant, version), table->kek(*key, version)};
}

WrappedKey LocalKeys::wrap(const Kek& kek, KeyPurpose purpose, const SecretBytes& data_key) {
  return {kek.id, wrap_secret(kek.key, wrap_context(purpose, kek.id), data_key)};
}

Result<DataKey> LocalKeys::generate_data_key(TenantId tenant, KeyPurpose purpose) {
  OA_ASSIGN(const Kek kek, usable_kek(tenant, 0));
  SecretBytes data_key = SecretBytes::random(kDataKeySize);
  WrappedKey wrapped = wrap(kek, purpose, data_key);
  return DataKey{std::move(data_key), std::move(wrapped)};
}

Result<SecretBytes> LocalKeys::unwrap(TenantId tenant, KeyPurpose purpose,
                                      const WrappedKey& wrapped) {
  OA_ASSIGN(const std::uint32_t version, version_of(kProvider, tenant, wrapped.key_id));
  OA_ASSIGN(const Kek kek, usable_kek(tenant, version));
  OA_ASSIGN(SecretBytes data_key,
            unwrap_secret(kek.key, wrap_context(purpose, kek.id), wrapped.blob));
  if (data_key.size() != kDataKeySize)
    return key_error(ErrorCode::kKeyWrong, tenant, "wrapped something else");
  return data_key;
}

Result<WrappedKey> LocalKeys::rewrap(TenantId tenant, KeyPurpose purpose,
                                     const WrappedKey& wrapped) {
  OA_ASSIGN(const SecretBytes data_key, unwrap(tenant, purpose, wrapped));
  OA_ASSIGN(const Kek kek, usable_kek(tenant, 0));
  return wrap(kek, purpose, data_key);
}

Status LocalKeys::rotate(TenantId tenant) {
  return change_key(tenant, [&](KeyTable& table, TenantKey& key) -> Status {
    OA_TRY(key.check_usable(tenant));
    table.add_version(key);
    return {};
  });
}

Status LocalKeys::disable(TenantId tenant) {
  return change_key(tenant, [&](KeyTable&, TenantKey& key) { return key.set_enabled(tenant, false); });
}

Status LocalKeys::enable(TenantId tenant) {
  return change_key(tenant, [&](KeyTable&, TenantKey& key) { return key.set_enabled(tenant, true); });
}

Status LocalKeys::schedule_destroy(TenantId tenant, Timestamp when) {
  OA_TRY(change_key(tenant, [&](KeyTable&, TenantKey& key) { return key.schedule(tenant, when); }));
  return erase_if_due(tenant);
}

Status LocalKeys::cancel_destroy(TenantId tenant) {
  return change_key(tenant, [&](KeyTable&, TenantKey& key) { return key.cancel(tenant); });
}

}  // namespace

Result<std::unique_ptr<KeyService>> LocalKeyService::create(const std::string& path,
                                                            const RootKeySource& root) {
  OA_ASSIGN(auto file, KeyStoreFile::create(path, root));
  return std::unique_ptr<KeyService>(new LocalKeys(std::move(file)));
}

Result<std::unique_ptr<KeyService>> LocalKeyService::open(const std::string& path,
                                                          const RootKeySource& root) {
  OA_ASSIGN(auto file, KeyStoreFile::open(path, root));
  auto keys = std::make_unique<LocalKeys>(std::move(file));
  OA_TRY(keys->erase_all_due());
  return std::unique_ptr<KeyService>(std::move(keys));
}

Status LocalKeyService::copy_key(const std::string& from, const RootKeySource& from_root,
                                 TenantId tenant, const std::string& to,
                                 const RootKeySource& to_root) {
  OA_ASSIGN(const auto source, KeyStoreFile::open(from, from_root));
  OA_ASSIGN(KeyTable* const all, source->table());
  const TenantKey* const key = all->find(tenant);
  if (key == nullptr) return key_error(ErrorCode::kNotFound, tenant, "does not exist");
  if (key->destroyed_by(Timestamp::now()))
    return key_error(ErrorCode::kKeyDestroyed, tenant, "was destroyed");
  OA_ASSIGN(const auto target, KeyStoreFile::create(to, to_root));
  OA_ASSIGN(const auto held, target->lock());
  OA_ASSIGN(KeyTable* const one, target->table());
  *one = all->only(tenant);
  return target->save();
}

}  // namespace oa
