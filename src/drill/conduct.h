// Any drill, from its row in the catalog to its published record.
#pragma once

#include "steps.h"

namespace oa::drill {

/// `work` runs the steps. As run_tenant_drill().
Result<Drill> conduct(instance::Instance& instance, Kind kind, TenantId source,
                      const Limits& limits, Progress& progress,
                      const std::function<Status(Drill&, Deadline&)>& work);

}  // namespace oa::drill
