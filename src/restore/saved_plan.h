#pragma once

#include "oa/restore/engine.h"

namespace oa::restore {

/// What rows_not_kept() reads.
void note_rows_not_kept(catalog::RestoreRecord& record, std::size_t datasets);

/// The plan with its items.
Result<Plan> load_plan(catalog::TenantTransaction& transaction,
                       const catalog::RestoreRecord& record);

/// What was done to the restore, by whom: an audit event without personal data.
Status append_event(catalog::TenantTransaction& transaction, std::string_view action,
                    const catalog::RestoreRecord& record, const std::optional<UserId>& by,
                    Timestamp when);

}  // namespace oa::restore
