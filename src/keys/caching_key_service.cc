#include "oa/keys/caching_key_service.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "oa/crypto/hash.h"
#include "oa/crypto/seal.h"

namespace oa {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kMostEntries = 65'536;

nanoseconds time_since_boot() {
  timespec now{};
  OA_ASSERT(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

// Of all that unwrap() depends on. A digest, because blobs are long.
Sha256Digest name_of(TenantId tenant, KeyPurpose purpose, const WrappedKey& wrapped) {
  Sha256 hash;
  hash.update(tenant.uuid().raw());
  Bytes sizes{static_cast<std::uint8_t>(purpose)};
  append_le(sizes, static_cast<std::uint64_t>(wrapped.key_id.size()));
  hash.update(sizes);
  hash.update(as_bytes(wrapped.key_id));
  hash.update(wrapped.blob);
  return hash.finish();
}

bool says_unusable(const Error& error) {
  return error.code == ErrorCode::kKeyDisabled || error.code == ErrorCode::kKeyDestroyed ||
         error.code == ErrorCode::kNotFound;
}

}  // namespace

struct CachingKeyService::Memory {
  explicit Memory(KeyCacheSettings given)
      : settings(std::move(given)), arena(settings.max_entries * kDataKeySize) {
    for (std::size_t slot = 0; slot < settings.max_entries; ++slot) free_slots.push_back(slot);
  }

  // What was remembered before a change is not to be remembered after it by a call that was under
  // way: a call takes the epoch before it asks the provider.
  std::uint64_t current_epoch(TenantId tenant) {
    const std::lock_guard lock(mutex);
    return epoch_of(tenant);
  }
  std::optional<SecretBytes> find(const Sha256Digest& name);
  void remember(const Sha256Digest& name, TenantId tenant, ByteView key, std::uint64_t since,
                nanoseconds asked_at);
  void forget(TenantId tenant);

  struct Entry {
    Sha256Digest name;
    TenantId tenant;
    std::size_t slot;
    nanoseconds asked_at;
    std::uint32_t uses = 0;
  };
  using Entries = std::list<Entry>;

  std::span<std::uint8_t> key_in(std::size_t slot) {
    return arena.mutable_view().subspan(slot * kDataKeySize, kDataKeySize);
  }
  std::uint64_t& epoch_of(TenantId tenant) { return epochs[tenant.uuid().raw().back()]; }
  Entries::iterator drop(Entries::iterator entry);
  void drop_the_old();

  const KeyCacheSettings settings;
  mutable std::mutex mutex;  // guards all below
  SecretBytes arena;         // one for all: guarded memory costs pages and mappings for each piece
  std::vector<std::size_t> free_slots;
  Entries entries;  // the one used last first
  std::map<Sha256Digest, Entries::iterator> by_name;
  nanoseconds first_is_old_at = nanoseconds::max();  // no entry is too old before that
  // Some for all tenants: one whose key is refused over and over takes the memory of few others.
  std::array<std::uint64_t, 256> epochs{};
  KeyCacheCounts counts;
};

CachingKeyService::Memory::Entries::iterator CachingKeyService::Memory::drop(
    Entries::iterator entry) {
  std::ranges::fill(key_in(entry->slot), std::uint8_t{0});
  free_slots.push_back(entry->slot);
  by_name.erase(entry->name);
  return entries.erase(entry);
}

void CachingKeyService::Memory::drop_the_old() {
  const nanoseconds now = settings.clock();
  if (now < first_is_old_at) return;
  first_is_old_at = nanoseconds::max();
  for (auto entry = entries.begin(); entry != entries.end();) {
    const nanoseconds old_at = entry->asked_at + settings.max_age;
    if (now < old_at) first_is_old_at = std::min(first_is_old_at, old_at);
    entry = now >= old_at ? drop(entry) : std::next(entry);
  }
}

std::optional<SecretBytes> CachingKeyService::Memory::find(const Sha256Digest& name) {
  const std::lock_guard lock(mutex);
  drop_the_old();
  const auto found = by_name.find(name);
  if (found == by_name.end()) {
    ++counts.misses;
    return std::nullopt;
  }
  ++counts.hits;
  const auto entry = found->second;
  SecretBytes key = SecretBytes::copy_of(key_in(entry->slot));
  if (++entry->uses >= settings.max_uses) {
    drop(entry);
  } else {
    entries.splice(entries.begin(), entries, entry);
  }
  return key;
}

void CachingKeyService::Memory::remember(const Sha256Digest& name, TenantId tenant, ByteView key,
                                         std::uint64_t since, nanoseconds asked_at) {
  const std::lock_guard lock(mutex);
  drop_the_old();
  if (since != epoch_of(tenant) || key.size() != kDataKeySize) return;
  if (const auto known = by_name.find(name); known != by_name.end()) drop(known->second);
  if (free_slots.empty()) drop(std::prev(entries.end()));
  const std::size_t slot = free_slots.back();
  free_slots.pop_back();
  std::ranges::copy(key, key_in(slot).begin());
  entries.push_front({name, tenant, slot, asked_at});
  by_name.emplace(name, entries.begin());
  first_is_old_at = std::min(first_is_old_at, asked_at + settings.max_age);
}

void CachingKeyService::Memory::forget(TenantId tenant) {
  const std::lock_guard lock(mutex);
  ++epoch_of(tenant);
  for (auto entry = entries.begin(); entry != entries.end();)
    entry = entry->tenant == tenant ? drop(entry) : std::next(entry);
}

CachingKeyService::CachingKeyService(std::unique_ptr<KeyService> provider,
                                     std::unique_ptr<Memory> memory)
    : provider_(std::move(provider)), memory_(std::move(memory)) {}
CachingKeyService::~CachingKeyService() = default;

Result<std::unique_ptr<CachingKeyService>> CachingKeyService::create(
    std::unique_ptr<KeyService> provider, KeyCacheSettings settings) {
  if (provider == nullptr || settings.max_entries < 1 || settings.max_entries > kMostEntries ||
      settings.max_age < std::chrono::seconds(1) || settings.max_age > std::chrono::hours(1) ||
      settings.max_uses < 1) {
    return make_error(ErrorCode::kInvalidArgument, "key_cache.create",
                      "a cache of data keys has 1 to 65,536 entries, each for 1 s to 1 h and at "
                      "least one use");
  }
  if (!settings.clock) settings.clock = &time_since_boot;
  return std::unique_ptr<CachingKeyService>(
      new CachingKeyService(std::move(provider), std::make_unique<Memory>(std::move(settings))));
}

// Passes `result` on, and forgets the tenant when it says that the key cannot be used.
template <class T>
T CachingKeyService::heeding(TenantId tenant, T result) {
  if (!result.ok() && says_unusable(result.error())) memory_->forget(tenant);
  return result;
}

Result<DataKey> CachingKeyService::generate_data_key(TenantId tenant, KeyPurpose purpose) {
  const std::uint64_t epoch = memory_->current_epoch(tenant);
  const nanoseconds asked_at = memory_->settings.clock();
  OA_ASSIGN(DataKey key, heeding(tenant, provider_->generate_data_key(tenant, purpose)));
  memory_->remember(name_of(tenant, purpose, key.wrapped), tenant, key.plaintext.view(), epoch,
                    asked_at);
  return key;
}

Result<SecretBytes> CachingKeyService::unwrap(TenantId tenant, KeyPurpose purpose,
                                              const WrappedKey& wrapped) {
  const Sha256Digest name = name_of(tenant, purpose, wrapped);
  if (auto known = memory_->find(name)) return *std::move(known);
  const std::uint64_t epoch = memory_->current_epoch(tenant);
  const nanoseconds asked_at = memory_->settings.clock();
  OA_ASSIGN(SecretBytes key, heeding(tenant, provider_->unwrap(tenant, purpose, wrapped)));
  memory_->remember(name, tenant, key.view(), epoch, asked_at);
  return key;
}

Result<WrappedKey> CachingKeyService::rewrap(TenantId tenant, KeyPurpose purpose,
                                             const WrappedKey& wrapped) {
  return heeding(tenant, provider_->rewrap(tenant, purpose, wrapped));
}

Result<TenantKeyInfo> CachingKeyService::describe(TenantId tenant) {
  auto info = heeding(tenant, provider_->describe(tenant));
  if (info.ok() && info->state != KeyState::kEnabled) memory_->forget(tenant);
  return info;
}

// Forgets also after an error: the provider may have done it and its answer was lost.
Status CachingKeyService::disable(TenantId tenant) {
  Status done = provider_->disable(tenant);
  memory_->forget(tenant);
  return done;
}

Status CachingKeyService::schedule_destroy(TenantId tenant, Timestamp when) {
  Status done = provider_->schedule_destroy(tenant, when);
  memory_->forget(tenant);
  return done;
}

Status CachingKeyService::create_tenant_key(TenantId tenant) {
  return provider_->create_tenant_key(tenant);
}
Status CachingKeyService::rotate(TenantId tenant) {
  return heeding(tenant, provider_->rotate(tenant));
}
Status CachingKeyService::enable(TenantId tenant) {
  return heeding(tenant, provider_->enable(tenant));
}
Status CachingKeyService::cancel_destroy(TenantId tenant) {
  return heeding(tenant, provider_->cancel_destroy(tenant));
}
DestructionWindow CachingKeyService::destruction_window() const {
  return provider_->destruction_window();
}

KeyCacheCounts CachingKeyService::counts() const {
  const std::lock_guard lock(memory_->mutex);
  KeyCacheCounts counts = memory_->counts;
  counts.entries = memory_->entries.size();
  return counts;
}

}  // namespace oa
