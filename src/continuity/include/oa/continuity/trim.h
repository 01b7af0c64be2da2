// What of the received log nothing needs any more.
#pragma once

#include <functional>
#include <optional>

#include "oa/continuity/repository.h"
#include "oa/wal/sealed_wal.h"

namespace oa::continuity {

/// What decides about one segment.
struct TrimLimits {
  /// The last one that the live server says it has archived, by whatever command: no more than a
  /// reason to look.
  std::optional<wal::SegmentName> last_archived;
  /// Where the first backup that is kept begins: no recovery reads what ends before. None: no
  /// backup.
  std::optional<wal::Lsn> oldest_backup;
};

/// Whether `segment` may be removed: the repository has it, which `has_segment` is asked, or no backup
/// needs it. A server may archive elsewhere, or have died before it archived.
Result<bool> may_go(const wal::SegmentName& segment, const TrimLimits& limits,
                    const std::function<Result<bool>(const wal::SegmentName&)>& has_segment);

/// Removes what may go from every timeline; the bytes freed. The first error ends it.
Result<std::uint64_t> trim_log(wal::SealedWal& log, const Repository& repository,
                               const std::optional<wal::SegmentName>& last_archived);

}  // namespace oa::continuity
