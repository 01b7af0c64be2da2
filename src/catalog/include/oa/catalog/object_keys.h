// Data keys of objects that were wrapped anew after the object was written.
#pragma once

#include <optional>
#include <string>

#include "oa/catalog/database.h"

namespace oa::catalog {

/// One version of an object, as the store names it.
struct ObjectVersionName {
  std::string retention_class, name, version;
};
struct RewrappedKey {
  std::string key_id;  // at most 255 bytes
  Bytes wrapped;       // at most 4096 bytes
};

/// Of one tenant. Borrows the transaction.
class ObjectKeys {
 public:
  explicit ObjectKeys(TenantTransaction& transaction) : tx_(transaction) {}
  /// Whether there is any at all.
  Result<bool> any();
  Result<std::optional<RewrappedKey>> find(const ObjectVersionName& object);
  Status put(const ObjectVersionName& object, const RewrappedKey& key);
  /// Those of versions that were not put or kept since `moment`: their objects are gone.
  Result<std::uint64_t> remove_not_seen_since(Timestamp moment);
  Status seen(const ObjectVersionName& object);

 private:
  TenantTransaction& tx_;
};

/// Writes what seals a signing key's seed anew, when it still is `before`; false when it is not.
Result<bool> reseal_signing_key(TenantTransaction& transaction, const std::string& public_key,
                                const Bytes& before, const Bytes& after);

}  // namespace oa::catalog
