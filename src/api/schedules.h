// What goes on by itself: archives by schedule, retention, remnants swept. One process at a time does
// it for a tenant, however many serve.
#pragma once

#include <memory>

#include "call.h"
#include "measures.h"

namespace oa::api {

/// When a schedule that is set at `now` runs for the first time: at once, so that there is an archive
/// soon. None for kOff.
std::optional<Timestamp> first_run(catalog::ScheduleFrequency frequency, Timestamp now);
/// The run after the one that was due at `due`: the same time of day, in the future of `now`.
Timestamp next_run(catalog::ScheduleFrequency frequency, Timestamp due, Timestamp now);

/// Enqueues the tenant's archive when it is due, and moves the schedule on.
Status run_schedule(catalog::Database& database, TenantId tenant, Timestamp now);
/// Removes what has had its time: archives of the schedule's retention, plans that were only looked
/// at, finished jobs, remembered answers, expired uploads, remnants. The first error, after all else
/// was done.
Status sweep_tenant(instance::Instance& instance, TenantId tenant, Timestamp now);

/// Does both for every tenant, on a thread of its own, every minute and every hour.
class Schedules {
 public:
  static std::unique_ptr<Schedules> start(Parts& parts, Measures& measures,
                                          std::function<void(const std::string&)> log);
  virtual ~Schedules() = default;
};

}  // namespace oa::api
