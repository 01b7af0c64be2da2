// The states of a tenant's key, for providers that keep them themselves.
#pragma once

#include <optional>

#include "oa/keys/key_service.h"

namespace oa {

struct KeyLife {
  Timestamp created_at;
  bool enabled = true;
  bool destroyed = false;  // the KEKs are gone; stays so that the tenant never gets a key again
  std::optional<Timestamp> destroy_at;  // set while destruction is pending

  bool destroyed_by(Timestamp now) const { return destroyed || (destroy_at && *destroy_at <= now); }
  TenantKeyInfo info(TenantId tenant, std::uint32_t current_version) const;
  /// Why a tenant that has this key gets no other: kAlreadyExists, kKeyDestroyed.
  Error taken(TenantId tenant) const;
  /// kKeyDestroyed, kKeyDisabled.
  Status check_usable(TenantId tenant) const;

  // Changes, which are refused as KeyService's are.
  Status set_enabled(TenantId tenant, bool on);
  Status schedule(TenantId tenant, Timestamp when);
  Status cancel(TenantId tenant);
};

/// Whether names of keys can begin so: 1 to 64 of a-z 0-9 - _.
bool is_name_prefix(std::string_view text);

}  // namespace oa
