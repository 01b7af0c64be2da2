// What continuous backup can bring back now, and what puts it at risk: measured, not assumed.
#pragma once

#include <optional>
#include <string>
#include <span>
#include <string_view>
#include <vector>

#include "oa/catalog/cell.h"
#include "oa/continuity/cell.h"

namespace oa::continuity {

/// The promises.
inline constexpr double kRpoSeconds = 5 * 60, kRtoSeconds = 3600;

enum class AlarmCode {
  kOff,
  kReceiverDown,
  kReceiverLag,
  kWalGap,
  kArchiveFailing,
  kSlotStalled,
  kDiskLow,
  kBackupOverdue,
  kNoVerifiedRestore,
  kRepositoryDamaged,
  kRepositoryUnavailable,
  kRpoAtRisk,
  kRtoAtRisk,
  // Of a cluster that others run.
  kNoLeader,
  kClusterPaused,
  kNodeMissing,
  kArchiveCommand,
  kSlotMissing,
  kClusterSilent,
  kDatabaseAway,
  kOtherCluster,
};
inline constexpr int kAlarmCodes = static_cast<int>(AlarmCode::kOtherCluster) + 1;
/// "receiver-down" … Stable: operators match on it.
std::string_view to_text(AlarmCode);
/// "off", "starting" (before the first backup), "on", "at-risk".
enum class CellState { kOff, kStarting, kOn, kAtRisk };
std::string_view to_text(CellState);
enum class Severity { kWarning, kCritical };
std::string_view to_text(Severity);

struct Alarm {
  AlarmCode code = AlarmCode::kOff;
  Severity severity = Severity::kWarning;
  std::string message;  // one sentence, for an operator and for an Owner alike
};

/// From when on what is late is an alarm.
struct AlarmLimits {
  double receiver_lag_seconds = 10;
  double backup_overdue_hours = 26, full_overdue_days = 8;
  double verified_restore_days = 9;
  double free_share = 0.1;  // of the volume of the repository
};

/// All that was looked at, at one moment.
struct Observed {
  Timestamp now;
  bool on = false;  // there is a cell
  std::optional<Timestamp> on_since;
  std::optional<catalog::ServerState> server;
  std::optional<RepositoryInfo> repository;
  std::optional<Error> repository_trouble;
  std::optional<Cell::Space> space;
  std::optional<catalog::LagMinute> worst_lag;  // of the last day
  std::optional<catalog::CellRun> last_restore_check, last_verify;  // of those that ended at all
  std::optional<catalog::CellRun> last_good_restore_check;
  /// Only in the process that receives.
  std::optional<wal::ReceiverState> receiver;
  /// Of a cluster that others run; then the database may have been away.
  std::optional<ClusterView> cluster;
  std::optional<Error> database_trouble;
  std::string archive_command;  // as it should be
  std::string system_identifier;  // of the cluster whose log is received; empty when nothing was
};

struct CellStatus {
  bool on = false;
  Timestamp now;
  std::optional<Timestamp> earliest, latest;
  std::optional<double> rpo_seconds, worst_rpo_seconds;
  std::optional<std::uint64_t> lag_bytes, worst_lag_bytes;
  std::optional<Timestamp> last_full_at, last_backup_at;
  std::optional<Timestamp> last_verified_restore_at;
  std::optional<double> last_verified_restore_seconds;
  std::optional<double> expected_rto_seconds;
  std::optional<std::uint64_t> log_bytes_since_backup;
  std::uint64_t database_bytes = 0;
  std::optional<Cell::Space> space;
  bool receiver_connected = false, synchronous = false;
  std::optional<Error> repository_trouble;  // then what there is of backups is not known
  std::optional<ClusterView> cluster;
  std::vector<Alarm> alarms;                // worst first

  CellState state() const;
};

/// Pure: what follows from what was looked at.
CellStatus status_of(const Observed& observed, const AlarmLimits& limits = {});

/// Looks. `cell` may be null: then nothing is on. What cannot be looked at is an alarm, not an error;
/// kDatabaseUnavailable when the database does not answer, but for a cell of a cluster that others run:
/// there that is an alarm too, and who leads it is told. Takes some 30 ms.
Result<Observed> observe(Cell* cell, catalog::Database& database,
                         std::optional<wal::ReceiverState> receiver = std::nullopt);

/// The same where no database could be opened, for `trouble`.
Observed observe_without_database(Cell& cell, Error trouble);

/// A tenant's own part: from its plan's window, what the cell has and when the tenant came to be.
struct TenantWindow {
  int days = 0;
  std::optional<Timestamp> earliest, latest;
  std::optional<Error> repository_trouble;
};
/// `left`: the plans that the tenant left within the longest window (catalog::plans_left()).
TenantWindow window_of(const catalog::Tenant& tenant, std::span<const catalog::PlanLeft> left,
                       const CellStatus& status);
/// The same of the transaction's tenant.
Result<TenantWindow> window_of(catalog::TenantTransaction& transaction, const CellStatus& status);
/// kOutsideWindow with a hint that names the window, unless `at` lies in it. A moment after `latest` but
/// not in the future is fine: it is made restorable first. What the repository's trouble is when
/// the window is not known.
Status check_moment(const TenantWindow& window, Timestamp at, Timestamp now);

}  // namespace oa::continuity
