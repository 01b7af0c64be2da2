// Data keys that were unwrapped a moment ago, so that a provider on the network is not asked for
// each object that is opened.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "oa/keys/key_service.h"

namespace oa {

struct KeyCacheSettings {
  std::size_t max_entries = 4096;  // 1 to 65,536; the one that was used longest ago makes room
  /// The promise: so long after the provider began to refuse a key that was disabled or destroyed
  /// somewhere else, at the latest, nothing of it opens here. What is open stays open. 1 s to 1 h.
  std::chrono::seconds max_age{300};
  std::uint32_t max_uses = 1000;  // of one entry; then the provider is asked again
  /// Time that never goes back and goes on while the machine sleeps. Empty: CLOCK_BOOTTIME.
  std::function<std::chrono::nanoseconds()> clock = {};
};

struct KeyCacheCounts {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::size_t entries = 0;
};

/// Any provider, with a memory for unwrap(). What generate_data_key() made is remembered too, since
/// what was just written is soon read; it never makes one data key serve twice. Everything else
/// goes to the provider. A tenant is forgotten at once when its key is disabled or its destruction
/// scheduled through this object, and when the provider says of it that the key is disabled,
/// destroyed or unknown. Data keys lie in one piece of secret memory; one that is too old is never
/// handed out, and overwritten by the next call. Thread-safe; no lock is held while the provider
/// works. Processes do not share what they remember.
class CachingKeyService final : public KeyService {
 public:
  /// kInvalidArgument for settings outside of their bounds.
  static Result<std::unique_ptr<CachingKeyService>> create(std::unique_ptr<KeyService> provider,
                                                           KeyCacheSettings settings = {});
  ~CachingKeyService() override;

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
  DestructionWindow destruction_window() const override;

  KeyCacheCounts counts() const;

 private:
  struct Memory;
  CachingKeyService(std::unique_ptr<KeyService> provider, std::unique_ptr<Memory> memory);
  template <class T>
  T heeding(TenantId tenant, T result);

  std::unique_ptr<KeyService> provider_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace oa
