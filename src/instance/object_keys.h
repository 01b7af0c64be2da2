// The database as a memory of data keys that were wrapped anew.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>

#include "oa/catalog/database.h"
#include "oa/objects/sealed_objects.h"

namespace oa::instance {

/// Most tenants have none: that is remembered for kFor, so that an open costs no question.
class RewrappedInDatabase final : public RewrappedKeys {
 public:
  /// Borrows the pointer, which is null while the instance is being opened.
  explicit RewrappedInDatabase(const std::unique_ptr<catalog::Database>& database)
      : database_(database) {}
  std::optional<WrappedKey> find(const ObjectKey& key, const VersionId& version) override;
  static constexpr auto kFor = std::chrono::seconds(30);

 private:
  using Clock = std::chrono::steady_clock;
  bool known_to_have_none(TenantId tenant);

  const std::unique_ptr<catalog::Database>& database_;
  std::mutex mutex_;
  std::map<TenantId, Clock::time_point> none_at_;  // guarded by mutex_
};

}  // namespace oa::instance
