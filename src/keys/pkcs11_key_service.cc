#include "oa/keys/pkcs11_key_service.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "file_lock.h"
#include "key_names.h"
#include "oa/crypto/seal.h"
#include "pkcs11_record.h"
#include "pkcs11_token.h"

namespace oa {
namespace {

using Session = Pkcs11Token::Session;

constexpr std::string_view kProvider = "pkcs11";
// How often a reader looks again for an object that a change replaced under its eyes.
constexpr int kLooks = 5;
constexpr std::size_t kMostHandles = 65'536;

// SoftHSM 2.6 fails calls of other threads, and for good the object, while it makes one. So whoever
// changes objects is alone in this process; the turnstile lets nobody overtake who waits for that.
std::mutex turnstile;
std::shared_mutex objects_mutex;

std::shared_lock<std::shared_mutex> use_objects() {
  const std::lock_guard pass(turnstile);
  return std::shared_lock(objects_mutex);
}
std::unique_lock<std::shared_mutex> change_objects() {
  const std::lock_guard pass(turnstile);
  return std::unique_lock(objects_mutex);
}

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

struct StoredRecord {
  Pkcs11Record record;
  std::vector<CK_OBJECT_HANDLE> objects;  // all that there are of the tenant
};

class Pkcs11Keys final : public KeyService {
 public:
  Pkcs11Keys(std::unique_ptr<Pkcs11Token> token, const Pkcs11Settings& settings)
      : token_(std::move(token)),
        lock_file_(settings.lock_file),
        label_prefix_(settings.label_prefix) {}

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
  /// To be called once.
  Status begin();

 private:
  struct Kek {
    std::string id;
    CK_OBJECT_HANDLE object;
  };
  using Change = std::function<Status(Session&, Pkcs11Record&)>;

  Pkcs11Attributes marker_attributes() const;
  Pkcs11Attributes record_attributes() const;
  Pkcs11Attributes record_attributes(TenantId tenant) const;
  Pkcs11Attributes kek_attributes(TenantId tenant) const;
  Pkcs11Attributes kek_attributes(TenantId tenant, std::uint32_t version) const;
  /// Objects that are the KEK, one as a rule. One that was found before is only looked at.
  Result<std::vector<CK_OBJECT_HANDLE>> keks_of(Session& session, TenantId tenant,
                                                std::uint32_t version);

  Result<std::optional<StoredRecord>> load(Session& session, TenantId tenant);
  /// Of a key that is not destroyed.
  Result<StoredRecord> find(Session& session, TenantId tenant);
  Status store(Session& session, const StoredRecord& stored);
  Status change(TenantId tenant, const Change& apply);
  Status make_kek(Session& session, TenantId tenant, std::uint32_t version);
  Status erase(Session& session, StoredRecord stored);
  Status erase_if_due(Session& session, TenantId tenant);
  Status erase_due(TenantId tenant);
  /// What `use` gives of a session; erases the key when that finds it due.
  template <class T>
  Result<T> with_token(TenantId tenant, const std::function<Result<T>(Session&)>& use);
  /// A KEK of an enabled key; the current one when `version` is 0.
  Result<Kek> usable_kek(Session& session, TenantId tenant, std::uint32_t version);
  Result<WrappedKey> wrap(TenantId tenant, KeyPurpose purpose, const SecretBytes& data_key);

  const std::unique_ptr<Pkcs11Token> token_;
  const std::string lock_file_;
  const std::string label_prefix_;
  std::mutex mutex_;
  std::map<std::pair<TenantId, std::uint32_t>, CK_OBJECT_HANDLE> found_;  // guarded by mutex_
};

// An object that is always there: a token that does not show it shows nothing, because it was
// emptied or the log-in was lost.
Pkcs11Attributes Pkcs11Keys::marker_attributes() const {
  return {{CKA_CLASS, CK_ULONG{CKO_DATA}},
          {CKA_TOKEN, true},
          {CKA_PRIVATE, true},
          {CKA_LABEL, bytes_of(label_prefix_ + " token")}};
}

Pkcs11Attributes Pkcs11Keys::record_attributes() const {
  return {{CKA_CLASS, CK_ULONG{CKO_DATA}},
          {CKA_TOKEN, true},
          {CKA_APPLICATION, bytes_of(label_prefix_)}};
}

Pkcs11Attributes Pkcs11Keys::record_attributes(TenantId tenant) const {
  Pkcs11Attributes attributes = record_attributes();
  attributes.push_back({CKA_LABEL, bytes_of(label_prefix_ + " tenant " + tenant.str())});
  return attributes;
}

Pkcs11Attributes Pkcs11Keys::kek_attributes(TenantId tenant) const {
  return {{CKA_CLASS, CK_ULONG{CKO_SECRET_KEY}},
          {CKA_TOKEN, true},
          {CKA_LABEL, bytes_of(label_prefix_ + " key " + tenant.str())}};
}

Pkcs11Attributes Pkcs11Keys::kek_attributes(TenantId tenant, std::uint32_t version) const {
  Pkcs11Attributes attributes = kek_attributes(tenant);
  Bytes id(tenant.uuid().raw().begin(), tenant.uuid().raw().end());
  append_le(id, version);
  attributes.push_back({CKA_ID, std::move(id)});
  return attributes;
}

// A search may look at every object of the token. A handle that is remembered may have become
// another object's, when the token was taken out: what it names is compared, or something would be
// wrapped by a strange key.
Result<std::vector<CK_OBJECT_HANDLE>> Pkcs11Keys::keks_of(Session& session, TenantId tenant,
                                                          std::uint32_t version) {
  const std::pair name(tenant, version);
  const Pkcs11Attributes wanted = kek_attributes(tenant, version);
  std::optional<CK_OBJECT_HANDLE> known;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = found_.find(name); found != found_.end()) known = found->second;
  }
  const auto is = [&](const Pkcs11Attribute& attribute) {
    const auto* text = std::get_if<Bytes>(&attribute.value);
    if (text == nullptr) return true;
    const auto value = session.read(*known, attribute.type);
    return value.ok() && *value == *text;
  };
  if (known && std::ranges::all_of(wanted, is)) return std::vector{*known};
  OA_ASSIGN(auto keks, session.find(wanted));
  const std::lock_guard lock(mutex_);
  if (found_.size() >= kMostHandles) found_.clear();
  found_.erase(name);
  if (keks.size() == 1) found_.emplace(name, keks.front());
  return keks;
}

Result<std::optional<StoredRecord>> Pkcs11Keys::load(Session& session, TenantId tenant) {
  for (int look = 1;; ++look) {
    StoredRecord stored{.record = {}, .objects = {}};
    OA_ASSIGN(stored.objects, session.find(record_attributes(tenant)));
    if (stored.objects.empty()) {
      OA_ASSIGN(const auto marker, session.find(marker_attributes()));
      if (!marker.empty()) return std::optional<StoredRecord>();
      return make_error(ErrorCode::kKeyServiceUnavailable, "pkcs11",
                        "the token does not show its objects")
          .with_hint("see that it is the right one and was not emptied, then start again");
    }
    stored.record.sequence = 0;
    bool gone = false;
    for (const CK_OBJECT_HANDLE object : stored.objects) {
      const auto value = session.read(object, CKA_VALUE);
      if (!value.ok() && look < kLooks) {  // its successor is there already
        gone = true;
        break;
      }
      if (!value.ok()) return value.error();
      OA_ASSIGN(Pkcs11Record record, Pkcs11Record::decode(*value));
      if (record.tenant != tenant)
        return key_error(ErrorCode::kKeyWrong, tenant, "has the record of another");
      if (record.sequence > stored.record.sequence) stored.record = std::move(record);
    }
    if (!gone) return std::optional(std::move(stored));
  }
}

Result<StoredRecord> Pkcs11Keys::find(Session& session, TenantId tenant) {
  OA_ASSIGN(auto stored, load(session, tenant));
  if (!stored) return key_error(ErrorCode::kNotFound, tenant, "does not exist");
  if (stored->record.destroyed_by(Timestamp::now()))
    return key_error(ErrorCode::kKeyDestroyed, tenant, "was destroyed");
  return *std::move(stored);
}

// The new record is there before the old ones go.
Status Pkcs11Keys::store(Session& session, const StoredRecord& stored) {
  Pkcs11Record next = stored.record;
  ++next.sequence;
  Pkcs11Attributes object = record_attributes(next.tenant);
  object.push_back({CKA_PRIVATE, true});
  object.push_back({CKA_VALUE, next.encode()});
  OA_TRY(session.create(object));
  for (const CK_OBJECT_HANDLE old : stored.objects) OA_TRY(session.destroy(old));
  return {};
}

// `apply` either refuses or changes, never both.
Status Pkcs11Keys::change(TenantId tenant, const Change& apply) {
  OA_ASSIGN(const FileLock held, FileLock::take(lock_file_));
  const auto alone = change_objects();
  OA_ASSIGN(Session session, token_->session());
  OA_TRY(erase_if_due(session, tenant));
  OA_ASSIGN(StoredRecord stored, find(session, tenant));
  OA_TRY(apply(session, stored.record));
  return store(session, stored);
}

Status Pkcs11Keys::make_kek(Session& session, TenantId tenant, std::uint32_t version) {
  Pkcs11Attributes object = kek_attributes(tenant, version);
  // Of a change that a crash cut short: no record ever named it, so nothing was wrapped by it.
  OA_ASSIGN(const auto left_over, session.find(object));
  for (const CK_OBJECT_HANDLE kek : left_over) OA_TRY(session.destroy(kek));
  object.insert(object.end(), {{CKA_KEY_TYPE, CK_ULONG{CKK_AES}},
                               {CKA_PRIVATE, true},
                               {CKA_SENSITIVE, true},
                               {CKA_EXTRACTABLE, false},
                               {CKA_ENCRYPT, true},
                               {CKA_DECRYPT, true},
                               {CKA_SIGN, false},
                               {CKA_VERIFY, false},
                               {CKA_WRAP, false},
                               {CKA_UNWRAP, false}});
  return session.generate_aes_256(object);
}

Status Pkcs11Keys::erase(Session& session, StoredRecord stored) {
  OA_ASSIGN(const auto keks, session.find(kek_attributes(stored.record.tenant)));
  for (const CK_OBJECT_HANDLE kek : keks) OA_TRY(session.destroy(kek));
  stored.record.destroyed = true;
  stored.record.destroy_at.reset();
  return store(session, stored);
}

// With the lock held.
Status Pkcs11Keys::erase_if_due(Session& session, TenantId tenant) {
  OA_ASSIGN(auto stored, load(session, tenant));
  if (!stored || stored->record.destroyed || !stored->record.destroyed_by(Timestamp::now()))
    return {};
  return erase(session, *std::move(stored));
}

Status Pkcs11Keys::erase_due(TenantId tenant) {
  OA_ASSIGN(const FileLock held, FileLock::take(lock_file_));
  const auto alone = change_objects();
  OA_ASSIGN(Session session, token_->session());
  return erase_if_due(session, tenant);
}

Status Pkcs11Keys::begin() {
  OA_ASSIGN(const FileLock held, FileLock::take(lock_file_));
  const auto alone = change_objects();
  OA_ASSIGN(Session session, token_->session());
  OA_ASSIGN(const auto marker, session.find(marker_attributes()));
  if (marker.empty()) OA_TRY(session.create(marker_attributes()));
  OA_ASSIGN(const auto records, session.find(record_attributes()));
  for (const CK_OBJECT_HANDLE object : records) {
    const auto value = session.read(object, CKA_VALUE);
    if (!value.ok() && value.error().code == ErrorCode::kGone) continue;  // erased by an older one
    if (!value.ok()) return value.error();
    OA_ASSIGN(const Pkcs11Record record, Pkcs11Record::decode(*value));
    if (record.destroy_at) OA_TRY(erase_if_due(session, record.tenant));
  }
  return {};
}

Result<Pkcs11Keys::Kek> Pkcs11Keys::usable_kek(Session& session, TenantId tenant,
                                               std::uint32_t version) {
  OA_ASSIGN(auto stored, load(session, tenant));
  if (!stored) return key_error(ErrorCode::kNotFound, tenant, "does not exist");
  const Pkcs11Record& record = stored->record;
  OA_TRY(record.check_usable(tenant));
  if (version > record.current_version)
    return key_error(ErrorCode::kKeyWrong, tenant, "has no such version");
  if (version == 0) version = record.current_version;
  OA_ASSIGN(const auto keks, keks_of(session, tenant, version));
  if (keks.size() != 1) {
    return key_error(ErrorCode::kKeyStoreMissing, tenant, "is not on the token as it should be")
        .with_hint("restore the token's objects from its backup")
        .with_cause("version " + std::to_string(version) + ": " + std::to_string(keks.size()) +
                    " objects");
  }
  return Kek{key_id_of(kProvider, tenant, version), keks.front()};
}

Status Pkcs11Keys::create_tenant_key(TenantId tenant) {
  OA_ASSIGN(const FileLock held, FileLock::take(lock_file_));
  const auto alone = change_objects();
  OA_ASSIGN(Session session, token_->session());
  OA_TRY(erase_if_due(session, tenant));
  OA_ASSIGN(const auto known, load(session, tenant));
  if (known) return known->record.taken(tenant);
  OA_TRY(make_kek(session, tenant, 1));
  StoredRecord first{.record = {}, .objects = {}};
  first.record.tenant = tenant;
  first.record.created_at = Timestamp::now();
  return store(session, first);
}

Result<TenantKeyInfo> Pkcs11Keys::describe(TenantId tenant) {
  OA_ASSIGN(const StoredRecord stored, with_token<StoredRecord>(tenant, [&](Session& session) {
              return find(session, tenant);
            }));
  return stored.record.info(tenant, stored.record.current_version);
}

template <class T>
Result<T> Pkcs11Keys::with_token(TenantId tenant, const std::function<Result<T>(Session&)>& use) {
  auto result = [&]() -> Result<T> {
    const auto shared = use_objects();
    OA_ASSIGN(Session session, token_->session());
    return use(session);
  }();
  if (!result.ok() && result.error().code == ErrorCode::kKeyDestroyed) OA_TRY(erase_due(tenant));
  return result;
}

Result<WrappedKey> Pkcs11Keys::wrap(TenantId tenant, KeyPurpose purpose,
                                    const SecretBytes& data_key) {
  return with_token<WrappedKey>(tenant, [&](Session& session) -> Result<WrappedKey> {
    OA_ASSIGN(const Kek kek, usable_kek(session, tenant, 0));
    OA_ASSIGN(Bytes blob, session.wrap(kek.object, wrap_context(purpose, kek.id), data_key));
    return WrappedKey{kek.id, std::move(blob)};
  });
}

Result<DataKey> Pkcs11Keys::generate_data_key(TenantId tenant, KeyPurpose purpose) {
  SecretBytes data_key = SecretBytes::random(kDataKeySize);
  OA_ASSIGN(WrappedKey wrapped, wrap(tenant, purpose, data_key));
  return DataKey{std::move(data_key), std::move(wrapped)};
}

Result<SecretBytes> Pkcs11Keys::unwrap(TenantId tenant, KeyPurpose purpose,
                                       const WrappedKey& wrapped) {
  OA_ASSIGN(const std::uint32_t version, version_of(kProvider, tenant, wrapped.key_id));
  return with_token<SecretBytes>(tenant, [&](Session& session) -> Result<SecretBytes> {
    OA_ASSIGN(const Kek kek, usable_kek(session, tenant, version));
    return session.unwrap(kek.object, wrap_context(purpose, kek.id), wrapped.blob);
  });
}

Result<WrappedKey> Pkcs11Keys::rewrap(TenantId tenant, KeyPurpose purpose,
                                      const WrappedKey& wrapped) {
  OA_ASSIGN(const SecretBytes data_key, unwrap(tenant, purpose, wrapped));
  return wrap(tenant, purpose, data_key);
}

Status Pkcs11Keys::rotate(TenantId tenant) {
  return change(tenant, [&](Session& session, Pkcs11Record& record) -> Status {
    OA_TRY(record.check_usable(tenant));
    OA_TRY(make_kek(session, tenant, record.current_version + 1));
    ++record.current_version;
    return {};
  });
}

Status Pkcs11Keys::disable(TenantId tenant) {
  return change(tenant, [&](Session&, Pkcs11Record& key) { return key.set_enabled(tenant, false); });
}

Status Pkcs11Keys::enable(TenantId tenant) {
  return change(tenant, [&](Session&, Pkcs11Record& key) { return key.set_enabled(tenant, true); });
}

Status Pkcs11Keys::schedule_destroy(TenantId tenant, Timestamp when) {
  OA_TRY(change(tenant, [&](Session&, Pkcs11Record& key) { return key.schedule(tenant, when); }));
  return Timestamp::now() < when ? Status() : erase_due(tenant);
}

Status Pkcs11Keys::cancel_destroy(TenantId tenant) {
  return change(tenant, [&](Session&, Pkcs11Record& key) { return key.cancel(tenant); });
}

}  // namespace

Result<std::unique_ptr<KeyService>> Pkcs11KeyService::open(Pkcs11Settings settings) {
  if (settings.module_path.empty() || settings.token_label.empty() || settings.lock_file.empty() ||
      !is_name_prefix(settings.label_prefix)) {
    return make_error(ErrorCode::kInvalidArgument, "pkcs11.open",
                      "a token needs a module, its label, a lock file, and a label prefix of 1 to "
                      "64 of a-z, 0-9, - and _");
  }
  OA_ASSIGN(auto token, Pkcs11Token::open(settings));
  auto keys = std::make_unique<Pkcs11Keys>(std::move(token), settings);
  OA_TRY(keys->begin());
  return std::unique_ptr<KeyService>(std::move(keys));
}

}  // namespace oa
