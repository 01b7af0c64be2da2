#include "oa/continuity/runs.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>

#include "oa/base/assert.h"
#include "oa/continuity/checks.h"
#include "oa/continuity/retention.h"

namespace oa::continuity {
namespace {

using Clock = std::chrono::steady_clock;
using catalog::CellRunKind;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Passes progress on, and notes when which step began.
class TimedProgress final : public Progress {
 public:
  explicit TimedProgress(Progress& progress) : progress_(progress) {}
  void begin(std::string_view step, std::uint64_t total, std::string_view unit) override {
    end_step();
    step_ = step;
    began_ = Clock::now();
    progress_.begin(step, total, unit);
  }
  void update(std::uint64_t done) override { progress_.update(done); }
  bool cancelled() const override { return progress_.cancelled(); }
  void end_step() {
    if (!step_.empty()) seconds_[step_] += seconds_since(began_);
    step_.clear();
  }
  double seconds_of(const std::string& step) const {
    const auto found = seconds_.find(step);
    return found == seconds_.end() ? 0 : found->second;
  }

 private:
  Progress& progress_;
  std::string step_;
  Clock::time_point began_;
  std::map<std::string, double> seconds_;
};

Result<JsonText> back_up(BackupType type, const RunParts& parts, Progress& progress) {
  const auto start = Clock::now();
  OA_ASSIGN(const BackupInfo backup, parts.cell.repository().backup(type, progress));
  const double seconds = seconds_since(start);
  return JsonText::of(
      json::object{{"label", backup.label},
                   {"type", backup_type_name(backup.type)},
                   {"database_bytes", backup.database_bytes},
                   {"read_bytes", backup.read_bytes},
                   {"added_bytes", backup.added_bytes},
                   {"seconds", seconds},
                   {"bytes_per_second", static_cast<double>(backup.read_bytes) / seconds}});
}

Result<JsonText> expire(const RunParts& parts, Progress& progress) {
  progress.begin("expiring", 0, "");
  OA_ASSIGN(const auto plans,
            catalog::CellCatalog(parts.database).plans_since(regret_begins(Timestamp::now())));
  const int days = kept_days(plans) + kMarginDays;
  OA_TRY(parts.cell.repository().expire(static_cast<unsigned>(days)));
  OA_ASSIGN(const RepositoryInfo info, parts.cell.repository().info());
  return JsonText::of(json::object{{"kept_days", days}, {"backups", info.backups.size()}});
}

Result<JsonText> verify(const RunParts& parts, Progress& progress) {
  OA_ASSIGN(const VerifyReport report, parts.cell.repository().verify(progress));
  if (!report.sound()) {
    std::string first;
    for (const auto& problem : report.problems) {
      first = problem.where + ": " + problem.what;
      break;
    }
    return make_error(ErrorCode::kRepositoryDamaged, "cell.verify",
                      fmt::format("{} problems in the repository, the first: {}",
                                  report.problem_count, first))
        .with_hint("make a full backup now; moments before it may be lost");
  }
  return JsonText::of(json::object{
      {"segments", report.segments}, {"backups", report.backups}, {"files", report.files}});
}

// The newest backup and all of the log, as after a disaster.
Result<JsonText> check_restore(const RunParts& parts, Progress& progress) {
  TimedProgress timed(progress);
  OA_TRY(sweep_scratch(parts.cell.scratch_folder()));
  OA_ASSIGN(const wal::Lsn marker, make_restorable(parts.live, Timestamp::now(),
                                                   durable_position(parts.database), {}, timed));
  OA_ASSIGN(const auto tail, parts.cell.open_tail());
  const auto start = Clock::now();
  ScratchOptions options;
  options.target = Target::position(marker);
  OA_ASSIGN(const auto scratch,
            ScratchCluster::restore(parts.cell.repository(), {tail.get()},
                                    parts.cell.scratch_folder(), options, timed));
  timed.end_step();
  OA_TRY(scratch->make_current(timed));
  const double up_seconds = seconds_since(start);
  OA_ASSIGN(const CheckReport checked, check_cluster(scratch->settings(), parts.store, timed));
  if (checked.finding_count > 0) {
    return make_error(ErrorCode::kRecoveryFailed, "cell.check",
                      fmt::format("{} findings in what was restored, the first: tenant {}: {}",
                                  checked.finding_count, checked.findings[0].tenant.str(),
                                  checked.findings[0].what))
        .with_hint("look for what is missing");
  }
  const BackupInfo& backup = scratch->path().backup;
  const double restoring = timed.seconds_of("Restoring"), replaying = timed.seconds_of("Replaying");
  const std::uint64_t replayed =
      marker > backup.start_lsn ? marker.value - backup.start_lsn.value : 0;
  json::object detail{{"backup", backup.label},
                      {"database_bytes", backup.database_bytes},
                      {"log_bytes", replayed},
                      {"seconds_until_up", up_seconds},
                      {"tenants", checked.tenants},
                      {"datasets", checked.datasets},
                      {"reports", checked.reports},
                      {"audit_events", checked.audit_events},
                      {"row_versions", checked.row_versions}};
  if (restoring > 0.1)
    detail["restore_bytes_per_second"] = static_cast<double>(backup.database_bytes) / restoring;
  // Of a short log the time is that of the start.
  constexpr std::uint64_t kWorthARate = 256 << 20;
  if (replaying > 1 && replayed > kWorthARate)
    detail["replay_bytes_per_second"] = static_cast<double>(replayed) / replaying;
  detail["start_seconds"] = std::max(0.0, up_seconds - restoring - replaying);
  return JsonText::of(detail);
}

}  // namespace

Result<JsonText> run_now(CellRunKind kind, const RunParts& parts, Progress& progress) {
  switch (kind) {
    case CellRunKind::kFull:
      return back_up(BackupType::kFull, parts, progress);
    case CellRunKind::kDifferential:
      return back_up(BackupType::kDifferential, parts, progress);
    case CellRunKind::kIncremental:
      return back_up(BackupType::kIncremental, parts, progress);
    case CellRunKind::kExpire:
      return expire(parts, progress);
    case CellRunKind::kVerify:
      return verify(parts, progress);
    case CellRunKind::kRestoreCheck:
      return check_restore(parts, progress);
    case CellRunKind::kRecovery:
      break;
  }
  return make_error(ErrorCode::kUnsupported, "cell.run", "a recovery is no run of the queue")
      .with_hint("see `oa-backup continuity recover --help`");
}

DurablePosition durable_position(catalog::Database& database) {
  return [&database]() -> wal::Lsn {
    const auto state = catalog::CellCatalog(database).server_state(kReceiverName, kReceiverName);
    if (!state.ok()) return {};
    wal::Lsn durable;
    if (state->receiver.has_value()) durable.value = state->receiver->durable_lsn;
    // The segment that was archived last, and with it all before.
    const auto segment = wal::SegmentName::parse(state->archiver.archived_segment, {});
    if (segment.ok()) durable = std::max(durable, segment->end());
    return durable;
  };
}

}  // namespace oa::continuity
