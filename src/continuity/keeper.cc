#include "oa/continuity/keeper.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "oa/base/bytes.h"
#include "oa/continuity/keeper_lock.h"
#include "oa/continuity/runs.h"
#include "oa/continuity/trim.h"

namespace oa::continuity {
namespace {

using Clock = std::chrono::steady_clock;
using catalog::CellRunKind;
constexpr auto kProgressEvery = std::chrono::milliseconds(500);
constexpr auto kScheduleEvery = std::chrono::seconds(30);
constexpr auto kLagEvery = std::chrono::minutes(10), kTrimEvery = std::chrono::minutes(10),
               kSweepEvery = std::chrono::minutes(1);
constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr auto kBeginAgain = std::chrono::seconds(5);
constexpr int kEndTries = 60;
constexpr int kLagDays = 400, kRunDays = 400;
// Less than that in a minute is our own notes; to write it down would be written down for ever.
constexpr std::uint64_t kWorthNotingBytes = 64 << 10;
constexpr double kWorthNotingMs = 100;
constexpr CellRunKind kScheduled[] = {
    CellRunKind::kFull,   CellRunKind::kDifferential, CellRunKind::kIncremental,
    CellRunKind::kExpire, CellRunKind::kVerify,       CellRunKind::kRestoreCheck};
constexpr BackupType kBackups[] = {BackupType::kFull, BackupType::kDifferential,
                                   BackupType::kIncremental};

CellRunKind run_of(BackupType type) {
  switch (type) {
    case BackupType::kFull:
      return CellRunKind::kFull;
    case BackupType::kDifferential:
      return CellRunKind::kDifferential;
    case BackupType::kIncremental:
      break;
  }
  return CellRunKind::kIncremental;
}

// Writes progress down now and then, and learns whether somebody has cancelled the run.
class RunProgress final : public Progress {
 public:
  RunProgress(catalog::CellRuns& runs, CellRunId id, const std::atomic<bool>& stopping)
      : runs_(runs), id_(id), stopping_(stopping) {}
  void begin(std::string_view step, std::uint64_t total, std::string_view unit) override {
    progress_ = {std::string(step), 0, total, std::string(unit)};
    write();
  }
  void update(std::uint64_t done) override {
    progress_.done = done;
    look();
  }
  bool cancelled() const override {
    look();
    return cancelled_ || stopping_;
  }
  bool was_cancelled() const { return cancelled_; }

 private:
  void look() const {
    if (Clock::now() >= written_ + kProgressEvery) write();
  }
  void write() const {
    written_ = Clock::now();
    const auto goes_on = runs_.write_progress(id_, progress_);
    if (goes_on.ok() && !*goes_on) cancelled_ = true;
  }

  catalog::CellRuns& runs_;
  const CellRunId id_;
  const std::atomic<bool>& stopping_;
  catalog::JobProgress progress_;
  mutable Clock::time_point written_;
  mutable bool cancelled_ = false;
};

class RunningKeeper final : public Keeper {
 public:
  RunningKeeper(Cell& cell, catalog::Database& database, ObjectStore& store,
                KeeperSettings settings)
      : cell_(cell),
        database_(database),
        store_(store),
        settings_(std::move(settings)),
        lock_(cell, database),
        runs_(database),
        thread_([this] { keep(); }) {}
  ~RunningKeeper() override {
    stopping_ = true;
    wake();
    thread_.join();
  }

  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    changed_.notify_all();
  }
  bool keeps() const override { return keeps_; }
  std::optional<wal::ReceiverState> receiver() const override {
    const std::lock_guard lock(mutex_);
    if (receiver_ == nullptr) return std::nullopt;
    return receiver_->state();
  }

 private:
  // Of the keeper's thread, all that follows.
  void keep() {
    while (!stopping_) {
      const auto held = lock_.take();
      // While the database is away what was begun goes on: the receiver waits for its next primary.
      if (!held.ok())
        tell(held.error());
      else if (*held)
        tell(keeps_ ? look() : begin());
      else
        stand_by();
      const bool failed = !keeps_ && (!held.ok() || *held);
      rest(failed ? kBeginAgain : std::chrono::seconds(0));
    }
    end();
  }

  // Somebody else keeps the cell, perhaps since the database failed over.
  void stand_by() {
    end();
    lock_.release();
  }

  void rest(std::chrono::milliseconds longest = std::chrono::milliseconds(0)) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::max(longest, settings_.look), [this] { return woken_; });
    woken_ = false;
  }

  Status begin() {
    if (log_ == nullptr) {
      OA_ASSIGN(log_, cell_.open_log(wal::Access::kWrite));
    }
    if (receiver_ == nullptr) {
      wal::ReceiverSettings receiver;
      receiver.conninfo = settings_.conninfo;
      receiver.slot = receiver.application_name = kReceiverName;
      OA_ASSIGN(auto started, wal::Receiver::start(std::move(receiver), *log_));
      const std::lock_guard lock(mutex_);
      receiver_ = std::move(started);
    }
    // All tenants are in what others left there, in the clear.
    OA_TRY(sweep_scratch(cell_.scratch_folder()));
    OA_TRY(runs_.interrupt_running());
    OA_TRY(cell_.prepare_repository());
    keeps_ = true;
    return look();
  }

  void end() {
    keeps_ = false;
    if (log_ != nullptr && receiver_ != nullptr) tell(note_lag());
    std::unique_ptr<wal::Receiver> receiver;
    {
      const std::lock_guard lock(mutex_);
      receiver = std::move(receiver_);
    }
    receiver.reset();
    log_.reset();
  }

  Status look() {
    const auto now = Clock::now();
    tell_of_receiver();
    // None is ours now: a run whose end could not be written must not keep out the next.
    OA_TRY(runs_.interrupt_running());
    if (now >= next_sweep_) {
      next_sweep_ = now + kSweepEvery;
      OA_TRY(sweep_scratch(cell_.scratch_folder()));
    }
    if (now >= next_schedule_) {
      next_schedule_ = now + kScheduleEvery;
      OA_TRY(ask_for_due_runs());
    }
    if (now >= next_lag_) {
      next_lag_ = now + kLagEvery;
      OA_TRY(note_lag());
    }
    if (now >= next_trim_) {
      next_trim_ = now + kTrimEvery;
      OA_TRY(trim());
    }
    for (;;) {
      OA_ASSIGN(auto run, runs_.take());
      if (!run.has_value() || stopping_) return {};
      OA_TRY(carry_out(*run));
    }
  }

  Status ask_for_due_runs() {
    OA_ASSIGN(const auto info, cell_.repository().info());
    LastRuns last;
    for (const auto kind : kScheduled) {
      const CellRunKind kinds[] = {kind};
      OA_ASSIGN(const auto good, runs_.last(kinds, true));
      OA_ASSIGN(const auto any, runs_.last(kinds, false));
      if (good.has_value()) last.succeeded[kind] = *good->finished_at;
      const bool failed = any.has_value() && any->failure.has_value();
      if (failed) last.failed[kind] = *any->finished_at;
    }
    // The history came with the cluster, which a recovery may have brought here; the backups did not.
    for (const auto type : kBackups) last.succeeded.erase(run_of(type));
    for (const auto& backup : info.backups) last.succeeded[run_of(backup.type)] = backup.stopped_at;
    const CellRunKind recovery[] = {CellRunKind::kRecovery};
    OA_ASSIGN(const auto recovered, runs_.last(recovery, true));
    if (recovered.has_value()) last.recovered_at = *recovered->finished_at;
    OA_ASSIGN(last.written_since_backup, written_since_backup(info));
    for (const auto kind : due_runs(settings_.schedule, last, Timestamp::now())) {
      const auto added = runs_.add(kind, catalog::CellRunOrigin::kSchedule);
      if (!added.ok() && added.error().code != ErrorCode::kConflict) return added.error();
    }
    return {};
  }

  // More than a run's own note.
  Result<bool> written_since_backup(const RepositoryInfo& info) {
    if (info.backups.empty()) return true;
    OA_ASSIGN(const auto state,
              catalog::CellCatalog(database_).server_state(kReceiverName, kReceiverName));
    // A backup ends with a new segment, of which there is little.
    const std::uint64_t written = wal::SegmentSize().bytes() + kWorthNotingBytes;
    return state.lsn > info.backups.back().stop_lsn.value + written;
  }

  Status carry_out(catalog::CellRun& run) {
    RunProgress progress(runs_, run.id, stopping_);
    catalog::ConnectionSettings live = database_.settings();
    const auto done = run_now(run.kind, {cell_, database_, live, store_}, progress);
    if (done.ok()) {
      run.state = catalog::CellRunState::kSucceeded;
      run.detail = *done;
    } else if (done.error().code == ErrorCode::kCancelled) {
      run.state = progress.was_cancelled() ? catalog::CellRunState::kCancelled
                                           : catalog::CellRunState::kInterrupted;
    } else {
      run.state = catalog::CellRunState::kFailed;
      run.failure = catalog::JobFailure{std::string(error_info(done.error().code).name),
                                        done.error().message, done.error().hint};
      if (settings_.trouble) settings_.trouble(done.error());
    }
    OA_TRY(write_end(run));
    if (settings_.ended) settings_.ended(run);
    return {};
  }

  // The database may be away just now.
  Status write_end(const catalog::CellRun& run) {
    for (int tries = 0;; ++tries) {
      const Status written = runs_.finish(run);
      if (written.ok() || tries == kEndTries || stopping_) return written;
      tell(written);
      rest(std::chrono::seconds(1));
    }
  }

  Status note_lag() {
    std::vector<catalog::LagMinute> minutes;
    for (const auto& minute : receiver_->take_lag()) {
      if (minute.worst_bytes < kWorthNotingBytes && minute.worst_ms < kWorthNotingMs) continue;
      minutes.push_back(
          {minute.minute, static_cast<std::int64_t>(minute.worst_ms * 1000), minute.worst_bytes});
    }
    catalog::CellCatalog cell_catalog(database_);
    if (!minutes.empty()) OA_TRY(cell_catalog.add_lag(minutes));
    const Timestamp now = Timestamp::now();
    if (now.unix_us - cleaned_at_.unix_us < kDayUs) return {};
    cleaned_at_ = now;
    OA_TRY(cell_catalog.remove_lag_before({now.unix_us - kLagDays * kDayUs}));
    return runs_.remove_before({now.unix_us - kRunDays * kDayUs});
  }

  // What is in the repository is not needed twice.
  Status trim() {
    OA_ASSIGN(const auto state,
              catalog::CellCatalog(database_).server_state(kReceiverName, kReceiverName));
    const auto cluster = log_->cluster();
    if (!cluster.ok()) return cluster.error();
    if (!cluster->has_value()) return {};
    const auto last =
        wal::SegmentName::parse(state.archiver.archived_segment, (*cluster)->segment_size);
    // None: nothing yet, or a history file.
    OA_TRY(trim_log(*log_, cell_.repository(),
                    last.ok() ? std::optional(*last) : std::nullopt));
    return {};
  }

  void tell_of_receiver() {
    const auto state = receiver_->state();
    const auto code = state.trouble.has_value() ? std::optional(state.trouble->code) : std::nullopt;
    if (code.has_value() && code != receiver_told_ && settings_.trouble)
      settings_.trouble(*state.trouble);
    receiver_told_ = code;
  }

  // The same trouble once.
  bool tell(const Status& done) {
    const auto code = done.ok() ? std::nullopt : std::optional(done.error().code);
    if (code.has_value() && code != told_ && settings_.trouble) settings_.trouble(done.error());
    told_ = code;
    return done.ok();
  }

  Cell& cell_;
  catalog::Database& database_;
  ObjectStore& store_;
  const KeeperSettings settings_;
  KeeperLock lock_;
  catalog::CellRuns runs_;
  std::unique_ptr<wal::SealedWal> log_;
  std::unique_ptr<wal::Receiver> receiver_;
  Clock::time_point next_schedule_, next_lag_ = Clock::now() + kLagEvery, next_trim_, next_sweep_;
  Timestamp cleaned_at_;
  std::optional<ErrorCode> told_, receiver_told_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::atomic<bool> stopping_ = false, keeps_ = false;
  std::thread thread_;  // last: all else is there when it begins
};

}  // namespace

Result<std::unique_ptr<Keeper>> Keeper::start(Cell& cell, catalog::Database& database,
                                              ObjectStore& store, KeeperSettings settings) {
  if (settings.conninfo.empty())
    return make_error(ErrorCode::kInvalidArgument, "keeper.start", "no server to receive from");
  return std::unique_ptr<Keeper>(
      std::make_unique<RunningKeeper>(cell, database, store, std::move(settings)));
}

}  // namespace oa::continuity
