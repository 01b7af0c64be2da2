#include "oa/catalog/jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "bulk_writer.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

constexpr const char* kColumns =
    "id, kind, state, request, result, failure_code, failure_message, failure_hint, step, done, "
    "total, unit, created_by, trace_id, cancel_requested, attempt, revision, created_at, "
    "started_at, finished_at";

Result<Job> read_job(const Rows& rows, int index) {
  RowReader row(rows, index);
  Job job;
  job.id = row.id<JobId>();
  job.kind = row.text();
  OA_ASSIGN(job.state, row.enumerator<JobState>());
  OA_ASSIGN(job.request, row.json());
  OA_ASSIGN(job.result, row.optional_json());
  auto code = row.optional_text();
  auto message = row.optional_text();
  auto hint = row.optional_text();
  if (code.has_value()) {
    job.failure = JobFailure{std::move(*code), message.value_or(""), hint.value_or("")};
  }
  job.progress.step = row.text();
  job.progress.done = static_cast<std::uint64_t>(row.bigint());
  job.progress.total = static_cast<std::uint64_t>(row.bigint());
  job.progress.unit = row.text();
  if (const auto user = row.optional_uuid()) job.created_by = UserId(*user);
  job.trace_id = row.text();
  job.cancel_requested = row.boolean();
  job.attempt = static_cast<std::uint32_t>(row.bigint());
  job.revision = static_cast<std::uint64_t>(row.bigint());
  job.created_at = row.timestamp();
  job.started_at = row.optional_timestamp();
  job.finished_at = row.optional_timestamp();
  return job;
}

Result<std::vector<Job>> read_jobs(Connection& connection, const std::string& sql,
                                   const std::vector<Parameter>& parameters) {
  OA_ASSIGN(const Rows rows, connection.query(sql.c_str(), parameters));
  std::vector<Job> jobs;
  for (int i = 0; i < rows.count(); ++i) {
    OA_ASSIGN(Job job, read_job(rows, i));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Result<std::vector<Job>> select_jobs(Connection& connection, const char* rest,
                                     const std::vector<Parameter>& parameters) {
  return read_jobs(connection, fmt::format("SELECT {} FROM jobs {}", kColumns, rest), parameters);
}

Error too_many(std::string what) {
  return make_error(ErrorCode::kRateLimited, "jobs.add", std::move(what))
      .with_hint("wait for them, or cancel some");
}

Status check_queue(Connection& connection, UserId person) {
  OA_ASSIGN(const Rows rows,
            connection.query("SELECT count(*), count(*) FILTER (WHERE created_by = $1) FROM jobs "
                             "WHERE state IN ('queued', 'running') AND created_by IS NOT NULL",
                             {Parameter::of(person)}));
  RowReader row(rows, 0);
  const std::int64_t of_tenant = row.bigint(), of_person = row.bigint();
  if (of_person >= static_cast<std::int64_t>(kMaxUnfinishedJobsOfPerson))
    return too_many(fmt::format("{} of your operations are not done yet", of_person));
  if (of_tenant >= static_cast<std::int64_t>(kMaxUnfinishedJobs)) {
    return too_many(fmt::format("{} operations of the organisation are not done yet", of_tenant));
  }
  return {};
}

}  // namespace

Status Jobs::add(const Job& job) {
  OA_TRY(check_limits(job));
  auto& connection = tx_.connection();
  if (job.created_by.has_value()) OA_TRY(check_queue(connection, *job.created_by));
  OA_ASSIGN(
      const Rows rows,
      connection.query("INSERT INTO jobs (id, kind, state, request, created_by, trace_id) "
                       "VALUES ($1, $2, 'queued', $3, $4, $5) ON CONFLICT DO NOTHING",
                       {Parameter::of(job.id), Parameter::of(job.kind), Parameter::of(job.request),
                        Parameter::of(job.created_by), Parameter::of(job.trace_id)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kAlreadyExists, "jobs.add", "a job of this id exists");
}

Result<Job> Jobs::get(JobId id) {
  OA_ASSIGN(auto jobs, select_jobs(tx_.connection(), "WHERE id = $1", {Parameter::of(id)}));
  if (!jobs.empty()) return std::move(jobs.front());
  return make_error(ErrorCode::kNotFound, "jobs.get", "no job has this id");
}

Result<std::vector<Job>> Jobs::find(std::span<const JobId> ids) {
  return select_jobs(tx_.connection(), "WHERE id = ANY($1) ORDER BY id",
                     {Parameter::uuids(uuids_of(ids))});
}

Result<std::vector<Job>> Jobs::list(std::optional<UserId> created_by, std::optional<JobId> after,
                                    std::size_t limit) {
  return select_jobs(tx_.connection(),
                     "WHERE ($3::uuid IS NULL OR created_by = $3) AND ($1::uuid IS NULL OR "
                     "(created_at, id) < (SELECT a.created_at, a.id FROM jobs a WHERE a.id = $1)) "
                     "ORDER BY created_at DESC, id DESC LIMIT $2",
                     {Parameter::of(after),
                      Parameter::of(static_cast<std::int64_t>(std::min(limit, kMaxUnfinishedJobs))),
                      Parameter::of(created_by)});
}

Result<Job> Jobs::request_cancel(JobId id) {
  OA_ASSIGN(auto jobs,
            read_jobs(tx_.connection(),
                      fmt::format("UPDATE jobs SET cancel_requested = true, "
                                  "revision = revision + 1, "
                                  "state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state "
                                  "END, finished_at = CASE state WHEN 'queued' THEN now() END "
                                  "WHERE id = $1 AND state IN ('queued', 'running') RETURNING {}",
                                  kColumns),
                      {Parameter::of(id)}));
  if (!jobs.empty()) return std::move(jobs.front());
  OA_TRY(get(id));
  return make_error(ErrorCode::kConflict, "jobs.cancel", "the job is over already");
}

Result<std::uint64_t> Jobs::remove_finished_before(Timestamp moment) {
  OA_ASSIGN(const Rows rows, tx_.connection().query("DELETE FROM jobs WHERE finished_at < $1",
                                                    {Parameter::of(moment)}));
  return rows.affected();
}

}  // namespace oa::catalog
