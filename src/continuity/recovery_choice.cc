#include "recovery_choice.h"

#include <algorithm>
#include <filesystem>

#include "scratch_folder.h"
#include "timelines.h"

namespace oa::continuity {
namespace {

constexpr const char* kOp = "recovery";

}  // namespace

Result<RecoveryChoice> choose_recovery(const Repository& repository, const LogSource& log,
                                       const Target& target,
                                       const std::optional<std::string>& label) {
  RecoveryChoice choice;
  OA_ASSIGN(choice.info, repository.info());
  const auto* time = std::get_if<Target::Time>(&target.where);
  OA_ASSIGN(choice.timelines,
            known_timelines(repository, choice.info, log.tail,
                            time != nullptr ? std::optional(time->at) : std::nullopt));
  OA_ASSIGN(choice.path,
            choose_path(choice.info, choice.timelines, target, Timestamp::now(), label));
  return choice;
}

wal::Lsn farthest(const RecoveryChoice& choice, const LogSource& log, const Target& target) {
  if (const auto* place = std::get_if<Target::Position>(&target.where)) return place->lsn;
  wal::Lsn end = choice.path.backup.stop_lsn;
  if (std::holds_alternative<Target::Immediate>(target.where)) return end;
  for (const auto& archive : choice.info.archives) {
    const auto segment = wal::SegmentName::parse(archive.max_segment, {});
    if (segment.ok()) end = std::max(end, segment->end());
  }
  // Damage at its end is for recovery to find.
  if (log.tail != nullptr)
    if (const auto timelines = log.tail->timelines(); timelines.ok() && !timelines->empty())
      if (const auto tail = log.tail->end_of(
              choice.path.timeline.value != 0 ? choice.path.timeline : timelines->back());
          tail.ok() && *tail)
        end = std::max(end, **tail);
  if (const auto* time = std::get_if<Target::Time>(&target.where))
    for (const auto& backup : choice.info.backups)
      if (backup.started_at > time->at && backup.start_lsn > choice.path.backup.stop_lsn)
        return std::min(end, backup.start_lsn);
  return end;
}

Status check_space(const std::string& folder, const BackupInfo& backup, wal::Lsn until) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error) return errno_error(error.value(), kOp, folder);
  const std::uint64_t log = until > backup.start_lsn ? until.value - backup.start_lsn.value : 0;
  const std::uint64_t needed = space_needed(backup.database_bytes, log, space.capacity);
  if (space.available >= needed) return {};
  return make_error(ErrorCode::kDiskFull, kOp, "too little space to restore the cell: " + folder)
      .with_hint("free at least " + format_size(needed - space.available));
}

}  // namespace oa::continuity
