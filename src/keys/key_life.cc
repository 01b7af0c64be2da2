#include "key_life.h"

#include <algorithm>

#include "key_names.h"

namespace oa {

TenantKeyInfo KeyLife::info(TenantId tenant, std::uint32_t current_version) const {
  TenantKeyInfo info{tenant, enabled ? KeyState::kEnabled : KeyState::kDisabled, current_version,
                     created_at, destroy_at.value_or(Timestamp{})};
  if (destroy_at) info.state = KeyState::kPendingDestruction;
  return info;
}

Error KeyLife::taken(TenantId tenant) const {
  return destroyed ? key_error(ErrorCode::kKeyDestroyed, tenant, "was destroyed")
                   : key_error(ErrorCode::kAlreadyExists, tenant, "exists already");
}

Status KeyLife::check_usable(TenantId tenant) const {
  if (destroyed_by(Timestamp::now()))
    return key_error(ErrorCode::kKeyDestroyed, tenant, "was destroyed");
  if (destroy_at) return disabled_until_destroyed(tenant);
  if (!enabled) return key_error(ErrorCode::kKeyDisabled, tenant, "is disabled");
  return {};
}

Status KeyLife::set_enabled(TenantId tenant, bool on) {
  if (destroy_at) return about_to_be_destroyed(tenant);
  enabled = on;
  return {};
}

Status KeyLife::schedule(TenantId tenant, Timestamp when) {
  if (destroy_at) return about_to_be_destroyed(tenant);
  destroy_at = when;
  return {};
}

Status KeyLife::cancel(TenantId tenant) {
  if (!destroy_at) return key_error(ErrorCode::kConflict, tenant, "is not about to be destroyed");
  destroy_at.reset();
  return {};
}

bool is_name_prefix(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace oa
