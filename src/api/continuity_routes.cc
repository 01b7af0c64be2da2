// Continuous backup, as a tenant sees it: what can be brought back, and a moment brought back.
#include "cell_watch.h"
#include "documents.h"
#include "fields.h"
#include "operation.h"

namespace oa::api {
namespace {

json::value number_or_null(const std::optional<double>& number) {
  return number.has_value() ? json::value(*number) : json::value(nullptr);
}

// A cell is shared: what puts it at risk concerns its tenants, how it is run and whom else it holds does
// not. None for what is the operator's alone.
const char* words_for_tenants(continuity::AlarmCode code) {
  switch (code) {
    case continuity::AlarmCode::kOff:
      return "nothing is being backed up continuously";
    case continuity::AlarmCode::kReceiverDown:
    case continuity::AlarmCode::kReceiverLag:
      return "the latest changes reach the backup later than usual";
    case continuity::AlarmCode::kWalGap:
      return "a part of the backup is kept in one place only";
    case continuity::AlarmCode::kArchiveFailing:
    case continuity::AlarmCode::kSlotStalled:
    case continuity::AlarmCode::kArchiveCommand:
    case continuity::AlarmCode::kSlotMissing:
      return "changes do not reach the archive";
    case continuity::AlarmCode::kDiskLow:
    case continuity::AlarmCode::kClusterPaused:
    case continuity::AlarmCode::kNodeMissing:
    case continuity::AlarmCode::kOtherCluster:
    case continuity::AlarmCode::kClusterSilent:
      return nullptr;
    case continuity::AlarmCode::kNoLeader:
    case continuity::AlarmCode::kDatabaseAway:
      return "the database is not there at the moment";
    case continuity::AlarmCode::kBackupOverdue:
      return "the last backup is older than it should be";
    case continuity::AlarmCode::kNoVerifiedRestore:
      return "no restore has been proven lately";
    case continuity::AlarmCode::kRepositoryDamaged:
      return "some moments may not be restorable: the backup was found damaged";
    case continuity::AlarmCode::kRepositoryUnavailable:
      return "the backup cannot be reached at the moment";
    case continuity::AlarmCode::kRpoAtRisk:
      return "if everything were lost now, more than a few minutes would be gone";
    case continuity::AlarmCode::kRtoAtRisk:
      return "a restore of everything would take longer than it should";
  }
  return nullptr;
}

Result<http::Response> get_continuity(TenantCall& call) {
  OA_ASSIGN(const auto status, call.cell_watch().status());
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto window, continuity::window_of(snapshot, status));
  json::array alarms;
  for (const auto& alarm : status.alarms) {
    const char* words = words_for_tenants(alarm.code);
    if (words == nullptr) continue;
    alarms.push_back(json::object{{"code", continuity::to_text(alarm.code)},
                                  {"severity", continuity::to_text(alarm.severity)},
                                  {"message", words}});
  }
  json::object document{
      {"state", !alarms.empty() && status.on ? "at-risk" : continuity::to_text(status.state())},
      {"window_days", window.days},
      {"earliest", moment_or_null(window.earliest)},
      {"latest", moment_or_null(window.latest)},
      {"rpo_seconds", number_or_null(status.rpo_seconds)},
      {"worst_rpo_seconds", number_or_null(status.worst_rpo_seconds)},
      {"last_backup_at", moment_or_null(status.last_backup_at)},
      {"last_verified_restore", nullptr},
      {"expected_rto_seconds", number_or_null(status.expected_rto_seconds)},
      {"alarms", std::move(alarms)}};
  if (status.last_verified_restore_at.has_value()) {
    document["last_verified_restore"] =
        json::object{{"at", status.last_verified_restore_at->rfc3339()},
                     {"seconds", *status.last_verified_restore_seconds}};
  }
  return json_response(200, document);
}

Result<http::Response> archive_moment(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  operations::ArchiveMoment operation;
  operation.at = reader.timestamp("at");
  if (reader.find("rows") != nullptr) operation.rows = reader.boolean("rows");
  operation.workspaces = read_workspaces(reader);
  OA_TRY(reader.finish());
  OA_ASSIGN(const auto status, call.cell_watch().status());
  {
    OA_ASSIGN(auto snapshot, call.snapshot());
    OA_ASSIGN(const auto window, continuity::window_of(snapshot, status));
    OA_TRY(continuity::check_moment(window, operation.at, Timestamp::now()));
  }
  OA_ASSIGN(const auto job, call.start(operation));
  return job_response(call, job);
}

constexpr std::size_t kBody = 64 << 10;
using enum accounts::Scope;
constexpr Operation kOperations[] = {
    {"getContinuity", "GET", "/v1/continuity", TenantHandler(get_continuity), Right::kBackup,
     kBackup},
    {"createArchiveFromMoment", "POST", "/v1/archives/from-moment", TenantHandler(archive_moment),
     Right::kOwner, kRestore, kBody, Repeats::kRememberedInside},
};

}  // namespace

std::span<const Operation> continuity_operations() { return kOperations; }

}  // namespace oa::api
