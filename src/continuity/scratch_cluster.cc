#include "oa/continuity/scratch_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "oa/base/io.h"
#include "oa/catalog/embedded_postgres.h"
#include "recovering_server.h"
#include "recovery_choice.h"
#include "scratch_folder.h"

namespace oa::continuity {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kOp = "recovery";

milliseconds since(Clock::time_point begun) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
}

// The timeline whose log was replayed: a promoted cluster is on one of its own.
wal::Timeline replayed_timeline(const std::string& data, const Reached& reached,
                                const RecoveryPath& path,
                                const std::vector<TimelineInfo>& timelines) {
  if (reached.timeline.value != 0) {
    const auto file =
        read_file(data + "/pg_wal/" + wal::history_name(reached.timeline), wal::kMaxHistorySize);
    if (!file.ok()) return reached.timeline;
    const auto ancestors = wal::parse_history(reached.timeline, *file);
    return ancestors.ok() && !ancestors->empty() ? ancestors->back().timeline : reached.timeline;
  }
  const wal::Timeline last = path.timeline.value != 0 ? path.timeline
                             : timelines.empty()      ? path.backup.timeline
                                                      : timelines.back().timeline;
  const auto line = std::ranges::find(timelines, last, &TimelineInfo::timeline);
  if (line != timelines.end())
    for (const auto& ancestor : line->ancestors)
      if (reached.lsn <= ancestor.end) return ancestor.timeline;
  return last;
}

// Recovery to the end of the log stops at the first segment that lacks, as if there were no more.
Status check_end(const Reached& reached, wal::Timeline timeline, const RepositoryInfo& info,
                 const LogSource& log) {
  std::optional<wal::SegmentName> last;
  for (const auto& archive : info.archives) {
    const auto name = wal::SegmentName::parse(archive.max_segment, {});
    if (name.ok() && name->timeline == timeline) last = *name;
  }
  if (log.tail != nullptr) {
    OA_ASSIGN(const auto end, log.tail->end_of(timeline));
    if (end && end->value > 0) {
      const auto name = wal::SegmentName::containing(timeline, {end->value - 1}, {});
      if (!last || last->number < name.number) last = name;
    }
  }
  if (!last || reached.lsn >= last->begin()) return {};
  return make_error(ErrorCode::kWalMissing, kOp,
                    fmt::format("the write-ahead log has a gap at {}", reached.lsn.str()))
      .with_hint("verify the repository; what is before the gap can be restored by its time")
      .with_cause("the last segment is " + last->str());
}

}  // namespace

struct ScratchCluster::State {
  explicit State(ScratchFolder taken) : folder(std::move(taken)), layout(folder.path()) {}

  ScratchFolder folder;  // last to go
  ScratchLayout layout;
  catalog::ConnectionSettings settings;
  RecoveryPath path;
  Reached reached;
  milliseconds restore_time{0}, recovery_time{0};
  bool writable = false;
  std::unique_ptr<RecoveringServer> server;
};

ScratchCluster::ScratchCluster(std::unique_ptr<State> state) : state_(std::move(state)) {}
ScratchCluster::~ScratchCluster() = default;

Result<std::unique_ptr<ScratchCluster>> ScratchCluster::restore(const Repository& repository,
                                                                const LogSource& log,
                                                                const std::string& folder,
                                                                const ScratchOptions& options,
                                                                Progress& progress) {
  OA_ASSIGN(RecoveryChoice plan, choose_recovery(repository, log, options.target, options.label));
  OA_ASSIGN(ScratchFolder taken, ScratchFolder::create(folder, repository.settings().account));
  OA_ASSIGN(const RestoreTurn turn, RestoreTurn::take(folder, options.recovery_timeout, progress));
  if (turn.waited()) {  // backups may have come and gone
    OA_ASSIGN(plan, choose_recovery(repository, log, options.target, options.label));
  }
  auto state = std::make_unique<State>(std::move(taken));
  state->path = plan.path;
  state->settings.host = state->layout.sockets;
  state->settings.port = kScratchPort;
  const wal::Lsn until = farthest(plan, log, options.target);
  OA_TRY(check_space(state->folder.path(), state->path.backup, until));
  auto begun = Clock::now();
  OA_TRY(repository.restore({.target = state->layout.data,
                             .label = state->path.backup.label,
                             .known = &plan.info},
                            progress));
  state->restore_time = since(begun);
  begun = Clock::now();
  OA_ASSIGN(state->server, RecoveringServer::start(repository, log, state->layout, state->settings,
                                                   {.target = options.target,
                                                    .at_target = options.at_target,
                                                    .timeline = state->path.timeline}));
  OA_ASSIGN(state->reached, state->server->wait(options.recovery_timeout,
                                                state->path.backup.start_lsn, until, progress));
  state->recovery_time = since(begun);
  state->reached.timeline =
      replayed_timeline(state->layout.data, state->reached, state->path, plan.timelines);
  if (std::holds_alternative<Target::Latest>(options.target.where))
    OA_TRY(check_end(state->reached, state->reached.timeline, plan.info, log));
  return std::unique_ptr<ScratchCluster>(new ScratchCluster(std::move(state)));
}

const catalog::ConnectionSettings& ScratchCluster::settings() const { return state_->settings; }
const Reached& ScratchCluster::reached() const { return state_->reached; }
const RecoveryPath& ScratchCluster::path() const { return state_->path; }
milliseconds ScratchCluster::restore_time() const { return state_->restore_time; }
milliseconds ScratchCluster::recovery_time() const { return state_->recovery_time; }
const std::string& ScratchCluster::folder() const { return state_->folder.path(); }
Status ScratchCluster::make_current(Progress& progress) {
  OA_ASSIGN(const bool older, catalog::Database::is_older(state_->settings));
  if (!older) return {};
  progress.begin("Upgrading", 0, "");
  OA_TRY(make_writable());
  return catalog::EmbeddedPostgres::bring_up_to_date(state_->settings);
}

Status ScratchCluster::make_writable() {
  if (state_->writable) return {};
  OA_TRY(state_->server->promote());
  state_->writable = true;
  return {};
}

Status ScratchCluster::stop() { return state_->server->stop(); }

}  // namespace oa::continuity
