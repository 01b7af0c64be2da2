#include "audit_event.h"

namespace oa::datasets {

Status append_event(catalog::TenantTransaction& transaction, const Actor& actor,
                    std::string_view action, std::string_view resource_type,
                    const std::string& resource_id, const json::object& detail) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = actor.type;
  if (actor.user.has_value()) event.actor_id = actor.user->uuid();
  event.action = action;
  event.resource_type = resource_type;
  event.resource_id = resource_id;
  event.detail = JsonText::of(detail);
  event.trace_id = actor.trace_id;
  event.personal = actor.personal;
  return catalog::Audit(transaction).append({&event, 1});
}

}  // namespace oa::datasets
