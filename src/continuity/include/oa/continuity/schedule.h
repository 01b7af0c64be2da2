// When which run of the cell is due. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "oa/catalog/cell.h"

namespace oa::continuity {

/// How often; the time since the last one that succeeded.
struct RunSchedule {
  std::chrono::minutes full{7 * 24 * 60};
  std::chrono::minutes differential{24 * 60};
  /// Replay of the log takes longest in a restore, so there is little of it since the last backup.
  std::chrono::minutes incremental{60};
  std::chrono::minutes expire{24 * 60};
  std::chrono::minutes verify{7 * 24 * 60};
  std::chrono::minutes restore_check{7 * 24 * 60};
  /// The first ones of these come so long after the first backup.
  std::chrono::minutes first_verify{60}, first_restore_check{10};
  /// After a failure.
  std::chrono::minutes retry{10};
};

struct LastRuns {
  std::map<catalog::CellRunKind, Timestamp> succeeded;  // the newest of each
  std::map<catalog::CellRunKind, Timestamp> failed;     // when later than the success
  /// The cluster was brought to a moment: the backups before do not lead to the present.
  std::optional<Timestamp> recovered_at;
  bool written_since_backup = true;  // something is in the log that no backup has
};

/// What is due at `now`, most important first; at most one kind of backup, since a full one does for
/// the others. Nothing but a full backup is due before there is one.
std::vector<catalog::CellRunKind> due_runs(const RunSchedule& schedule, const LastRuns& last,
                                           Timestamp now);

}  // namespace oa::continuity
