#include "oa/continuity/schedule.h"

#include <algorithm>

namespace oa::continuity {
namespace {

using catalog::CellRunKind;

class Due {
 public:
  Due(const RunSchedule& schedule, const LastRuns& last, Timestamp now)
      : schedule_(schedule), last_(last), now_(now) {}

  std::optional<Timestamp> newest(std::initializer_list<CellRunKind> kinds) const {
    std::optional<Timestamp> newest;
    for (const auto kind : kinds) {
      const auto found = last_.succeeded.find(kind);
      if (found != last_.succeeded.end() && (!newest || *newest < found->second))
        newest = found->second;
    }
    return newest;
  }
  // A clock that was set back must not put everything off.
  bool passed(Timestamp since, std::chrono::minutes time) const {
    return since > now_ || now_.unix_us - since.unix_us >= std::chrono::microseconds(time).count();
  }
  bool may_try(CellRunKind kind) const {
    const auto failed = last_.failed.find(kind);
    return failed == last_.failed.end() || passed(failed->second, schedule_.retry);
  }
  bool due(CellRunKind kind, std::chrono::minutes period, std::optional<Timestamp> since) const {
    return may_try(kind) && (!since || passed(*since, period));
  }

 private:
  const RunSchedule& schedule_;
  const LastRuns& last_;
  const Timestamp now_;
};

}  // namespace

std::vector<CellRunKind> due_runs(const RunSchedule& schedule, const LastRuns& last,
                                  Timestamp now) {
  const Due due(schedule, last, now);
  const auto full = due.newest({CellRunKind::kFull});
  const auto differential = due.newest({CellRunKind::kFull, CellRunKind::kDifferential});
  const auto any =
      due.newest({CellRunKind::kFull, CellRunKind::kDifferential, CellRunKind::kIncremental});
  std::vector<CellRunKind> runs;
  const bool cut_off = full && last.recovered_at && *full < *last.recovered_at;
  if (due.due(CellRunKind::kFull, schedule.full, full) ||
      (cut_off && due.may_try(CellRunKind::kFull))) {
    runs.push_back(CellRunKind::kFull);
  } else if (full && last.written_since_backup) {
    if (due.due(CellRunKind::kDifferential, schedule.differential, differential))
      runs.push_back(CellRunKind::kDifferential);
    else if (due.due(CellRunKind::kIncremental, schedule.incremental, any))
      runs.push_back(CellRunKind::kIncremental);
  }
  if (!full) return runs;
  const auto add = [&](CellRunKind kind, std::chrono::minutes period, std::chrono::minutes first) {
    const auto own = due.newest({kind});
    if (due.due(kind, own ? period : first, own ? own : full)) runs.push_back(kind);
  };
  add(CellRunKind::kRestoreCheck, schedule.restore_check, schedule.first_restore_check);
  add(CellRunKind::kExpire, schedule.expire, schedule.expire);
  add(CellRunKind::kVerify, schedule.verify, schedule.first_verify);
  return runs;
}

}  // namespace oa::continuity
