// The branches of a cell's history.
#pragma once

#include <optional>
#include <vector>

#include "oa/continuity/repository.h"
#include "oa/wal/sealed_wal.h"

namespace oa::continuity {

/// Those of the archive and, when `log` is there, those that only the received log knows yet,
/// ascending. Which of them had begun by `at` is what their first records say (wal::began_at()): of
/// those that are in question, one after the other is looked for in the log and in the archive. Of
/// one that neither has, and of all when there is no `at`, it is when the history file was
/// archived. `now` is what the repository's info() has told.
Result<std::vector<TimelineInfo>> known_timelines(const Repository& repository,
                                                  const RepositoryInfo& now, wal::SealedWal* log,
                                                  std::optional<Timestamp> at);

}  // namespace oa::continuity
