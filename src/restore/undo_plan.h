// How a restore is taken back.
#pragma once

#include "oa/restore/engine.h"

namespace oa::restore {

/// Which of the tenant's assets an undo of `applied` looks at.
Interest undo_interest(const Plan& applied, const Contents& before);

/// `applied`: the plan with its items. `before`: the undo archive's contents. Total: an item for
/// each asset that the restore wrote or removed. Errors: those of the documents.
Result<Plan> make_undo_plan(const Plan& applied, const Contents& before, const LiveState& live,
                            const UndoRequest& request);

}  // namespace oa::restore
