// The archives that a tenant has, and when more are made by themselves.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "oa/catalog/repositories.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr const char* kColumns =
    "id, snapshot_time, object_name, object_version, size_bytes, with_rows, with_audit, counts, "
    "content_hash, signer, created_by, created_at, origin, to_json(workspaces)::text, verified_at, "
    "refusal, expires_at";

Result<std::vector<WorkspaceId>> read_workspaces(const std::string& text) {
  OA_ASSIGN(const json::value document, parse_json(text));
  std::vector<WorkspaceId> workspaces;
  for (const auto& element : document.as_array()) {
    OA_ASSIGN(const auto id, WorkspaceId::parse(std::string_view(element.as_string())));
    workspaces.push_back(id);
  }
  return workspaces;
}

constexpr const char* kListThem =
    "`oa-backup archive list --tenant NAME` shows the tenant's archives";

Result<ArchiveRecord> read_archive(const Rows& rows, int index) {
  RowReader row(rows, index);
  ArchiveRecord record;
  record.id = row.id<ArchiveId>();
  record.snapshot_time = row.timestamp();
  record.object_name = row.text();
  record.object_version = row.text();
  record.size_bytes = static_cast<std::uint64_t>(row.bigint());
  record.with_rows = row.boolean();
  record.with_audit = row.boolean();
  OA_ASSIGN(record.counts, row.json());
  record.content_hash = row.text();
  record.signer = row.text();
  if (const auto creator = row.optional_uuid()) record.created_by = UserId(*creator);
  record.created_at = row.timestamp();
  OA_ASSIGN(record.origin, row.enumerator<ArchiveOrigin>());
  if (const auto text = row.optional_text()) {
    OA_ASSIGN(record.workspaces, read_workspaces(*text));
  }
  const auto verified_at = row.optional_timestamp();
  auto refusal = row.optional_text();
  if (verified_at.has_value())
    record.verification = ArchiveVerification{*verified_at, std::move(refusal)};
  record.expires_at = row.optional_timestamp();
  return record;
}

Result<std::vector<ArchiveRecord>> read_archives(Connection& connection, const char* rest,
                                                 const std::vector<Parameter>& parameters = {}) {
  const std::string sql = fmt::format("SELECT {} FROM archives {}", kColumns, rest);
  OA_ASSIGN(const Rows rows, connection.query(sql.c_str(), parameters));
  std::vector<ArchiveRecord> records;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(ArchiveRecord record, read_archive(rows, i));
    records.push_back(std::move(record));
  }
  return records;
}

template <class IdType>
std::vector<Uuid> uuids_of(const std::vector<IdType>& ids) {
  std::vector<Uuid> uuids;
  for (const auto& id : ids) uuids.push_back(id.uuid());
  return uuids;
}

std::string_view state_of(const std::optional<ArchiveVerification>& verification) {
  if (!verification.has_value()) return "never";
  return verification->refusal.has_value() ? "refused" : "verified";
}

Parameter uuids_or_null(const std::optional<std::vector<WorkspaceId>>& ids) {
  Parameter parameter = Parameter::uuids(ids.has_value() ? uuids_of(*ids) : std::vector<Uuid>());
  parameter.null = !ids.has_value();
  return parameter;
}

}  // namespace

Result<std::vector<ArchiveRecord>> Archives::list() {
  return read_archives(tx_.connection(), "ORDER BY created_at DESC, id");
}

Result<std::vector<ArchiveRecord>> Archives::page(const Visible& visible,
                                                  const std::optional<After>& after,
                                                  std::size_t limit) {
  return read_archives(
      tx_.connection(),
      "WHERE ($1::uuid[] IS NULL OR (cardinality(workspaces) > 0 AND workspaces <@ $1) "
      "OR (origin = 'uploaded' AND created_by = $5)) "
      "AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) "
      "ORDER BY created_at DESC, id DESC LIMIT $4",
      {uuids_or_null(visible.of_only),
       Parameter::of(after.has_value() ? std::optional(after->created_at) : std::nullopt),
       Parameter::of(after.has_value() ? after->id : Uuid{}),
       Parameter::of(static_cast<std::int64_t>(limit)), Parameter::of(visible.uploaded_by)});
}

Result<ArchiveRecord> Archives::get(ArchiveId id) {
  OA_ASSIGN(auto records, read_archives(tx_.connection(), "WHERE id = $1", {Parameter::of(id)}));
  if (!records.empty()) return std::move(records.front());
  return make_error(ErrorCode::kNotFound, "archives.get", "no archive has this id")
      .with_hint(kListThem);
}

Status Archives::add(const ArchiveRecord& record) {
  const auto& verification = record.verification;
  return tx_.connection().execute(
      "INSERT INTO archives (id, snapshot_time, object_name, object_version, size_bytes, "
      "with_rows, with_audit, counts, content_hash, signer, created_by, created_at, origin, "
      "workspaces, verification, verified_at, refusal, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
      {Parameter::of(record.id), Parameter::of(record.snapshot_time),
       Parameter::of(record.object_name), Parameter::of(record.object_version),
       Parameter::of(static_cast<std::int64_t>(record.size_bytes)), Parameter::of(record.with_rows),
       Parameter::of(record.with_audit), Parameter::of(record.counts),
       Parameter::of(record.content_hash), Parameter::of(record.signer),
       Parameter::of(record.created_by), Parameter::of(record.created_at),
       Parameter::of(to_text(record.origin)), uuids_or_null(record.workspaces),
       Parameter::of(state_of(verification)),
       Parameter::of(verification.has_value() ? std::optional(verification->at) : std::nullopt),
       Parameter::of(verification.has_value() ? verification->refusal : std::nullopt),
       Parameter::of(record.expires_at)});
}

Status Archives::set_verification(ArchiveId id, const ArchiveVerification& verification) {
  return tx_.connection().execute(
      "UPDATE archives SET verification = $2, verified_at = $3, refusal = $4 WHERE id = $1",
      {Parameter::of(id), Parameter::of(state_of(verification)), Parameter::of(verification.at),
       Parameter::of(verification.refusal)});
}

Result<std::vector<ArchiveRecord>> Archives::expired(Timestamp moment) {
  return read_archives(tx_.connection(),
                       "WHERE expires_at <= $1 AND id IS DISTINCT FROM (SELECT newest.id "
                       "FROM archives newest WHERE newest.origin = 'scheduled' "
                       "AND newest.verification = 'verified' "
                       "ORDER BY newest.created_at DESC, newest.id LIMIT 1) "
                       "ORDER BY expires_at, id",
                       {Parameter::of(moment)});
}

Status Archives::keep_scheduled_for_days(std::uint32_t days) {
  return tx_.connection().execute(
      "UPDATE archives SET expires_at = created_at + $1 * interval '1 day' "
      "WHERE origin = 'scheduled'",
      {Parameter::of(static_cast<std::int64_t>(days))});
}

Status Archives::remove(ArchiveId id) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM archives WHERE id = $1", {Parameter::of(id)}));
  if (rows.affected() > 0) return {};
  return make_error(ErrorCode::kNotFound, "archives.remove", "no archive has this id")
      .with_hint(kListThem);
}

namespace {

constexpr const char* kScheduleColumns =
    "SELECT frequency, with_rows, with_audit, keep_days, next_run_at, last_run_at "
    "FROM backup_schedules";

Result<BackupSchedule> read_schedule(Connection& connection, const std::string& sql) {
  OA_ASSIGN(const Rows rows, connection.query(sql.c_str()));
  BackupSchedule schedule;
  if (rows.count() == 0) return schedule;
  RowReader row(rows, 0);
  OA_ASSIGN(schedule.frequency, row.enumerator<ScheduleFrequency>());
  schedule.with_rows = row.boolean();
  schedule.with_audit = row.boolean();
  schedule.keep_days = static_cast<std::uint32_t>(row.bigint());
  schedule.next_run_at = row.optional_timestamp();
  schedule.last_run_at = row.optional_timestamp();
  return schedule;
}

}  // namespace

Result<BackupSchedule> BackupSchedules::get() {
  return read_schedule(tx_.connection(), kScheduleColumns);
}

Result<BackupSchedule> BackupSchedules::lock() {
  return read_schedule(tx_.connection(), std::string(kScheduleColumns) + " FOR UPDATE");
}

Status BackupSchedules::put(const BackupSchedule& schedule) {
  return tx_.connection().execute(
      "INSERT INTO backup_schedules (frequency, with_rows, with_audit, keep_days, next_run_at, "
      "last_run_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id) DO UPDATE SET "
      "frequency = excluded.frequency, with_rows = excluded.with_rows, "
      "with_audit = excluded.with_audit, keep_days = excluded.keep_days, "
      "next_run_at = excluded.next_run_at, last_run_at = excluded.last_run_at",
      {Parameter::of(to_text(schedule.frequency)), Parameter::of(schedule.with_rows),
       Parameter::of(schedule.with_audit),
       Parameter::of(static_cast<std::int64_t>(schedule.keep_days)),
       Parameter::of(schedule.next_run_at), Parameter::of(schedule.last_run_at)});
}

}  // namespace oa::catalog
