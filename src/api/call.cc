#include "call.h"

namespace oa::api {

Result<catalog::Job> TenantCall::start(const operations::Operation& operation) {
  const auto job = operations::job_of(operation, who.user, trace_id());
  if (answer_ != nullptr) {
    OA_TRY(catalog::Jobs(*answer_).add(job));
    return catalog::Jobs(*answer_).get(job.id);
  }
  OA_ASSIGN(auto own, transaction());
  catalog::Jobs jobs(own);
  OA_TRY(jobs.add(job));
  OA_ASSIGN(auto added, jobs.get(job.id));
  OA_TRY(own.commit());
  wake_workers();
  return added;
}

catalog::NewAuditEvent TenantCall::event(std::string_view action, std::string_view resource_type,
                                         std::string resource_id) const {
  catalog::NewAuditEvent event;
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
