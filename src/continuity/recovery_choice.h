// What a recovery begins with, by what repository and received log have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/continuity/scratch_cluster.h"

namespace oa::continuity {

struct RecoveryChoice {
  RepositoryInfo info;
  std::vector<TimelineInfo> timelines;
  RecoveryPath path;
};

/// choose_path() over what there is now.
Result<RecoveryChoice> choose_recovery(const Repository& repository, const LogSource& log,
                                       const Target& target,
                                       const std::optional<std::string>& label);
/// The end of the log, archived or streamed, or where the next backup began: replay goes no
/// farther.
wal::Lsn farthest(const RecoveryChoice& choice, const LogSource& log, const Target& target);
/// kDiskFull unless there is room in `folder` for the backup and its log up to `until`.
Status check_space(const std::string& folder, const BackupInfo& backup, wal::Lsn until);

}  // namespace oa::continuity
