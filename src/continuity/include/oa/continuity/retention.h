// How long what a moment needs is kept: of the cell the longest window of its tenants, of a tenant's
// rows as long as its own window may name them.
#pragma once

#include <chrono>
#include <span>

#include "oa/base/progress.h"
#include "oa/catalog/cell.h"
#include "oa/objects/object_store.h"

namespace oa::continuity {

/// So long after a change of plan what the longer window needs is kept, for a customer who regrets: back
/// on the plan, the tenant has its window again as if nothing had been.
inline constexpr int kRegretDays = 7;
/// A snapshot that is being read, or clocks that differ, may need a little more than the window.
inline constexpr int kMarginDays = 1;

Timestamp regret_begins(Timestamp now);

/// Of one tenant: the longest window of the plans that it has or had within kRegretDays.
int kept_days(std::span<const catalog::Plan> plans);
/// Of the cell, out of CellCatalog::plans_since(regret_begins()); the shortest window when there is
/// no tenant.
int kept_days(std::span<const std::pair<TenantId, catalog::Plan>> plans);

/// Removes versions of the tenant's imported rows that nothing can ask for any more: no dataset names
/// them, and the last moment at which one did lies before the window (and kMarginDays). A version that
/// no dataset ever named goes by its age. How many went. A version that a transaction names meanwhile
/// stays. kCancelled.
Result<std::uint64_t> remove_row_versions(catalog::Database& database, ObjectStore& store,
                                          TenantId tenant, int keep_days, Timestamp now,
                                          Progress& progress);

}  // namespace oa::continuity
