// Envelope encryption: a tenant's key (KEK) wraps one data key (DEK) per stored thing.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "oa/base/clock.h"
#include "oa/base/ids.h"
#include "oa/crypto/secret.h"

namespace oa {

/// What a data key is for. Part of the encryption context: a key wrapped for one purpose does not
/// unwrap for another.
enum class KeyPurpose {
  kRows,
  kOriginals,
  kArchives,
  kSecrets,
  kSigning,
  kWal,
  kLedger,
  kRepository
};
std::string_view to_text(KeyPurpose purpose);

/// A DEK under a tenant's KEK.
struct WrappedKey {
  std::string key_id;  // KEK and its version
  Bytes blob;
};

struct DataKey {
  SecretBytes plaintext;  // kDataKeySize bytes
  WrappedKey wrapped;
};

enum class KeyState { kEnabled, kDisabled, kPendingDestruction };

struct TenantKeyInfo {
  TenantId tenant;
  KeyState state = KeyState::kEnabled;
  std::uint32_t current_version = 1;
  Timestamp created_at;
  Timestamp destroy_at;  // meaningful in kPendingDestruction
};

/// What a provider can wait between schedule_destroy() and the end.
struct DestructionWindow {
  std::chrono::seconds shortest{0};
  std::chrono::seconds longest = std::chrono::seconds::max();
};

/// Holds or reaches the tenants' KEKs; they never leave it. Providers: local_key_service.h,
/// aws_key_service.h, pkcs11_key_service.h; caching_key_service.h stands before any of them. What
/// all of them must do is in key_service_conformance.cc. Thread-safe. Errors: kNotFound (no key for
/// the tenant), kKeyDisabled, kKeyDestroyed, kKeyWrong (blob does not authenticate, or belongs to
/// another tenant, purpose or key), kKeyServiceUnavailable (try again later), kKeyServiceRefused
/// (this program may not use the provider).
class KeyService {
 public:
  virtual ~KeyService() = default;
  /// kAlreadyExists when the tenant has a key, kKeyDestroyed when it had one.
  virtual Status create_tenant_key(TenantId tenant) = 0;
  virtual Result<TenantKeyInfo> describe(TenantId tenant) = 0;
  virtual Result<DataKey> generate_data_key(TenantId tenant, KeyPurpose purpose) = 0;
  virtual Result<SecretBytes> unwrap(TenantId tenant, KeyPurpose purpose,
                                     const WrappedKey& wrapped) = 0;
  /// The same DEK under the current version of the KEK.
  virtual Result<WrappedKey> rewrap(TenantId tenant, KeyPurpose purpose,
                                    const WrappedKey& wrapped) = 0;
  /// New KEK version for new wraps; older versions keep unwrapping. kLimitExceeded when the
  /// provider makes no more of them.
  virtual Status rotate(TenantId tenant) = 0;
  /// kConflict while destruction is pending, as for enable().
  virtual Status disable(TenantId tenant) = 0;
  virtual Status enable(TenantId tenant) = 0;
  /// From now on the key is unusable (kKeyDisabled); from `when` on it is gone for good
  /// (kKeyDestroyed) and with it everything sealed under it (crypto-shredding). A provider that
  /// counts in days takes the next one, never an earlier moment; describe() says which.
  /// kInvalidArgument when `when` is outside of destruction_window(), kConflict when destruction is
  /// pending already.
  virtual Status schedule_destroy(TenantId tenant, Timestamp when) = 0;
  /// The key is again what it was, enabled or disabled. kConflict when no destruction is pending.
  virtual Status cancel_destroy(TenantId tenant) = 0;
  virtual DestructionWindow destruction_window() const { return {}; }
};

/// Seals a small value (a database secret, a signing seed) as one OAS1 stream. `name` is bound as
/// associated data.
Result<Bytes> seal_value(KeyService& keys, TenantId tenant, KeyPurpose purpose,
                         std::string_view name, ByteView plaintext);
/// The reverse; at most 1 MiB.
Result<SecretBytes> unseal_value(KeyService& keys, TenantId tenant, KeyPurpose purpose,
                                 std::string_view name, ByteView sealed);

}  // namespace oa
