// Long operations as rows in Postgres: anybody enqueues, some process takes one, holds its lease by
// heartbeats, reports progress, and a process that dies is replaced by another.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "oa/base/progress.h"
#include "oa/catalog/jobs.h"

namespace oa::jobs {

/// What a kind of job does. Called on a worker's thread. `progress.cancelled()` turns true when
/// somebody cancels the job or this process is shutting down; run() then returns kCancelled at its
/// next safe point (after a shutdown the job is queued again, a cancelled one is over). An error
/// whose table row says `retryable` is tried again after a backoff, up to `attempts`; others fail
/// the job. The same job may run again after a crash at any point: it must be idempotent (derive
/// ids from the job's).
struct Kind {
  std::function<Result<JsonText>(TenantId tenant, const catalog::Job& job, Progress& progress)> run;
  unsigned attempts = 3;
};

/// Told on a worker's thread, for logs and counts; must return soon and not throw.
struct RunnerObserver {
  /// An attempt ended: with `error`, or well.
  std::function<void(TenantId tenant, const catalog::Job& job, const Error* error,
                     std::chrono::milliseconds took)>
      attempted;
  /// The queue could not be asked or written; the runner goes on.
  std::function<void(const Error& error)> trouble;
};

struct RunnerSettings {
  unsigned workers = 2;
  /// Of one tenant's jobs at most so many run at a time, in all processes together.
  std::size_t tenant_limit = 4;
  std::chrono::milliseconds poll{500};  // of the queue when idle, and of requests to cancel
  std::chrono::milliseconds heartbeat{5'000};
  std::chrono::milliseconds lease{20'000};  // a job whose worker is silent so long is taken over
  std::chrono::milliseconds progress_interval{250};  // progress is written at most so often
  /// Before the second attempt; doubles, with jitter, to 60 s.
  std::chrono::milliseconds backoff{2'000};
  RunnerObserver observer = {};
  /// Asked before a job is taken, from several threads; none is taken while it says no.
  std::function<bool()> may_take = {};
};

/// Takes and runs jobs until it is stopped. Several may run over one database, in one or many
/// processes. A job whose lease is lost (its process stood still, or could not reach the database)
/// sees cancelled(), and nothing that it leaves is written. A process that dies counts as an
/// attempt; when there were as many as the kind allows, the job fails with `internal`. So does one
/// that throws.
class Runner {
 public:
  /// `database` is borrowed.
  static std::unique_ptr<Runner> start(catalog::Database& database,
                                       std::map<std::string, Kind> kinds,
                                       const RunnerSettings& settings);
  virtual ~Runner() = default;  // stops
  /// Looks for jobs at once: one was enqueued in this process.
  virtual void wake() = 0;
  /// Takes no more, asks running ones to stop, waits for them; what they did not finish is queued
  /// again, for another process or the next start.
  virtual void stop() = 0;
};

/// Tells of changes of jobs, whichever process makes them: one look at the database every 250 ms
/// while somebody listens, for all listeners together. Thread-safe.
class Watcher {
 public:
  /// Called on the watcher's thread with the job as it is now, first with the one that is there
  /// when its revision is above `after_revision` or it is over; false ends the listening, as does a
  /// job that is over. A job that is not there, or not there any more, ends it uncalled. Must
  /// return soon; may call listen().
  using Listener = std::function<bool(const catalog::Job& job)>;
  /// `database` is borrowed.
  static std::unique_ptr<Watcher> start(
      catalog::Database& database,
      std::chrono::milliseconds interval = std::chrono::milliseconds(250));
  virtual ~Watcher() = default;  // drops all listeners
  /// `wanted` is asked at each look, on the same thread; false ends the listening although nothing
  /// has changed, so that listeners who went away do not pile up.
  virtual void listen(
      TenantId tenant, JobId job, std::uint64_t after_revision, Listener listener,
      std::function<bool()> wanted = [] { return true; }) = 0;
  /// How often it has looked at the database.
  virtual std::uint64_t looks() const = 0;
};

}  // namespace oa::jobs
