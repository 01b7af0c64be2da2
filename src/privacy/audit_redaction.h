// Personal values of audit events, redacted where they are (docs/format.md, "Audit chain").
#pragma once

#include "oa/catalog/database.h"
#include "oa/privacy/mentions.h"

namespace oa::privacy {

/// How many events hold values of this person that are not redacted.
Result<std::uint64_t> count_audit_events(catalog::TenantTransaction& transaction,
                                         const PersonValues& person);
/// Redacts them, how many. From its return until the transaction ends nobody else appends events, so
/// that none of this person comes behind it.
Result<std::uint64_t> redact_audit_events(catalog::TenantTransaction& transaction,
                                          const PersonValues& person);

}  // namespace oa::privacy
