#include "oa/continuity/status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "oa/base/bytes.h"
#include "oa/continuity/retention.h"
#include "oa/base/json.h"

namespace oa::continuity {
namespace {

constexpr int kProgressTries = 10;
constexpr auto kProgressPause = std::chrono::milliseconds(30);
constexpr double kUs = 1e6, kHour = 3600, kDay = 24 * kHour;
// Before the first restore was timed: what was measured on a small machine (bench/README.md), bytes
// a second.
constexpr double kAssumedRestoreRate = 100e6, kAssumedReplayRate = 50e6, kAssumedStartSeconds = 10;

double seconds_between(Timestamp from, Timestamp to) {
  return static_cast<double>(to.unix_us - from.unix_us) / kUs;
}

std::string duration_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} seconds", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} minutes", seconds / 60);
  if (seconds < 2 * kDay) return fmt::format("{:.0f} hours", seconds / kHour);
  return fmt::format("{:.0f} days", seconds / kDay);
}

std::string at_text(Timestamp at) { return at.rfc3339().substr(0, 19) + "Z"; }

std::optional<double> number_in(const catalog::CellRun& run, std::string_view name) {
  if (!run.detail.has_value()) return std::nullopt;
  const json::value document = run.detail->value();
  if (!document.is_object()) return std::nullopt;
  const auto* found = document.as_object().if_contains(name);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

// Up to when nothing is lost if the server goes now.
std::optional<Timestamp> latest_of(const Observed& seen) {
  if (!seen.repository.has_value() || seen.repository->backups.empty()) return std::nullopt;
  std::optional<Timestamp> latest = seen.repository->backups.back().stopped_at;
  const auto take = [&](std::optional<Timestamp> at) {
    if (at.has_value() && *latest < *at) latest = at;
  };
  if (!seen.server.has_value()) return latest;
  take(seen.server->archiver.archived_at);
  if (const auto& receiver = seen.server->receiver; receiver.has_value() && !receiver->stalled)
    take(Timestamp{seen.server->now.unix_us - receiver->lag_us});
  return latest;
}

void add_rto(const Observed& seen, CellStatus& status) {
  if (!status.last_backup_at.has_value() || !seen.server.has_value()) return;
  double restore_rate = kAssumedRestoreRate, replay_rate = kAssumedReplayRate,
         start = kAssumedStartSeconds;
  if (const auto& run = seen.last_good_restore_check; run.has_value()) {
    restore_rate = number_in(*run, "restore_bytes_per_second").value_or(restore_rate);
    replay_rate = number_in(*run, "replay_bytes_per_second").value_or(replay_rate);
    start = number_in(*run, "start_seconds").value_or(start);
  }
  const auto& newest = seen.repository->backups.back();
  const std::uint64_t log =
      seen.server->lsn > newest.stop_lsn.value ? seen.server->lsn - newest.stop_lsn.value : 0;
  status.log_bytes_since_backup = log;
  status.expected_rto_seconds =
      start + static_cast<double>(newest.database_bytes) / std::max(1.0, restore_rate) +
      static_cast<double>(log) / std::max(1.0, replay_rate);
}

void add_repository(const Observed& seen, CellStatus& status) {
  if (!seen.repository.has_value()) return;
  for (const auto& backup : seen.repository->backups) {
    if (!status.earliest.has_value()) status.earliest = backup.restorable_from();
    status.last_backup_at = backup.stopped_at;
    if (backup.type == BackupType::kFull) status.last_full_at = backup.stopped_at;
  }
}

class Alarms {
 public:
  Alarms(const Observed& seen, const AlarmLimits& limits, CellStatus& status)
      : seen_(seen), limits_(limits), status_(status) {}

  void raise() {
    if (!seen_.on) {
      add(AlarmCode::kOff, Severity::kCritical, "nothing is being backed up continuously");
      return;
    }
    about_cluster();
    about_repository();
    about_receiver();
    about_archiving();
    about_space();
    about_proof();
    about_promises();
    std::stable_sort(status_.alarms.begin(), status_.alarms.end(),
                     [](const Alarm& a, const Alarm& b) { return a.severity > b.severity; });
  }

 private:
  void add(AlarmCode code, Severity severity, std::string message) {
    status_.alarms.push_back({code, severity, std::move(message)});
  }
  // What has just been switched on needs some time.
  bool young(double seconds) const {
    return seen_.on_since.has_value() && seconds_between(*seen_.on_since, seen_.now) < seconds;
  }

  void about_cluster() {
    if (seen_.database_trouble.has_value())
      add(AlarmCode::kDatabaseAway, Severity::kCritical,
          seen_.database_trouble->cause.empty()
              ? seen_.database_trouble->message
              : seen_.database_trouble->message + ": " + seen_.database_trouble->cause);
    if (!seen_.cluster.has_value()) return;
    const ClusterView& cluster = *seen_.cluster;
    if (cluster.trouble.has_value()) {
      add(AlarmCode::kClusterSilent, Severity::kWarning, cluster.trouble->message);
      return;
    }
    if (cluster.leader.empty())
      add(AlarmCode::kNoLeader, Severity::kCritical, "the cluster has no leader");
    if (cluster.paused)
      add(AlarmCode::kClusterPaused, Severity::kWarning,
          "Patroni is paused: no other node would take over");
    if (!cluster.missing.empty())
      add(AlarmCode::kNodeMissing, Severity::kWarning,
          fmt::format("nodes of the cluster do not run: {}", fmt::join(cluster.missing, ", ")));
    about_settings();
    about_timeline();
    if (!cluster.system_identifier.empty() && !seen_.system_identifier.empty() &&
        cluster.system_identifier != seen_.system_identifier)
      add(AlarmCode::kOtherCluster, Severity::kCritical,
          "the addresses in cluster.rest are those of another cluster than the one that is backed up");
  }
  // Recoveries know it from what was received; the archive alone does not tell it.
  void about_timeline() {
    if (!seen_.repository.has_value()) return;
    std::uint32_t newest = 0;
    for (const auto& archive : seen_.repository->archives)
      if (const auto segment = wal::SegmentName::parse(archive.max_segment, {}); segment.ok())
        newest = std::max(newest, segment->timeline.value);
    const std::uint32_t led = seen_.cluster->timeline.value;
    if (led == 0 || led >= newest) return;
    add(AlarmCode::kWalGap, Severity::kCritical,
        fmt::format("the cluster is on timeline {} again although timeline {} had begun: what was written "
                    "on that is in no later moment; switch over, then make a full backup",
                    led, newest));
  }
  void about_settings() {
    if (!seen_.server.has_value()) return;
    const auto& archiver = seen_.server->archiver;
    if (archiver.on && archiver.command != seen_.archive_command)
      add(AlarmCode::kArchiveCommand, Severity::kCritical,
          "the leader archives its log elsewhere: archive_command is not that of this cell");
    if (!seen_.server->slot.has_value())
      add(AlarmCode::kSlotMissing, Severity::kWarning,
          "the leader has no slot for the receiver: it may remove log that was not received");
  }

  void about_repository() {
    if (seen_.repository_trouble.has_value()) {
      const auto& trouble = *seen_.repository_trouble;
      const bool damaged =
          trouble.code == ErrorCode::kRepositoryDamaged || trouble.code == ErrorCode::kKeyWrong;
      add(damaged ? AlarmCode::kRepositoryDamaged : AlarmCode::kRepositoryUnavailable,
          Severity::kCritical, trouble.message);
      return;
    }
    if (const auto& run = seen_.last_verify; run.has_value() && run->failure.has_value()) {
      add(AlarmCode::kRepositoryDamaged, Severity::kCritical,
          "the last verification of the repository failed: " + run->failure->message);
    }
    if (!status_.last_full_at.has_value()) {
      if (!young(kHour))
        add(AlarmCode::kBackupOverdue, Severity::kCritical, "there is no backup yet");
      return;
    }
    const double full_age = seconds_between(*status_.last_full_at, seen_.now);
    const double age = seconds_between(*status_.last_backup_at, seen_.now);
    const bool written = status_.log_bytes_since_backup.value_or(1) > 0;
    if (full_age > limits_.full_overdue_days * kDay)
      add(AlarmCode::kBackupOverdue, Severity::kWarning,
          fmt::format("the last full backup is {} old", duration_text(full_age)));
    else if (written && age > limits_.backup_overdue_hours * kHour)
      add(AlarmCode::kBackupOverdue, Severity::kWarning,
          fmt::format("the last backup is {} old", duration_text(age)));
  }

  void about_receiver() {
    if (!seen_.server.has_value()) return;
    if (!seen_.server->receiver.has_value()) {
      const bool known = seen_.receiver.has_value() && seen_.receiver->trouble.has_value();
      if (known || !young(60))
        add(AlarmCode::kReceiverDown, Severity::kWarning,
            known ? "the write-ahead log is not being received: " + seen_.receiver->trouble->message
                  : "the write-ahead log is not being received; the archive has it a minute later");
    } else if (const double lag = static_cast<double>(seen_.server->receiver->lag_us) / kUs;
               seen_.server->receiver->stalled) {
      add(AlarmCode::kReceiverLag, Severity::kWarning,
          "the receiver of the write-ahead log is connected but does not get on");
    } else if (lag > limits_.receiver_lag_seconds) {
      add(AlarmCode::kReceiverLag, Severity::kWarning,
          fmt::format("the receiver of the write-ahead log is {} behind", duration_text(lag)));
    }
    if (seen_.receiver.has_value() && seen_.receiver->gap.has_value()) {
      add(AlarmCode::kWalGap, Severity::kWarning,
          fmt::format("the receiver was away too long at {}; what it missed is in the archive only",
                      at_text(seen_.receiver->gap->noticed_at)));
    }
    if (seen_.receiver.has_value() && seen_.receiver->damaged.has_value()) {
      add(AlarmCode::kWalGap, Severity::kWarning,
          fmt::format("a damaged piece of the received log was set aside at {}: {}",
                      at_text(seen_.receiver->damaged->noticed_at),
                      seen_.receiver->damaged->segment.str()));
    }
    if (const auto& slot = seen_.server->slot; slot.has_value() && slot->lost) {
      add(AlarmCode::kSlotStalled, Severity::kCritical,
          "the receiver's slot is lost: the server keeps the log for it no more");
    }
  }

  void about_archiving() {
    if (!seen_.server.has_value()) return;
    const auto& archiver = seen_.server->archiver;
    if (!archiver.on) {
      add(AlarmCode::kArchiveFailing, Severity::kCritical, "the server does not archive its log");
      return;
    }
    if (!archiver.failed_at.has_value()) return;
    if (archiver.archived_at.has_value() && *archiver.archived_at >= *archiver.failed_at) return;
    const bool received = seen_.server->receiver.has_value();
    add(AlarmCode::kArchiveFailing, received ? Severity::kWarning : Severity::kCritical,
        fmt::format("archiving of the write-ahead log fails since {} at {}",
                    at_text(*archiver.failed_at), archiver.failed_segment));
  }

  void about_space() {
    if (!seen_.space.has_value()) return;
    about_volume(seen_.space->free_bytes, seen_.space->volume_bytes, "where the backups are");
    about_volume(seen_.space->server_free_bytes, seen_.space->server_volume_bytes,
                 "where the live cluster is");
  }
  void about_volume(std::uint64_t free_bytes, std::uint64_t volume_bytes, const char* where) {
    if (volume_bytes == 0) return;
    const double share = static_cast<double>(free_bytes) / static_cast<double>(volume_bytes);
    if (share >= limits_.free_share) return;
    add(AlarmCode::kDiskLow,
        share < limits_.free_share / 4 ? Severity::kCritical : Severity::kWarning,
        fmt::format("{} are free {}", format_size(free_bytes), where));
  }

  void about_proof() {
    if (const auto& run = seen_.last_restore_check; run.has_value() && run->failure.has_value()) {
      add(AlarmCode::kNoVerifiedRestore, Severity::kCritical,
          "the last restore for a check failed: " + run->failure->message);
      return;
    }
    const double limit = limits_.verified_restore_days * kDay;
    if (!status_.last_verified_restore_at.has_value()) {
      if (!young(2 * kHour))
        add(AlarmCode::kNoVerifiedRestore, Severity::kWarning,
            "no backup has been restored for a check yet");
    } else if (const double age = seconds_between(*status_.last_verified_restore_at, seen_.now);
               age > limit) {
      add(AlarmCode::kNoVerifiedRestore, Severity::kWarning,
          fmt::format("the last restore for a check was {} ago", duration_text(age)));
    }
  }

  void about_promises() {
    if (status_.rpo_seconds.has_value() && *status_.rpo_seconds > kRpoSeconds / 2)
      add(AlarmCode::kRpoAtRisk,
          *status_.rpo_seconds > kRpoSeconds ? Severity::kCritical : Severity::kWarning,
          fmt::format("if everything were lost now, the last {} would be gone",
                      duration_text(*status_.rpo_seconds)));
    if (status_.expected_rto_seconds.has_value() && *status_.expected_rto_seconds > kRtoSeconds / 2)
      add(AlarmCode::kRtoAtRisk,
          *status_.expected_rto_seconds > kRtoSeconds ? Severity::kCritical : Severity::kWarning,
          fmt::format("a restore of everything would take about {}",
                      duration_text(*status_.expected_rto_seconds)));
  }
  const Observed& seen_;
  const AlarmLimits& limits_;
  CellStatus& status_;
};

}  // namespace

std::string_view to_text(AlarmCode code) {
  constexpr auto kTexts = std::to_array<std::string_view>(
      {"off", "receiver-down", "receiver-lag", "wal-gap", "archive-failing", "slot-stalled",
       "disk-low", "backup-overdue", "no-verified-restore", "repository-damaged",
       "repository-unavailable", "rpo-at-risk", "rto-at-risk", "no-leader",
       "cluster-paused", "node-missing", "archive-command", "slot-missing", "cluster-silent",
       "database-away", "other-cluster"});
  static_assert(kTexts.size() == kAlarmCodes);
  return kTexts[static_cast<std::size_t>(code)];
}

std::string_view to_text(CellState state) {
  switch (state) {
    case CellState::kOff:
      return "off";
    case CellState::kStarting:
      return "starting";
    case CellState::kOn:
      return "on";
    case CellState::kAtRisk:
      return "at-risk";
  }
  return {};
}

CellState CellStatus::state() const {
  if (!on) return CellState::kOff;
  if (!alarms.empty()) return CellState::kAtRisk;
  return earliest.has_value() ? CellState::kOn : CellState::kStarting;
}

std::string_view to_text(Severity severity) {
  return severity == Severity::kCritical ? "critical" : "warning";
}

CellStatus status_of(const Observed& seen, const AlarmLimits& limits) {
  CellStatus status;
  status.on = seen.on;
  status.now = seen.now;
  status.space = seen.space;
  status.repository_trouble = seen.repository_trouble;
  add_repository(seen, status);
  status.cluster = seen.cluster;
  status.latest = latest_of(seen);
  // Nothing is being committed while nobody leads.
  if (status.latest.has_value() && seen.server.has_value())
    status.rpo_seconds = std::max(0.0, seconds_between(*status.latest, seen.now));
  if (seen.server.has_value()) {
    status.database_bytes = seen.server->size_bytes;
    status.receiver_connected = seen.server->receiver.has_value();
    if (const auto& receiver = seen.server->receiver; receiver.has_value()) {
      status.synchronous = receiver->synchronous;
      status.lag_bytes =
          seen.server->lsn > receiver->durable_lsn ? seen.server->lsn - receiver->durable_lsn : 0;
      // What it says of its lag counts as long as it gets on.
      if (status.latest.has_value() && !receiver->stalled)
        status.rpo_seconds = static_cast<double>(receiver->lag_us) / kUs;
    }
  }
  if (seen.worst_lag.has_value()) {
    status.worst_rpo_seconds = static_cast<double>(seen.worst_lag->worst_us) / kUs;
    status.worst_lag_bytes = seen.worst_lag->worst_bytes;
  }
  if (const auto& run = seen.last_good_restore_check; run.has_value()) {
    status.last_verified_restore_at = run->finished_at;
    status.last_verified_restore_seconds = seconds_between(*run->started_at, *run->finished_at);
  }
  add_rto(seen, status);
  Alarms(seen, limits, status).raise();
  return status;
}

namespace {

// A receiver that is behind and does not get on says nothing of how late it is.
Result<catalog::ServerState> look_at_server(catalog::CellCatalog& cell_catalog) {
  OA_ASSIGN(auto state, cell_catalog.server_state(kReceiverName, kReceiverName));
  const std::uint64_t wanted = state.lsn;
  for (int tries = 0; tries < kProgressTries; ++tries) {
    if (!state.receiver.has_value() || state.receiver->durable_lsn >= wanted) return state;
    std::this_thread::sleep_for(kProgressPause);
    OA_ASSIGN(state, cell_catalog.server_state(kReceiverName, kReceiverName));
  }
  if (state.receiver.has_value()) state.receiver->stalled = state.receiver->durable_lsn < wanted;
  return state;
}

Status ask_database(catalog::Database& database, Observed& seen) {
  catalog::CellCatalog cell_catalog(database);
  OA_ASSIGN(seen.server, look_at_server(cell_catalog));
  OA_ASSIGN(seen.worst_lag,
            cell_catalog.worst_lag({seen.now.unix_us - static_cast<std::int64_t>(kDay * kUs)}));
  catalog::CellRuns runs(database);
  const catalog::CellRunKind checks[] = {catalog::CellRunKind::kRestoreCheck};
  const catalog::CellRunKind verifications[] = {catalog::CellRunKind::kVerify};
  OA_ASSIGN(seen.last_restore_check, runs.last(checks, false));
  OA_ASSIGN(seen.last_good_restore_check, runs.last(checks, true));
  OA_ASSIGN(seen.last_verify, runs.last(verifications, false));
  return {};
}

void look_at_cell(Cell& cell, Observed& seen) {
  auto info = cell.repository().info();
  if (info.ok())
    seen.repository = std::move(info).value();
  else
    seen.repository_trouble = std::move(info).error();
  seen.on_since = cell.created_at();
  auto space = cell.space();
  if (space.ok())
    seen.space = *space;
  else if (!seen.repository_trouble.has_value())
    seen.repository_trouble = std::move(space).error();
  if (cell.cluster() == nullptr) return;
  seen.cluster = cell.cluster()->look();
  seen.archive_command = cell.cluster()->archive_command();
  const auto log = cell.open_tail();
  if (!log.ok() || *log == nullptr) return;
  if (const auto identity = (*log)->cluster(); identity.ok() && identity->has_value())
    seen.system_identifier = std::to_string((*identity)->system_identifier);
}

}  // namespace

Result<Observed> observe(Cell* cell, catalog::Database& database,
                         std::optional<wal::ReceiverState> receiver) {
  Observed seen;
  seen.now = Timestamp::now();
  seen.on = cell != nullptr;
  seen.receiver = std::move(receiver);
  if (cell == nullptr) return seen;
  const Status asked = ask_database(database, seen);
  if (!asked.ok()) {
    if (cell->cluster() == nullptr || asked.error().code != ErrorCode::kDatabaseUnavailable)
      return asked.error();
    seen.database_trouble = asked.error();
  }
  look_at_cell(*cell, seen);
  return seen;
}

Observed observe_without_database(Cell& cell, Error trouble) {
  Observed seen;
  seen.now = Timestamp::now();
  seen.on = true;
  seen.database_trouble = std::move(trouble);
  look_at_cell(cell, seen);
  return seen;
}

TenantWindow window_of(const catalog::Tenant& tenant,
                       std::span<const catalog::PlanLeft> left, const CellStatus& status) {
  TenantWindow window;
  window.days = catalog::window_days_of(tenant.plan);
  window.repository_trouble = status.repository_trouble;
  if (!status.earliest.has_value() || !status.latest.has_value()) return window;
  const Timestamp by_plan{status.now.unix_us -
                          static_cast<std::int64_t>(window.days * kDay * kUs)};
  window.earliest = std::max({by_plan, *status.earliest, tenant.created_at});
  // What a shorter window did not keep, a longer one does not bring back.
  for (const auto& change : left) {
    int days = catalog::window_days_of(change.plan);
    for (const auto& before : left)  // kept for who regrets
      if (before.at <= change.at && before.at >= regret_begins(change.at))
        days = std::max(days, catalog::window_days_of(before.plan));
    if (days >= window.days) continue;
    window.earliest =
        std::max(*window.earliest, Timestamp{change.at.unix_us - static_cast<std::int64_t>(days * kDay * kUs)});
  }
  window.latest = std::max(*window.earliest, *status.latest);
  return window;
}

Result<TenantWindow> window_of(catalog::TenantTransaction& transaction, const CellStatus& status) {
  OA_ASSIGN(const auto tenant, transaction.own_tenant());
  const int longest = catalog::window_days_of(catalog::Plan::kScale);
  OA_ASSIGN(const auto left,
            catalog::plans_left(transaction, {status.now.unix_us -
                                              static_cast<std::int64_t>(longest * kDay * kUs)}));
  return window_of(tenant, left, status);
}

Status check_moment(const TenantWindow& window, Timestamp at, Timestamp now) {
  const auto outside = [](std::string message) {
    return make_error(ErrorCode::kOutsideWindow, "moment", std::move(message));
  };
  if (at > now) {
    return outside("the moment lies in the future")
        .with_hint(fmt::format("name one up to {}", now.rfc3339()));
  }
  if (!window.earliest.has_value() && window.repository_trouble.has_value())
    return *window.repository_trouble;
  if (!window.earliest.has_value()) {
    return outside("there is no backup yet that a moment could be restored from")
        .with_hint("the first one comes within minutes after continuous backup was switched on");
  }
  if (at >= *window.earliest) return {};
  return outside("the moment is longer ago than can be restored")
      .with_hint(fmt::format("the plan keeps {} days; the earliest moment is {}", window.days,
                             window.earliest->rfc3339()));
}

}  // namespace oa::continuity
