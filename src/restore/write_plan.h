// Writes a plan's records, inside one transaction.
#pragma once

#include "oa/restore/engine.h"

namespace oa::restore {

/// `live` is what the transaction sees, locked; `rows` where staged rows are, by dataset. Progress
/// counts assets.
Status write_plan(catalog::TenantTransaction& transaction, const PreparedRestore& prepared,
                  const LiveState& live, const std::map<Uuid, catalog::RowsObject>& rows,
                  Progress& progress);

}  // namespace oa::restore
