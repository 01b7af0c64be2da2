// Reports deleted by people.
#pragma once

#include "oa/catalog/repositories.h"
#include "oa/datasets/actor.h"

namespace oa::reports {

/// Deletes the report for good (an archive may still hold it) and records `report.delete`.
/// kNotFound.
Status remove_report(catalog::Database& database, TenantId tenant, ReportId report,
                     const datasets::Actor& actor);

}  // namespace oa::reports
