#include "call.h"

namespace oa::api {

Result<catalog::Job> TenantCall::start(const operations::Operation& operation) {
  const auto job = operations::job_of(operation, who.user, trace_id());
  OA_ASSIGN(auto added, write([&](catalog::TenantTransaction& tx) -> Result<catalog::Job> {
              OA_TRY(catalog::Jobs(tx).add(job));
              return catalog::Jobs(tx).get(job.id);
            }));
  wake_workers();
  return added;
}

NewAuditEvent TenantCall::event(std::string_view action, std::string_view resource_type,
                                         std::string resource_id) const {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "user";
  event.actor_id = who.user.uuid();
  event.action = action;
  event.resource_type = resource_type;
  event.resource_id = std::move(resource_id);
  event.trace_id = trace_id();
  event.personal = {{"actor.email", who.email}, {"actor.ip", arrived.request->peer_address}};
  return event;
}

}  // namespace oa::api
