// Continuous backup in the catalog: what is of the cluster as a whole (the operator's), and of a tenant
// what its window follows from.
#pragma once

#include <chrono>
#include <optional>
#include <span>

#include "oa/catalog/database.h"
#include "oa/catalog/jobs.h"

namespace oa::catalog {

enum class CellRunKind {
  kFull,
  kDifferential,
  kIncremental,
  kExpire,
  kVerify,
  kRestoreCheck,  // the newest backup restored into a scratch cluster and looked at
  kRecovery,      // the cluster itself was brought to a moment
};
std::string_view to_text(CellRunKind);

enum class CellRunState { kQueued, kRunning, kSucceeded, kFailed, kCancelled, kInterrupted };
std::string_view to_text(CellRunState);
inline bool over(CellRunState state) { return state >= CellRunState::kSucceeded; }

enum class CellRunOrigin { kSchedule, kOperator };
std::string_view to_text(CellRunOrigin);

struct CellRun {
  CellRunId id;
  CellRunKind kind = CellRunKind::kFull;
  CellRunState state = CellRunState::kQueued;
  CellRunOrigin requested_by = CellRunOrigin::kSchedule;
  bool cancel_requested = false;
  Timestamp created_at;
  std::optional<Timestamp> started_at, finished_at;
  JobProgress progress;
  std::optional<JobFailure> failure;  // without a hint
  std::optional<JsonText> detail;     // of the kind
};

/// Runs of the cell, one after the other. Each call is a transaction of its own. Borrows the database.
/// Not thread-safe for one run.
class CellRuns {
 public:
  explicit CellRuns(Database& database) : database_(database) {}
  /// Asks for one; kConflict when one of that kind is queued or running.
  Result<CellRun> add(CellRunKind kind, CellRunOrigin by);
  /// The oldest that is queued, now running. The caller is the one process that runs them.
  Result<std::optional<CellRun>> take();
  /// False when it was asked to stop.
  Result<bool> write_progress(CellRunId id, const JobProgress& progress);
  /// Of `run` its state, failure and detail are taken.
  Status finish(const CellRun& run);
  /// A run that took place beside the queue: a recovery.
  Status record(const CellRun& run);
  /// Those that a process which died had taken, or that were on their way at the moment to which the
  /// cluster was recovered.
  Status interrupt_running();
  /// A queued one is over at once; kNotFound, kConflict when it is over.
  Status request_cancel(CellRunId id);
  Result<CellRun> get(CellRunId id);  // kNotFound
  /// Newest first, behind `after`.
  Result<std::vector<CellRun>> list(std::optional<CellRunId> after, std::size_t limit);
  /// The newest of these kinds that is over and succeeded, and the newest that is over at all.
  Result<std::optional<CellRun>> last(std::span<const CellRunKind> kinds, bool succeeded);
  Status remove_before(Timestamp moment);

 private:
  Database& database_;
};

/// How far the receiver of the write-ahead log was behind at worst, in a minute.
struct LagMinute {
  Timestamp minute;
  std::int64_t worst_us = 0;
  std::uint64_t worst_bytes = 0;
  bool operator==(const LagMinute&) const = default;
};

/// What the server says of itself.
struct ServerState {
  std::uint64_t lsn = 0;  // end of the write-ahead log
  std::uint64_t size_bytes = 0;
  Timestamp now;
  /// The receiver, when it is connected.
  struct Receiver {
    std::uint64_t durable_lsn = 0;
    std::int64_t lag_us = 0;  // 0 when nothing is under way
    bool synchronous = false;
    bool stalled = false;  // behind, and not getting on; for whoever looks twice
  };
  std::optional<Receiver> receiver;
  /// Its slot, connected or not. `safe_bytes`: how much more the server keeps for it before it gives it up.
  struct Slot {
    bool lost = false;
    std::optional<std::uint64_t> safe_bytes;
  };
  std::optional<Slot> slot;
  struct Archiver {
    std::optional<Timestamp> archived_at, failed_at;  // the last of each
    std::string archived_segment, failed_segment;
    bool on = false;
    std::string command;  // archive_command, while it is on
  } archiver;
};

/// Reads and writes as the operator's role. Borrows the database. Thread-safe.
class CellCatalog {
 public:
  explicit CellCatalog(Database& database) : database_(database) {}
  Status add_lag(std::span<const LagMinute> minutes);  // a minute that is there keeps the worse
  /// The worst of each since `from`; none when nothing was measured.
  Result<std::optional<LagMinute>> worst_lag(Timestamp from);
  Status remove_lag_before(Timestamp moment);
  /// Every tenant's plan, and those left since `from`.
  Result<std::vector<std::pair<TenantId, Plan>>> plans_since(Timestamp from);
  Result<ServerState> server_state(const std::string& receiver_name, const std::string& slot);

 private:
  Database& database_;
};

/// A plan that a tenant had until `at`.
struct PlanLeft {
  Timestamp at;
  Plan plan = Plan::kStarter;
};
/// Those that the transaction's tenant left since `from`, oldest first.
Result<std::vector<PlanLeft>> plans_left(TenantTransaction& transaction, Timestamp from);

/// A version of imported rows that a dataset named until `left_at`.
struct RowVersionLeft {
  std::string object_name, object_version;
  Timestamp left_at;
};

/// Borrows the transaction.
class RowVersions {
 public:
  explicit RowVersions(TenantTransaction& transaction) : tx_(transaction) {}
  /// Every version that a dataset names now, as (object, version), in that order.
  Result<std::vector<std::pair<std::string, std::string>>> named();
  /// Of all that were left, by object and version.
  Result<std::vector<RowVersionLeft>> left();
  Status forget(const RowVersionLeft& version);

 private:
  TenantTransaction& tx_;
};

}  // namespace oa::catalog
