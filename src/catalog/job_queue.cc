#include "connection.h"
#include "oa/catalog/jobs.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Parameter milliseconds(std::chrono::milliseconds value) {
  return Parameter::of(static_cast<std::int64_t>(value.count()));
}

Parameter count(std::uint64_t value) { return Parameter::of(static_cast<std::int64_t>(value)); }

Parameter part_of(const std::optional<JobFailure>& failure, std::string JobFailure::*member) {
  return Parameter::of(failure.has_value() ? std::optional((*failure).*member) : std::nullopt);
}

// A kind is one of ours and has no comma.
std::string joined(std::span<const std::string> kinds) {
  std::string text;
  for (const auto& kind : kinds) text += (text.empty() ? "" : ",") + kind;
  return text;
}

// One worker after the other, or several would each see one place left of a tenant's limit. One
// that stands still does not hold up the others for long. The numbers only have to be ours ("oabk",
// 2).
constexpr const char* kTakeTurns =
    "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'; "
    "SELECT pg_advisory_xact_lock(1868653163, 2)";

// What the service itself wants counts as one more person, by the tenant's id; it has no time of
// its own, so that it does not wait for its turn.
constexpr const char* kTake =
    "WITH running AS MATERIALIZED (SELECT tenant_id, coalesce(created_by, tenant_id) AS person "
    "  FROM jobs WHERE state = 'running' AND leased_until > now()), "
    "due AS MATERIALIZED (SELECT DISTINCT tenant_id, coalesce(created_by, tenant_id) AS person "
    "  FROM jobs WHERE state IN ('queued', 'running') "
    "  AND coalesce(leased_until, run_after) <= now() "
    "  AND kind = ANY(string_to_array($1, ','))), "
    "turn AS MATERIALIZED (SELECT tenant_id, "
    "  (SELECT count(*) FROM running r WHERE r.tenant_id = d.tenant_id) AS running, "
    "  (SELECT max(taken_at) FROM jobs s WHERE s.tenant_id = d.tenant_id) AS served "
    "  FROM (SELECT DISTINCT tenant_id FROM due) d), "
    "person_turn AS MATERIALIZED (SELECT d.tenant_id, d.person, (SELECT count(*) FROM running r "
    "   WHERE r.tenant_id = d.tenant_id AND r.person = d.person) AS running, "
    "  (SELECT max(taken_at) FROM jobs s WHERE s.tenant_id = d.tenant_id "
    "   AND s.created_by = d.person) AS served "
    "  FROM due d JOIN turn USING (tenant_id) WHERE turn.running < $3), "
    "next AS (SELECT j.tenant_id, j.id FROM jobs j JOIN turn USING (tenant_id) "
    "  JOIN person_turn p ON p.tenant_id = j.tenant_id "
    "  AND p.person = coalesce(j.created_by, j.tenant_id) "
    "  WHERE j.state IN ('queued', 'running') "
    "  AND coalesce(j.leased_until, j.run_after) <= now() "
    "  AND j.kind = ANY(string_to_array($1, ',')) "
    "  ORDER BY turn.running, turn.served NULLS FIRST, p.running, "
    "  j.created_by IS NOT NULL AND NOT starts_with(j.kind, 'restore.'), "
    "  p.served NULLS FIRST, j.run_after, j.created_at, j.id "
    "  LIMIT 1 FOR UPDATE OF j SKIP LOCKED) "
    "UPDATE jobs j SET state = 'running', attempt = j.attempt + 1, revision = j.revision + 1, "
    "taken_at = clock_timestamp(), started_at = coalesce(j.started_at, clock_timestamp()), "
    "lease = gen_random_uuid(), "
    "leased_until = clock_timestamp() + $2 * interval '1 millisecond' "
    "FROM next WHERE j.tenant_id = next.tenant_id AND j.id = next.id "
    "RETURNING j.tenant_id, j.id, j.lease";

// As the operator, who can do it when the tenant's own transaction cannot begin. A second later,
// or one job that cannot be read would keep the others from being taken.
Status put_back_unread(Database& database, const Uuid& lease) {
  OA_ASSIGN(auto access, database.as_operator());
  return access.connection().execute(
      "UPDATE jobs SET state = 'queued', attempt = attempt - 1, revision = revision + 1, "
      "lease = NULL, leased_until = NULL, run_after = clock_timestamp() + interval '1 s' "
      "WHERE lease = $1",
      {Parameter::of(lease)});
}

Result<Job> read_taken(Database& database, TenantId tenant, JobId id) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  return Jobs(transaction).get(id);
}

// One statement about a job that must be held.
Status write_held(Database& database, TenantId tenant, const char* sql,
                  const std::vector<Parameter>& parameters) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_ASSIGN(const Rows rows, transaction.connection().query(sql, parameters));
  if (rows.affected() == 1) return transaction.commit();
  return make_error(ErrorCode::kConflict, "jobs.write", "another worker has the job, or nobody");
}

}  // namespace

Result<std::optional<TakenJob>> JobQueue::take(std::span<const std::string> kinds,
                                               std::chrono::milliseconds lease,
                                               std::size_t tenant_limit) {
  TakenJob taken;
  JobId id;
  {
    OA_ASSIGN(auto access, database_.as_operator());
    auto& connection = access.connection();
    OA_TRY(connection.script(kTakeTurns));
    OA_ASSIGN(const Rows rows, connection.query(kTake, {Parameter::of(joined(kinds)),
                                                        milliseconds(lease), count(tenant_limit)}));
    OA_TRY(connection.commit());
    if (rows.count() == 0) return std::optional<TakenJob>();
    RowReader row(rows, 0);
    taken.tenant = row.id<TenantId>();
    id = row.id<JobId>();
    taken.lease = row.uuid();
  }
  auto job = read_taken(database_, taken.tenant, id);
  if (!job.ok()) {
    // When that fails too, the lease runs out.
    (void)put_back_unread(database_, taken.lease);
    return std::move(job).error();
  }
  taken.job = std::move(*job);
  return std::optional(std::move(taken));
}

Result<std::vector<JobQueue::Held>> JobQueue::held(
    std::span<const Uuid> leases, std::optional<std::chrono::milliseconds> extend_by) {
  OA_ASSIGN(auto access, database_.as_operator());
  std::vector<Parameter> parameters{
      Parameter::uuids(std::vector<Uuid>(leases.begin(), leases.end()))};
  if (extend_by.has_value()) parameters.push_back(milliseconds(*extend_by));
  OA_ASSIGN(
      const Rows rows,
      access.connection().query(
          extend_by.has_value() ? "UPDATE jobs SET leased_until = clock_timestamp() + "
                                  "$2 * interval '1 millisecond' "
                                  "WHERE lease = ANY($1) RETURNING lease, cancel_requested"
                                : "SELECT lease, cancel_requested FROM jobs WHERE lease = ANY($1)",
          parameters));
  std::vector<Held> still;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    const Uuid lease = row.uuid();
    still.push_back({lease, row.boolean()});
  }
  return still;
}

Status JobQueue::write_progress(const TakenJob& taken, const JobProgress& progress) {
  OA_TRY(check_limits(progress));
  return write_held(
      database_, taken.tenant,
      "UPDATE jobs SET step = $3, done = $4, total = $5, unit = $6, "
      "revision = revision + 1 WHERE id = $1 AND lease = $2",
      {Parameter::of(taken.job.id), Parameter::of(taken.lease), Parameter::of(progress.step),
       count(progress.done), count(progress.total), Parameter::of(progress.unit)});
}

Status JobQueue::finish(const TakenJob& taken, const JobEnd& end) {
  OA_TRY(check_limits(end));
  const auto part = [&](std::string JobFailure::*member) { return part_of(end.failure, member); };
  return write_held(
      database_, taken.tenant,
      "UPDATE jobs SET state = $3, result = $4, failure_code = $5, failure_message = $6, "
      "failure_hint = $7, step = $8, done = $9, total = $10, unit = $11, "
      "finished_at = clock_timestamp(), lease = NULL, leased_until = NULL, "
      "revision = revision + 1 WHERE id = $1 AND lease = $2",
      {Parameter::of(taken.job.id), Parameter::of(taken.lease), Parameter::of(to_text(end.state)),
       Parameter::of(end.result), part(&JobFailure::code), part(&JobFailure::message),
       part(&JobFailure::hint), Parameter::of(end.progress.step), count(end.progress.done),
       count(end.progress.total), Parameter::of(end.progress.unit)});
}

namespace {

// Queued again, or over when it was asked to cancel. Without a new failure the last one stays.
Status queue_again(Database& database, const TakenJob& taken, const JobProgress& progress,
                   std::chrono::milliseconds delay, const std::optional<JobFailure>& failure,
                   bool counts) {
  const auto part = [&](std::string JobFailure::*member) { return part_of(failure, member); };
  return write_held(
      database, taken.tenant,
      "UPDATE jobs SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END, "
      "finished_at = CASE WHEN cancel_requested THEN clock_timestamp() END, lease = NULL, "
      "leased_until = NULL, revision = revision + 1, step = $3, done = $4, total = $5, unit = $6, "
      "run_after = clock_timestamp() + $7 * interval '1 millisecond', "
      "failure_code = coalesce($8, failure_code), "
      "failure_message = coalesce($9, failure_message), "
      "failure_hint = coalesce($10, failure_hint), "
      "attempt = attempt - CASE WHEN $11 THEN 0 ELSE 1 END WHERE id = $1 AND lease = $2",
      {Parameter::of(taken.job.id), Parameter::of(taken.lease), Parameter::of(progress.step),
       count(progress.done), count(progress.total), Parameter::of(progress.unit),
       milliseconds(delay), part(&JobFailure::code), part(&JobFailure::message),
       part(&JobFailure::hint), Parameter::of(counts)});
}

}  // namespace

Status JobQueue::retry_later(const TakenJob& taken, std::chrono::milliseconds delay,
                             const JobFailure& failure, const JobProgress& progress) {
  OA_TRY(check_limits(JobEnd{JobState::kFailed, std::nullopt, failure, progress}));
  return queue_again(database_, taken, progress, delay, failure, true);
}

Status JobQueue::put_back(const TakenJob& taken, const JobProgress& progress) {
  OA_TRY(check_limits(progress));
  return queue_again(database_, taken, progress, std::chrono::milliseconds(0), std::nullopt, false);
}

Result<std::vector<std::pair<JobQueue::Key, std::uint64_t>>> JobQueue::revisions(
    std::span<const Key> jobs) {
  std::vector<Uuid> tenants, ids;
  for (const auto& job : jobs) {
    tenants.push_back(job.tenant.uuid());
    ids.push_back(job.id.uuid());
  }
  OA_ASSIGN(auto access, database_.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query("SELECT tenant_id, id, revision FROM unnest($1, $2) AS "
                                      "wanted(tenant_id, id) JOIN jobs USING (tenant_id, id)",
                                      {Parameter::uuids(tenants), Parameter::uuids(ids)}));
  std::vector<std::pair<Key, std::uint64_t>> revisions;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    const auto tenant = row.id<TenantId>();
    const auto id = row.id<JobId>();
    revisions.emplace_back(Key{tenant, id}, static_cast<std::uint64_t>(row.bigint()));
  }
  return revisions;
}

}  // namespace oa::catalog
