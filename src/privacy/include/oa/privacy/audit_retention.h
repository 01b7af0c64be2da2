// Audit events are removed when the plan's time is over; a checkpoint keeps the chain verifiable.
#pragma once

#include "oa/base/progress.h"
#include "oa/catalog/database.h"
#include "oa/privacy/ledger.h"

namespace oa::privacy {

/// How long a tenant's audit events are kept.
int audit_days_of(catalog::Plan plan);

/// Removes events older than the plan's days at `now`, in one transaction with the checkpoint that
/// the ledger's key signs; the newest event always stays. An event is never removed before all those
/// in front of it. How many. Waits for nobody who appends.
Result<std::uint64_t> retire_audit_events(catalog::Database& database, const Ledger& ledger,
                                          const catalog::Tenant& tenant, Timestamp now);

}  // namespace oa::privacy
