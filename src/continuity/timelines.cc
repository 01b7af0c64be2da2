#include "timelines.h"

#include <algorithm>

#include "oa/base/io.h"
#include "oa/wal/first_record.h"

namespace oa::continuity {
namespace {

// By the first segment of the timeline, wherever that is; none when nobody has it.
std::optional<Timestamp> first_moment(const Repository& repository, wal::SealedWal* log,
                                      wal::Timeline timeline, wal::Lsn fork) {
  wal::SegmentSize size;
  if (log != nullptr) {
    const auto cluster = log->cluster();
    if (cluster.ok() && *cluster) size = (*cluster)->segment_size;
  }
  const auto segment = wal::SegmentName::containing(timeline, fork, size);
  MemorySink received;
  if (log != nullptr && log->read(segment, received).ok())
    if (const auto began = wal::began_at(segment, received.bytes(), fork)) return began;
  const auto archived = repository.segment(segment);
  if (!archived.ok()) return std::nullopt;
  return wal::began_at(segment, *archived, fork);
}

// Those of which the archive knows nothing yet, as of a failover some seconds ago.
Status add_received(wal::SealedWal& log, std::vector<TimelineInfo>& timelines) {
  OA_ASSIGN(const auto histories, log.histories());
  for (const auto timeline : histories) {
    const auto at = std::ranges::lower_bound(timelines, timeline, {}, &TimelineInfo::timeline);
    if (at != timelines.end() && at->timeline == timeline) continue;
    OA_ASSIGN(const Bytes file, log.read_history(timeline));
    OA_ASSIGN(auto ancestors, wal::parse_history(timeline, file));
    timelines.insert(at, {timeline, Timestamp::now(), std::move(ancestors), {}});
  }
  return {};
}

// The receiver was on it, so it had begun; on one before it again, so the cell went on there.
Status add_leads(wal::SealedWal& log, std::vector<TimelineInfo>& timelines) {
  OA_ASSIGN(const auto leads, log.leads());
  wal::Timeline newest;
  for (const auto& lead : leads) {
    auto at = std::ranges::lower_bound(timelines, lead.timeline, {}, &TimelineInfo::timeline);
    const bool known = at != timelines.end() && at->timeline == lead.timeline;
    if (lead.timeline > newest) {
      newest = lead.timeline;
      if (known) at->began_at = std::min(at->began_at, lead.at);
      continue;
    }
    if (!known) at = timelines.insert(at, {lead.timeline, Timestamp{}, {}});
    at->led_again_at.push_back(lead.at);
  }
  return {};
}

}  // namespace

Result<std::vector<TimelineInfo>> known_timelines(const Repository& repository,
                                                  const RepositoryInfo& now, wal::SealedWal* log,
                                                  std::optional<Timestamp> at) {
  OA_ASSIGN(auto timelines, repository.timelines(now));
  if (log != nullptr) {
    OA_TRY(add_received(*log, timelines));
    OA_TRY(add_leads(*log, timelines));
  }
  if (!at) return timelines;
  for (auto& timeline : timelines) {
    // It began before its history was archived, and before the next one began.
    if (timeline.began_at <= *at || timeline.ancestors.empty()) continue;
    const auto began =
        first_moment(repository, log, timeline.timeline, timeline.ancestors.back().end);
    if (began) timeline.began_at = *began;
    if (timeline.began_at > *at) break;
  }
  return timelines;
}

}  // namespace oa::continuity
