#include "oa/reports/sharing.h"

#include <algorithm>
#include <boost/json.hpp>

namespace oa::reports {
namespace {

bool is_of(const catalog::RoleGrant& grant, const Principal& principal) {
  return grant.kind == principal.kind && grant.principal == principal.id;
}

Status record(catalog::TenantTransaction& transaction, ReportId report, std::string_view action,
              const catalog::RoleGrant& grant, const datasets::Actor& actor) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = actor.type;
  if (actor.user.has_value()) event.actor_id = actor.user->uuid();
  event.action = action;
  event.resource_type = "report";
  event.resource_id = report.str();
  event.detail = JsonText::of(json::object{{"kind", catalog::to_text(grant.kind)},
                                           {"principal", grant.principal.str()},
                                           {"role", catalog::to_text(grant.role)}});
  event.trace_id = actor.trace_id;
  event.personal = actor.personal;
  return catalog::Audit(transaction).append({&event, 1});
}

}  // namespace

Status share_report(catalog::Database& database, TenantId tenant, ReportId id,
                    const Principal& with, catalog::Role role, const datasets::Actor& actor) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_ASSIGN(auto report, catalog::Reports(transaction).lock(id));
  const catalog::RoleGrant grant{with.kind, with.id, role};
  std::erase_if(report.grants, [&](const auto& each) { return is_of(each, with); });
  report.grants.insert(std::ranges::lower_bound(report.grants, grant), grant);
  OA_TRY(catalog::Reports(transaction).put({&report, 1}));
  OA_TRY(record(transaction, id, "sharing.grant.create", grant, actor));
  return transaction.commit();
}

Status unshare_report(catalog::Database& database, TenantId tenant, ReportId id,
                      const Principal& with, const datasets::Actor& actor) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_ASSIGN(auto report, catalog::Reports(transaction).lock(id));
  const auto found =
      std::ranges::find_if(report.grants, [&](const auto& each) { return is_of(each, with); });
  if (found == report.grants.end()) {
    return make_error(ErrorCode::kNotFound, "report.unshare", "the report is not shared with them")
        .with_hint("`oa-backup report list` shows whom it is shared with");
  }
  const catalog::RoleGrant grant = *found;
  report.grants.erase(found);
  OA_TRY(catalog::Reports(transaction).put({&report, 1}));
  OA_TRY(record(transaction, id, "sharing.grant.remove", grant, actor));
  return transaction.commit();
}

}  // namespace oa::reports
