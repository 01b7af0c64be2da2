#include "object_keys.h"

#include "oa/catalog/object_keys.h"

namespace oa::instance {
namespace {

constexpr std::size_t kMostKnown = 65'536;

}  // namespace

bool RewrappedInDatabase::known_to_have_none(TenantId tenant) {
  const std::lock_guard lock(mutex_);
  const auto known = none_at_.find(tenant);
  return known != none_at_.end() && Clock::now() - known->second < kFor;
}

// What cannot be found out costs nothing: the header's wrap opens the object too.
std::optional<WrappedKey> RewrappedInDatabase::find(const ObjectKey& key,
                                                    const VersionId& version) {
  if (database_ == nullptr || known_to_have_none(key.tenant)) return std::nullopt;
  auto transaction = database_->begin(key.tenant, catalog::Isolation::kSnapshot);
  if (!transaction.ok()) return std::nullopt;
  catalog::ObjectKeys keys(*transaction);
  const auto any = keys.any();
  if (!any.ok()) return std::nullopt;
  if (!*any) {
    const std::lock_guard lock(mutex_);
    if (none_at_.size() >= kMostKnown) none_at_.clear();
    none_at_[key.tenant] = Clock::now();
    return std::nullopt;
  }
  auto found = keys.find({std::string(to_text(key.retention_class)), key.name, version.value});
  if (!found.ok() || !found->has_value()) return std::nullopt;
  return WrappedKey{std::move((*found)->key_id), std::move((*found)->wrapped)};
}

}  // namespace oa::instance
