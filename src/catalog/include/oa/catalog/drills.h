// Recovery drills: which tenants take part, and what was done. Of drills only operators know whose
// archive they restored.
#pragma once

#include <optional>
#include <vector>

#include "oa/base/json.h"
#include "oa/catalog/database.h"

namespace oa::catalog {

struct DrillConsent {
  bool takes_part = false;
  std::optional<Timestamp> changed_at;  // none: nobody has said anything, which is no
  std::optional<UserId> changed_by;     // none: the operator
};

/// Of one tenant.
class DrillConsents {
 public:
  explicit DrillConsents(TenantTransaction& transaction) : tx_(transaction) {}
  Result<DrillConsent> get();
  Status put(bool takes_part, std::optional<UserId> by);

 private:
  TenantTransaction& tx_;
};

/// Tenants that take part, by id.
Result<std::vector<TenantId>> tenants_in_drills(Database& database);

struct DrillRow {
  Uuid id;
  TenantId source;                   // whose archive
  std::optional<TenantId> recovery;  // as long as it is there
  std::string state = "validating";  // "successful", "failed", "timed_out"
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
  std::optional<std::uint64_t> number;  // of its record
  std::optional<Timestamp> keep_until;  // the recovery tenant
  JsonText detail;
};

/// Of the operator. Each call is a transaction of its own. Thread-safe.
class Drills {
 public:
  explicit Drills(Database& database) : database_(database) {}
  Status add(const DrillRow& drill);
  Status update(const DrillRow& drill);
  Result<DrillRow> get(Uuid id);  // kNotFound
  /// Newest first, at most `limit`, behind `after`.
  Result<std::vector<DrillRow>> list(std::optional<Uuid> after, std::size_t limit);
  /// Of one tenant's archives, newest first, at most `limit`.
  Result<std::vector<DrillRow>> of_tenant(TenantId source, std::size_t limit);
  /// Those whose recovery tenant is there.
  Result<std::vector<DrillRow>> with_recovery();
  /// The tenant's own row, once nothing else of it is there; false when it is no drill's recovery
  /// tenant.
  Result<bool> remove_recovery_tenant(TenantId tenant);

 private:
  Database& database_;
};

}  // namespace oa::catalog
