#include "oa/continuity/trim.h"

#include <algorithm>

namespace oa::continuity {

Result<bool> may_go(const wal::SegmentName& segment, const TrimLimits& limits,
                    const std::function<Result<bool>(const wal::SegmentName&)>& has_segment) {
  if (limits.oldest_backup && segment.end() <= *limits.oldest_backup) return true;
  if (!limits.last_archived) return false;
  // A newer one is just being begun.
  if (segment > *limits.last_archived) return false;
  return has_segment(segment);
}

Result<std::uint64_t> trim_log(wal::SealedWal& log, const Repository& repository,
                               const std::optional<wal::SegmentName>& last_archived) {
  OA_ASSIGN(const RepositoryInfo info, repository.info());
  TrimLimits limits{last_archived, std::nullopt};
  for (const auto& backup : info.backups)
    limits.oldest_backup =
        std::min(limits.oldest_backup.value_or(backup.start_lsn), backup.start_lsn);
  constexpr wal::Lsn kEverything{~std::uint64_t{0}};
  return log.remove_before(kEverything, [&](const wal::SegmentName& segment) {
    return may_go(segment, limits, [&](const auto& name) { return repository.has_segment(name); });
  });
}

}  // namespace oa::continuity
