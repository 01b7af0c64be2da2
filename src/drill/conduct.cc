#include "conduct.h"

#include "oa/drill/chronicle.h"

namespace oa::drill {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr unsigned kTries = 3;

// Published, whatever came of it; another process may be recording just now.
Status record(instance::Instance& instance, Drill& drill, const std::string& seed) {
  OA_ASSIGN(auto chronicle, Chronicle::open(instance));
  for (unsigned attempt = 1;; ++attempt) {
    const auto entry = chronicle.append(record_of(drill, seed));
    if (entry.ok()) {
      drill.number = unsigned_of(entry->record.at("number"));
      return {};
    }
    if (entry.error().code != ErrorCode::kConflict || attempt == kTries) return entry.error();
  }
}

}  // namespace

Result<Drill> conduct(instance::Instance& instance, Kind kind, TenantId source,
                      const Limits& limits, Progress& progress,
                      const std::function<Status(Drill&, Deadline&)>& work) {
  Drill drill;
  drill.id = Uuid::random();
  drill.kind = kind;
  drill.source = source;
  drill.started_at = Timestamp::now();
  catalog::Drills drills(instance.database());
  OA_TRY(drills.add(row_of(drill)));
  Deadline deadline(progress, limits.time_limit);
  const Status done = work(drill, deadline);
  drill.finished_at = Timestamp::now();
  if (done.ok()) {
    drill.state = StepState::kSuccessful;
  } else {
    if (drill.state == StepState::kRunning) drill.state = StepState::kFailed;
    if (drill.recovery.has_value())
      drill.keep_until = Timestamp{drill.finished_at->unix_us + limits.keep_failed_days * kDayUs};
  }
  // One that was ended from outside proves nothing either way.
  const bool interrupted = !done.ok() && progress.cancelled() && !deadline.over();
  if (interrupted && drill.recovery.has_value()) drill.keep_until = drill.finished_at;
  if (!interrupted) OA_TRY(record(instance, drill, limits.seed));
  OA_TRY(drills.update(row_of(drill)));
  return drill;
}

}  // namespace oa::drill
