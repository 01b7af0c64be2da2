#include "restore_pieces.h"

#include <algorithm>
#include <optional>

namespace oa::wal {
namespace {

constexpr const char* kOp = "wal.restore";

Error missing(const std::string& file) {
  return make_error(ErrorCode::kWalMissing, kOp,
                    file + " is neither in the repository nor in the received log")
      .with_hint("later ones are there: only a moment before this piece can be restored");
}

Status write_history(SealedWal& log, Timeline timeline, ByteSink& out) {
  OA_ASSIGN(const Bytes file, log.read_history(timeline));
  if (file.empty()) return make_error(ErrorCode::kSealCorrupt, kOp, "an empty timeline history");
  return out.write(file);
}

// Whether it is known here that the timeline went on to `segment`, so that it is not the log's end.
Result<bool> log_goes_past(SealedWal& log, const SegmentName& segment) {
  OA_ASSIGN(const auto end, log.end_of(segment.timeline));
  if (end && *end > segment.begin()) return true;
  OA_ASSIGN(const auto histories, log.histories());
  for (const auto timeline : histories) {
    OA_ASSIGN(const Bytes file, log.read_history(timeline));
    OA_ASSIGN(const auto ancestors, parse_history(timeline, file));
    for (const auto& each : ancestors)
      if (each.timeline == segment.timeline && each.end > segment.begin()) return true;
  }
  return false;
}

Status write_segment(SealedWal& log, const SegmentName& segment, bool partial_will_do,
                     ByteSink& out) {
  class Watched final : public ByteSink {
   public:
    explicit Watched(ByteSink& to) : to_(to) {}
    Status write(ByteView bytes) override {
      begun = true;
      return to_.write(bytes);
    }
    bool begun = false;

   private:
    ByteSink& to_;
  } watched(out);
  const auto extent = log.read(segment, watched);
  if (!extent.ok()) {
    if (extent.error().code != ErrorCode::kNotFound) return extent.error();
    if (watched.begun) return missing(segment.str());  // removed while it was read
    OA_ASSIGN(const bool later, log_goes_past(log, segment));
    return later ? missing(segment.str()) : extent.error();
  }
  if (extent->finished || partial_will_do) return {};
  return make_error(ErrorCode::kRepositoryUnavailable, kOp,
                    "the log has only a part of " + segment.str() +
                        ", and whether the repository has more is not known");
}

// kNotFound: it is not there.
Status write_from_log(SealedWal& log, const std::string& file, bool partial_will_do,
                      ByteSink& out) {
  if (const auto history = parse_history_name(file)) return write_history(log, *history, out);
  OA_ASSIGN(const auto cluster, log.cluster());
  if (cluster)
    if (const auto segment = SegmentName::parse(file, cluster->segment_size); segment.ok())
      return write_segment(log, *segment, partial_will_do, out);
  return make_error(ErrorCode::kNotFound, kOp, "not in the log");
}

}  // namespace

// What the repository would say is not known when it is in trouble: then only what is whole in the
// log will do.
Result<Given> give_piece(const RestoreSources& sources, const std::string& file,
                         const std::string& target, ByteSink& out) {
  const auto fetched = sources.repository(file, target);
  if (fetched.ok() && *fetched) return Given::kPlaced;
  if (sources.log != nullptr) {
    const Status written = write_from_log(*sources.log, file, fetched.ok(), out);
    if (written.ok()) return Given::kWritten;
    if (written.error().code != ErrorCode::kNotFound) return written.error();
  }
  if (!fetched.ok()) return fetched.error();
  return Given::kNotThere;
}

}  // namespace oa::wal
