// The public API for a drill, on this machine alone.
#pragma once

#include "oa/drill/drill.h"

namespace oa::api {

/// A service of `instance`, which is borrowed, on a port of 127.0.0.1 without TLS and without upkeep.
/// `job_workers`: 0 leaves its jobs alone. Errors of Service::start().
Result<std::unique_ptr<drill::ServedApi>> serve_for_drill(instance::Instance& instance,
                                                          unsigned job_workers);

}  // namespace oa::api
