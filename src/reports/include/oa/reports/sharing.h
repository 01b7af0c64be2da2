// Single reports shared with people and teams beside the members of their workspace.
#pragma once

#include "oa/catalog/repositories.h"
#include "oa/datasets/actor.h"

namespace oa::reports {

/// Whom a report is shared with.
struct Principal {
  catalog::PrincipalKind kind = catalog::PrincipalKind::kUser;
  Uuid id;
};

/// Shares the report, or changes the role that it is shared in, and records
/// `sharing.grant.create`. It is not an edit of the report: updated_at stays. kNotFound for no such
/// report, kInvalidArgument for no such principal and for the role of an Admin.
Status share_report(catalog::Database& database, TenantId tenant, ReportId report,
                    const Principal& with, catalog::Role role, const datasets::Actor& actor);

/// Takes that back and records `sharing.grant.remove`. kNotFound for no such report, and when it is
/// not shared with them.
Status unshare_report(catalog::Database& database, TenantId tenant, ReportId report,
                      const Principal& with, const datasets::Actor& actor);

}  // namespace oa::reports
