#include "oa/catalog/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr const char* kColumns =
    "id, kind, state, requested_by, cancel_requested, created_at, started_at, finished_at, step, "
    "done, total, unit, error_code, error_message, detail";

Result<CellRun> read_run(const Rows& rows, int index) {
  RowReader row(rows, index);
  CellRun run;
  run.id = row.id<CellRunId>();
  OA_ASSIGN(run.kind, row.enumerator<CellRunKind>());
  OA_ASSIGN(run.state, row.enumerator<CellRunState>());
  OA_ASSIGN(run.requested_by, row.enumerator<CellRunOrigin>());
  run.cancel_requested = row.boolean();
  run.created_at = row.timestamp();
  run.started_at = row.optional_timestamp();
  run.finished_at = row.optional_timestamp();
  run.progress.step = row.text();
  run.progress.done = static_cast<std::uint64_t>(row.bigint());
  run.progress.total = static_cast<std::uint64_t>(row.bigint());
  run.progress.unit = row.text();
  const auto code = row.optional_text();
  const auto message = row.optional_text();
  if (code.has_value()) run.failure = JobFailure{*code, message.value_or(""), ""};
  OA_ASSIGN(run.detail, row.optional_json());
  return run;
}

Result<std::vector<CellRun>> read_runs(Database& database, const std::string& rest,
                                       const std::vector<Parameter>& parameters) {
  OA_ASSIGN(auto access, database.as_operator());
  const std::string sql = fmt::format(fmt::runtime(rest), kColumns);
  OA_ASSIGN(const Rows rows, access.connection().query(sql.c_str(), parameters));
  std::vector<CellRun> runs;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(CellRun run, read_run(rows, i));
    runs.push_back(std::move(run));
  }
  return runs;
}

std::optional<CellRun> first_of(std::vector<CellRun> runs) {
  if (runs.empty()) return std::nullopt;
  return std::move(runs.front());
}

Error no_such_run() {
  return make_error(ErrorCode::kNotFound, "cell.run", "there is no run of this id");
}

Parameter amount(std::uint64_t value) { return Parameter::of(static_cast<std::int64_t>(value)); }

std::string_view prefix_of(std::string_view text, std::size_t limit) {
  while (text.size() > limit || !is_utf8(text)) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<CellRun> CellRuns::add(CellRunKind kind, CellRunOrigin by) {
  OA_ASSIGN(auto added,
            read_runs(database_,
                      "INSERT INTO cell_runs (id, kind, state, requested_by, created_at) "
                      "SELECT $1, $2, 'queued', $3, clock_timestamp() WHERE NOT EXISTS "
                      "(SELECT FROM cell_runs WHERE kind = $2 AND state IN ('queued', 'running')) "
                      "RETURNING {}",
                      {Parameter::of(CellRunId::random()), Parameter::of(to_text(kind)),
                       Parameter::of(to_text(by))}));
  if (!added.empty()) return std::move(added.front());
  return make_error(ErrorCode::kConflict, "cell.run",
                    fmt::format("a run of this kind ({}) is on its way already", to_text(kind)))
      .with_hint("look at it with `oa-backup continuity runs`");
}

Result<std::optional<CellRun>> CellRuns::take() {
  OA_ASSIGN(auto taken,
            read_runs(database_,
                      "UPDATE cell_runs SET state = 'running', started_at = clock_timestamp() "
                      "WHERE id = (SELECT id FROM cell_runs WHERE state = 'queued' "
                      "ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {}",
                      {}));
  return first_of(std::move(taken));
}

Result<bool> CellRuns::write_progress(CellRunId id, const JobProgress& progress) {
  OA_TRY(check_limits(progress));
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query(
                "UPDATE cell_runs SET step = $2, done = $3, total = $4, unit = $5 "
                "WHERE id = $1 AND state = 'running' RETURNING cancel_requested",
                {Parameter::of(id), Parameter::of(progress.step), amount(progress.done),
                 amount(progress.total), Parameter::of(progress.unit)}));
  return rows.count() == 1 && !RowReader(rows, 0).boolean();
}

Status CellRuns::finish(const CellRun& run) {
  OA_ASSERT(over(run.state));
  OA_ASSIGN(auto access, database_.as_operator());
  const bool failed = run.failure.has_value();
  return access.connection().execute(
      "UPDATE cell_runs SET state = $2, finished_at = clock_timestamp(), error_code = $3, "
      "error_message = $4, detail = $5 WHERE id = $1 AND state = 'running'",
      {Parameter::of(run.id), Parameter::of(to_text(run.state)),
       Parameter::of(failed ? std::optional(run.failure->code) : std::nullopt),
       Parameter::of(failed ? std::optional(std::string(prefix_of(run.failure->message, 2000)))
                            : std::nullopt),
       Parameter::of(run.detail)});
}

Status CellRuns::record(const CellRun& run) {
  OA_ASSERT(over(run.state) && run.started_at.has_value());
  OA_ASSIGN(auto access, database_.as_operator());
  const bool failed = run.failure.has_value();
  return access.connection().execute(
      "INSERT INTO cell_runs (id, kind, state, requested_by, created_at, started_at, finished_at, "
      "error_code, error_message, detail) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)",
      {Parameter::of(run.id), Parameter::of(to_text(run.kind)), Parameter::of(to_text(run.state)),
       Parameter::of(to_text(run.requested_by)), Parameter::of(*run.started_at),
       Parameter::of(run.finished_at),
       Parameter::of(failed ? std::optional(run.failure->code) : std::nullopt),
       Parameter::of(failed ? std::optional(std::string(prefix_of(run.failure->message, 2000)))
                            : std::nullopt),
       Parameter::of(run.detail)});
}

Status CellRuns::interrupt_running() {
  OA_ASSIGN(auto access, database_.as_operator());
  return access.connection().execute(
      "UPDATE cell_runs SET state = 'interrupted', finished_at = clock_timestamp() "
      "WHERE state = 'running'");
}

Status CellRuns::request_cancel(CellRunId id) {
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query(
                "UPDATE cell_runs SET cancel_requested = true, "
                "state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END, "
                "finished_at = CASE state WHEN 'queued' THEN clock_timestamp() END "
                "WHERE id = $1 AND state IN ('queued', 'running') RETURNING true",
                {Parameter::of(id)}));
  if (rows.count() == 1) return {};
  OA_ASSIGN(const auto run, get(id));
  return make_error(ErrorCode::kConflict, "cell.run",
                    fmt::format("this run is over ({})", to_text(run.state)));
}

Result<CellRun> CellRuns::get(CellRunId id) {
  OA_ASSIGN(auto runs,
            read_runs(database_, "SELECT {} FROM cell_runs WHERE id = $1", {Parameter::of(id)}));
  if (runs.empty()) return no_such_run();
  return std::move(runs.front());
}

Result<std::vector<CellRun>> CellRuns::list(std::optional<CellRunId> after, std::size_t limit) {
  return read_runs(database_,
                   "SELECT {} FROM cell_runs WHERE $1::uuid IS NULL OR (created_at, id) < "
                   "(SELECT created_at, id FROM cell_runs WHERE id = $1) "
                   "ORDER BY created_at DESC, id DESC LIMIT $2",
                   {Parameter::of(after), amount(limit)});
}

Result<std::optional<CellRun>> CellRuns::last(std::span<const CellRunKind> kinds, bool succeeded) {
  std::string wanted;
  for (const auto kind : kinds) {
    if (!wanted.empty()) wanted += ",";
    wanted += to_text(kind);
  }
  OA_ASSIGN(auto runs,
            read_runs(database_,
                      "SELECT {} FROM cell_runs WHERE kind = ANY (string_to_array($1, ',')) AND "
                      "finished_at IS NOT NULL AND (state = 'succeeded' OR NOT $2) "
                      "ORDER BY finished_at DESC LIMIT 1",
                      {Parameter::of(wanted), Parameter::of(succeeded)}));
  return first_of(std::move(runs));
}

Status CellRuns::remove_before(Timestamp moment) {
  OA_ASSIGN(auto access, database_.as_operator());
  return access.connection().execute("DELETE FROM cell_runs WHERE finished_at < $1",
                                     {Parameter::of(moment)});
}

Status CellCatalog::add_lag(std::span<const LagMinute> minutes) {
  OA_ASSIGN(auto access, database_.as_operator());
  for (const auto& minute : minutes) {
    OA_TRY(access.connection().execute(
        "INSERT INTO cell_lag AS l (minute, worst_us, worst_bytes) VALUES ($1, $2, $3) "
        "ON CONFLICT (minute) DO UPDATE SET worst_us = greatest(l.worst_us, excluded.worst_us), "
        "worst_bytes = greatest(l.worst_bytes, excluded.worst_bytes)",
        {Parameter::of(minute.minute), Parameter::of(minute.worst_us),
         amount(minute.worst_bytes)}));
  }
  return {};
}

Result<std::optional<LagMinute>> CellCatalog::worst_lag(Timestamp from) {
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows, access.connection().query(
                                 "SELECT max(minute), max(worst_us), max(worst_bytes) "
                                 "FROM cell_lag WHERE minute >= $1 HAVING count(*) > 0",
                                 {Parameter::of(from)}));
  if (rows.count() == 0) return std::optional<LagMinute>();
  RowReader row(rows, 0);
  LagMinute worst;
  worst.minute = row.timestamp();
  worst.worst_us = row.bigint();
  worst.worst_bytes = static_cast<std::uint64_t>(row.bigint());
  return std::optional(worst);
}

Status CellCatalog::remove_lag_before(Timestamp moment) {
  OA_ASSIGN(auto access, database_.as_operator());
  return access.connection().execute("DELETE FROM cell_lag WHERE minute < $1",
                                     {Parameter::of(moment)});
}

Result<std::vector<std::pair<TenantId, Plan>>> CellCatalog::plans_since(Timestamp from) {
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query("SELECT id, plan FROM tenants UNION "
                                      "SELECT tenant_id, left_plan FROM plan_changes "
                                      "WHERE changed_at >= $1 ORDER BY 1, 2",
                                      {Parameter::of(from)}));
  std::vector<std::pair<TenantId, Plan>> plans;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    const auto tenant = row.id<TenantId>();
    OA_ASSIGN(const Plan plan, row.enumerator<Plan>());
    plans.emplace_back(tenant, plan);
  }
  return plans;
}

namespace {

// Distances from the beginning of the log, in bytes, as Postgres' own pg_wal_lsn_diff counts them.
constexpr const char* kServerState =
    "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint, pg_database_size(current_database()), "
    "clock_timestamp(), (r.flush_lsn - '0/0')::bigint, "
    "CASE WHEN r.flush_lsn IS NULL THEN NULL WHEN r.flush_lsn >= pg_current_wal_flush_lsn() THEN 0 "
    "ELSE coalesce((extract(epoch FROM r.flush_lag) * 1000000)::bigint, 0) END::bigint, "
    "coalesce(r.sync_state IN ('sync', 'quorum'), false), "
    "s.slot_name IS NOT NULL, coalesce(s.wal_status IN ('lost', 'unreserved'), false), "
    "s.safe_wal_size, a.last_archived_time, a.last_failed_time, "
    "coalesce(a.last_archived_wal, ''), coalesce(a.last_failed_wal, ''), "
    "current_setting('archive_mode') <> 'off', current_setting('archive_command') "
    "FROM pg_stat_archiver a LEFT JOIN pg_stat_replication r ON r.application_name = $1 "
    "LEFT JOIN pg_replication_slots s ON s.slot_name = $2 LIMIT 1";

std::optional<std::int64_t> optional_bigint(RowReader& row, const Rows& rows, int column) {
  if (PQgetisnull(rows.get(), 0, column) != 0) {
    row.skip(1);
    return std::nullopt;
  }
  return row.bigint();
}

}  // namespace

Result<ServerState> CellCatalog::server_state(const std::string& receiver_name,
                                              const std::string& slot) {
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query(kServerState,
                                      {Parameter::of(receiver_name), Parameter::of(slot)}));
  OA_ASSERT(rows.count() == 1);
  RowReader row(rows, 0);
  ServerState state;
  state.lsn = static_cast<std::uint64_t>(row.bigint());
  state.size_bytes = static_cast<std::uint64_t>(row.bigint());
  state.now = row.timestamp();
  const auto durable = optional_bigint(row, rows, 3);
  const auto lag = optional_bigint(row, rows, 4);
  const bool synchronous = row.boolean();
  if (durable.has_value()) {
    state.receiver = ServerState::Receiver{static_cast<std::uint64_t>(*durable), lag.value_or(0),
                                           synchronous};
  }
  const bool has_slot = row.boolean();
  const bool lost = row.boolean();
  const auto safe = optional_bigint(row, rows, 8);
  if (has_slot) {
    state.slot = ServerState::Slot{lost, std::nullopt};
    if (safe.has_value()) state.slot->safe_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *safe));
  }
  state.archiver.archived_at = row.optional_timestamp();
  state.archiver.failed_at = row.optional_timestamp();
  state.archiver.archived_segment = row.text();
  state.archiver.failed_segment = row.text();
  state.archiver.on = row.boolean();
  state.archiver.command = row.text();
  return state;
}

Result<std::vector<PlanLeft>> plans_left(TenantTransaction& transaction, Timestamp from) {
  OA_ASSIGN(const Rows rows,
            transaction.connection().query("SELECT changed_at, left_plan FROM plan_changes "
                                           "WHERE changed_at >= $1 ORDER BY changed_at",
                                           {Parameter::of(from)}));
  std::vector<PlanLeft> left;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    PlanLeft change;
    change.at = row.timestamp();
    OA_ASSIGN(change.plan, row.enumerator<Plan>());
    left.push_back(change);
  }
  return left;
}

Result<std::vector<std::pair<std::string, std::string>>> RowVersions::named() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT rows_object_name, rows_object_version FROM datasets "
                                   "WHERE rows_object_name IS NOT NULL ORDER BY 1, 2"));
  std::vector<std::pair<std::string, std::string>> named;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    const std::string name = row.text();
    named.emplace_back(name, row.text());
  }
  return named;
}

Result<std::vector<RowVersionLeft>> RowVersions::left() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT object_name, object_version, left_at "
                                   "FROM row_versions_left ORDER BY 1, 2"));
  std::vector<RowVersionLeft> left;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    RowVersionLeft version;
    version.object_name = row.text();
    version.object_version = row.text();
    version.left_at = row.timestamp();
    left.push_back(std::move(version));
  }
  return left;
}

Status RowVersions::forget(const RowVersionLeft& version) {
  return tx_.connection().execute(
      "DELETE FROM row_versions_left WHERE object_name = $1 AND object_version = $2 AND left_at = $3",
      {Parameter::of(version.object_name), Parameter::of(version.object_version),
       Parameter::of(version.left_at)});
}

}  // namespace oa::catalog
