// Jobs as rows: what a tenant asked for (under row-level security), and the queue of all tenants'
// jobs as the workers see it (ids, times and leases; nothing of what a tenant asked for).
#pragma once

#include <chrono>
#include <optional>
#include <span>

#include "oa/catalog/database.h"

namespace oa::catalog {

enum class JobState { kQueued, kRunning, kSucceeded, kFailed, kCancelled };
std::string_view to_text(JobState);
inline bool over(JobState state) { return state >= JobState::kSucceeded; }

struct JobProgress {
  std::string step;
  std::uint64_t done = 0, total = 0;  // total 0: not known
  std::string unit;
  bool operator==(const JobProgress&) const = default;
};

/// Why the last attempt failed; `code` is an ErrorInfo::name.
struct JobFailure {
  std::string code, message, hint;
  bool operator==(const JobFailure&) const = default;
};

struct Job {
  JobId id;
  std::string kind;  // "archive.create" …
  JobState state = JobState::kQueued;
  JsonText request;                // what the kind needs
  std::optional<JsonText> result;  // once succeeded
  std::optional<JobFailure> failure;
  JobProgress progress;
  std::optional<UserId> created_by;  // none: the service itself
  std::string trace_id;
  bool cancel_requested = false;
  std::uint32_t attempt = 0;   // 1 while the first runs
  std::uint64_t revision = 0;  // grows with every change
  Timestamp created_at;
  std::optional<Timestamp> started_at, finished_at;
};

/// How many jobs may be queued or running that people of one tenant asked for, and that one person
/// did. Those of the service itself are not counted.
inline constexpr std::size_t kMaxUnfinishedJobs = 1000, kMaxUnfinishedJobsOfPerson = 100;

/// One tenant's jobs. Borrows the transaction.
class Jobs {
 public:
  explicit Jobs(TenantTransaction& transaction) : tx_(transaction) {}
  /// Enqueues; of `job` its id, kind, request, created_by and trace_id are taken. kAlreadyExists
  /// for the id, kRateLimited past kMaxUnfinishedJobs or kMaxUnfinishedJobsOfPerson.
  Status add(const Job& job);
  Result<Job> get(JobId id);
  /// Those of `ids` that there are, by id; meant for some hundred at a time.
  Result<std::vector<Job>> find(std::span<const JobId> ids);
  /// Newest first, behind `after`, those of one person when named; none when `after` is not there.
  Result<std::vector<Job>> list(std::optional<UserId> created_by, std::optional<JobId> after,
                                std::size_t limit);
  /// A queued one is over at once, a running one when its worker notices. kConflict when it is
  /// over.
  Result<Job> request_cancel(JobId id);
  /// Removes jobs that were over before `moment`; how many.
  Result<std::uint64_t> remove_finished_before(Timestamp moment);

 private:
  TenantTransaction& tx_;
};

/// A job that a worker holds until the lease ends or is given back.
struct TakenJob {
  TenantId tenant;
  Uuid lease;
  Job job;
};

/// How an attempt ended.
struct JobEnd {
  JobState state = JobState::kSucceeded;  // one that is over
  std::optional<JsonText> result;
  std::optional<JobFailure> failure;
  JobProgress progress;
};

/// The queue of all tenants' jobs. Thread-safe; every call is a transaction of its own, all moments
/// are of the database's clock. What changes a taken job fails with kConflict, and changes nothing,
/// when its lease is held no more. Borrows the database.
class JobQueue {
 public:
  explicit JobQueue(Database& database) : database_(database) {}

  /// The next job of one of `kinds`: one that is queued and due, or one whose lease has run out; of
  /// the tenant with fewest running ones, among those of the one that was served longest ago, but
  /// of none that has `tenant_limit` running. Within a tenant: of the person with fewest running
  /// ones, among those restores and the service's own jobs first, then of the person who was served
  /// longest ago, then the oldest.
  /// The job's attempt counts this one. None when nothing is due. A job that was taken but cannot
  /// be read is queued again, due in a second, and this is no attempt of it.
  Result<std::optional<TakenJob>> take(std::span<const std::string> kinds,
                                       std::chrono::milliseconds lease, std::size_t tenant_limit);

  struct Held {
    Uuid lease;
    bool cancel_requested = false;
  };
  /// Those of `leases` that are still held; with `extend_by` they last so long from now.
  Result<std::vector<Held>> held(std::span<const Uuid> leases,
                                 std::optional<std::chrono::milliseconds> extend_by);

  Status write_progress(const TakenJob& taken, const JobProgress& progress);
  Status finish(const TakenJob& taken, const JobEnd& end);
  /// Queues it again, due after `delay`; over when it was asked to cancel.
  Status retry_later(const TakenJob& taken, std::chrono::milliseconds delay,
                     const JobFailure& failure, const JobProgress& progress);
  /// Queues it again as if it had not been taken; over when it was asked to cancel.
  Status put_back(const TakenJob& taken, const JobProgress& progress);

  struct Key {
    TenantId tenant;
    JobId id;
    auto operator<=>(const Key&) const = default;
  };
  /// The revisions of those of `jobs` that there are.
  Result<std::vector<std::pair<Key, std::uint64_t>>> revisions(std::span<const Key> jobs);

 private:
  Database& database_;
};

}  // namespace oa::catalog
