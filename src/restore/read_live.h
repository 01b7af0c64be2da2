// The tenant as a prepared restore needs to see it.
#pragma once

#include "oa/restore/engine.h"

namespace oa::restore {

Result<LiveState> read_live(const Engine& engine, catalog::TenantTransaction& transaction,
                            const Contents& contents, const Interest& interest,
                            const LiveState* known = nullptr);

/// What `prepared` was planned with, as it is now; kPreconditionFailed when that would give another
/// plan, naming the first assets for which it would.
Result<LiveState> read_unchanged(const Engine& engine, catalog::TenantTransaction& transaction,
                                 const PreparedRestore& prepared);

/// kPreconditionFailed, with what the two plans tell apart.
Error changed_since(const std::vector<PlanItem>& before, const std::vector<PlanItem>& now);

}  // namespace oa::restore
