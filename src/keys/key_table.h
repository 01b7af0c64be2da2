// All tenants' KEKs in memory and their binary form inside the key store file.
#pragma once

#include <map>
#include <vector>

#include "key_life.h"

namespace oa {

struct TenantKey : KeyLife {
  std::vector<std::uint32_t> slots;  // where each KEK version is, version 1 first

  std::uint32_t current_version() const { return static_cast<std::uint32_t>(slots.size()); }
};

/// Not thread-safe.
class KeyTable {
 public:
  /// kSealCorrupt when `bytes` is not what encode() made.
  static Result<KeyTable> decode(ByteView bytes);
  SecretBytes encode() const;

  /// nullptr when there is none.
  TenantKey* find(TenantId tenant);
  /// A key of one version. The tenant must have none.
  void add(TenantId tenant, Timestamp created_at);
  void add_version(TenantKey& key);
  /// The KEK of a version that exists.
  SecretBytes kek(const TenantKey& key, std::uint32_t version) const;
  /// A table with that tenant's key alone, which must be there and not be destroyed.
  KeyTable only(TenantId tenant) const;
  bool any_due(Timestamp now) const;
  /// Erases the KEKs whose destruction is due; true when there were any.
  bool erase_due(Timestamp now);

 private:
  std::map<TenantId, TenantKey> keys_;
  // One secret for all KEKs: guarded memory costs pages and mappings for each piece.
  SecretBytes arena_;
};

}  // namespace oa
