#include "oa/reports/removal.h"

#include <boost/json.hpp>

namespace oa::reports {

Status remove_report(catalog::Database& database, TenantId tenant, ReportId id,
                     const datasets::Actor& actor) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  catalog::Reports reports(transaction);
  OA_ASSIGN(const auto report, reports.lock(id));
  OA_TRY(reports.remove(id));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = actor.type;
  if (actor.user.has_value()) event.actor_id = actor.user->uuid();
  event.action = "report.delete";
  event.resource_type = "report";
  event.resource_id = id.str();
  event.detail = JsonText::of(json::object{{"workspace_id", report.workspace_id.str()}});
  event.trace_id = actor.trace_id;
  event.personal = actor.personal;
  event.personal["detail.name"] = report.name;
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

}  // namespace oa::reports
