#include "key_table.h"

#include <algorithm>

namespace oa {
namespace {

constexpr std::size_t kKekSize = 32;
constexpr std::size_t kRecordSize =
    16 + 1 + 8 + 8 + 4;  // tenant, flags, created, destroy at, versions
enum Flag : std::uint8_t { kEnabled = 1, kPending = 2, kDestroyed = 4 };

Error corrupt(std::string message) {
  return make_error(ErrorCode::kSealCorrupt, "key_store.decode", std::move(message));
}

// Takes a part off the front of `bytes`.
ByteView take(ByteView& bytes, std::size_t size) {
  const ByteView part = bytes.first(size);
  bytes = bytes.subspan(size);
  return part;
}

template <class T>
T take_le(ByteView& bytes) {
  return read_le<T>(take(bytes, sizeof(T)));
}

void append(std::span<std::uint8_t>& out, ByteView bytes) {
  OA_ASSERT(out.size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  out = out.subspan(bytes.size());
}

Bytes record_of(TenantId tenant, const TenantKey& key) {
  const auto& id = tenant.uuid().raw();
  Bytes record(id.begin(), id.end());
  record.push_back(static_cast<std::uint8_t>((key.enabled ? kEnabled : 0) |
                                             (key.destroy_at ? kPending : 0) |
                                             (key.destroyed ? kDestroyed : 0)));
  append_le(record, static_cast<std::uint64_t>(key.created_at.unix_us));
  append_le(record, static_cast<std::uint64_t>(key.destroy_at.value_or(Timestamp{}).unix_us));
  append_le(record, key.current_version());
  OA_ASSERT(record.size() == kRecordSize);
  return record;
}

}  // namespace

Result<KeyTable> KeyTable::decode(ByteView bytes) {
  KeyTable table;
  // Bounds all KEKs in it.
  table.arena_ = SecretBytes(bytes.size() / kKekSize * kKekSize);
  std::uint32_t next_slot = 0;
  while (!bytes.empty()) {
    if (bytes.size() < kRecordSize) return corrupt("a record of the key store is cut off");
    Uuid::Raw id;
    std::ranges::copy(take(bytes, id.size()), id.begin());
    const TenantId tenant{Uuid(id)};
    const std::uint8_t flags = take(bytes, 1)[0];
    TenantKey key;
    key.enabled = (flags & kEnabled) != 0;
    key.destroyed = (flags & kDestroyed) != 0;
    key.created_at.unix_us = static_cast<std::int64_t>(take_le<std::uint64_t>(bytes));
    const Timestamp destroy_at{static_cast<std::int64_t>(take_le<std::uint64_t>(bytes))};
    if ((flags & kPending) != 0) key.destroy_at = destroy_at;
    const auto versions = take_le<std::uint32_t>(bytes);
    if (flags > (kEnabled | kPending | kDestroyed) || (versions == 0) != key.destroyed ||
        versions > bytes.size() / kKekSize ||
        (!table.keys_.empty() && tenant <= table.keys_.rbegin()->first)) {
      return corrupt("a record of the key store makes no sense");
    }
    for (std::uint32_t i = 0; i < versions; ++i, ++next_slot) {
      std::ranges::copy(take(bytes, kKekSize),
                        table.arena_.mutable_view().begin() + next_slot * kKekSize);
      key.slots.push_back(next_slot);
    }
    table.keys_.emplace_hint(table.keys_.end(), tenant, std::move(key));
  }
  SecretBytes exact = SecretBytes::copy_of(table.arena_.view().first(next_slot * kKekSize));
  table.arena_ = std::move(exact);
  return table;
}

SecretBytes KeyTable::encode() const {
  std::size_t size = 0;
  for (const auto& [tenant, key] : keys_) size += kRecordSize + key.slots.size() * kKekSize;
  SecretBytes bytes(size);
  std::span<std::uint8_t> out = bytes.mutable_view();
  for (const auto& [tenant, key] : keys_) {
    append(out, record_of(tenant, key));
    for (const std::uint32_t slot : key.slots)
      append(out, arena_.view().subspan(slot * kKekSize, kKekSize));
  }
  OA_ASSERT(out.empty());
  return bytes;
}

TenantKey* KeyTable::find(TenantId tenant) {
  const auto found = keys_.find(tenant);
  return found == keys_.end() ? nullptr : &found->second;
}

void KeyTable::add(TenantId tenant, Timestamp created_at) {
  const auto [at, added] = keys_.try_emplace(tenant);
  OA_ASSERT(added);
  at->second.created_at = created_at;
  add_version(at->second);
}

void KeyTable::add_version(TenantKey& key) {
  OA_ASSERT(!key.destroyed);
  SecretBytes grown(arena_.size() + kKekSize);
  std::ranges::copy(arena_.view(), grown.mutable_view().begin());
  random_fill(grown.mutable_view().last(kKekSize));
  key.slots.push_back(static_cast<std::uint32_t>(arena_.size() / kKekSize));
  arena_ = std::move(grown);
}

SecretBytes KeyTable::kek(const TenantKey& key, std::uint32_t version) const {
  OA_ASSERT(version >= 1 && version <= key.slots.size());
  return SecretBytes::copy_of(arena_.view().subspan(key.slots[version - 1] * kKekSize, kKekSize));
}

KeyTable KeyTable::only(TenantId tenant) const {
  const TenantKey& key = keys_.at(tenant);
  OA_ASSERT(!key.destroyed);
  KeyTable one;
  TenantKey& copy = one.keys_[tenant] = key;
  one.arena_ = SecretBytes(key.slots.size() * kKekSize);
  for (std::uint32_t slot = 0; slot < key.slots.size(); ++slot) {
    std::ranges::copy(arena_.view().subspan(key.slots[slot] * kKekSize, kKekSize),
                      one.arena_.mutable_view().subspan(slot * kKekSize, kKekSize).begin());
    copy.slots[slot] = slot;
  }
  return one;
}

bool KeyTable::any_due(Timestamp now) const {
  return std::ranges::any_of(keys_, [&](const auto& entry) {
    return !entry.second.destroyed && entry.second.destroyed_by(now);
  });
}

bool KeyTable::erase_due(Timestamp now) {
  bool erased = false;
  for (auto& [tenant, key] : keys_) {
    if (key.destroyed || !key.destroyed_by(now)) continue;
    for (const std::uint32_t slot : key.slots) {
      std::ranges::fill(arena_.mutable_view().subspan(slot * kKekSize, kKekSize), std::uint8_t{0});
    }
    key.slots.clear();
    key.destroyed = true;
    key.destroy_at.reset();
    erased = true;
  }
  return erased;
}

}  // namespace oa
