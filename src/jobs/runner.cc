#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <random>
#include <set>
#include <thread>

#include "oa/jobs/jobs.h"
#include "running_job.h"

namespace oa::jobs {
namespace {

using catalog::JobEnd;
using catalog::JobFailure;
using catalog::JobState;
using catalog::TakenJob;
using Clock = RunningJob::Clock;
using std::chrono::milliseconds;

constexpr milliseconds kLongestBackoff{60'000};
constexpr std::size_t kMaxTextBytes = 4096;

std::string clipped(std::string text) {
  if (text.size() <= kMaxTextBytes) return text;
  text.resize(kMaxTextBytes);
  for (int i = 0; i < 3 && !is_utf8(text); ++i) text.pop_back();
  return text;
}

// Its cause is not for the tenant.
JobFailure failure_of(const Error& error) {
  return {std::string(error_info(error.code).name), clipped(error.message), clipped(error.hint)};
}

Error internal(std::string message) {
  return make_error(ErrorCode::kInternal, "jobs.run", std::move(message));
}

// Doubles with each attempt, between three quarters and five quarters of that.
milliseconds backoff_of(milliseconds first, std::uint32_t attempt) {
  const auto doubled =
      std::min(kLongestBackoff, first * (std::int64_t{1} << std::min(attempt - 1, 16u)));
  thread_local std::minstd_rand generator{std::random_device{}()};
  return milliseconds(
      std::uniform_int_distribution(doubled.count() * 3 / 4, doubled.count() * 5 / 4)(generator));
}

class PoolRunner final : public Runner {
 public:
  PoolRunner(catalog::Database& database, std::map<std::string, Kind> kinds,
             const RunnerSettings& settings)
      : queue_(database), kinds_(std::move(kinds)), settings_(settings) {
    for (const auto& [name, kind] : kinds_) names_.push_back(name);
    keeper_ = std::thread([this] { keep(); });
    for (unsigned i = 0; i < settings_.workers; ++i) workers_.emplace_back([this] { work(); });
  }

  ~PoolRunner() override { PoolRunner::stop(); }

  void wake() override {
    const std::lock_guard lock(mutex_);
    ++wakes_;
    changed_.notify_all();
  }

  void stop() override {
    const std::lock_guard once(stop_mutex_);
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    if (keeper_.joinable()) keeper_.join();
  }

 private:
  void trouble(const Error& error) const {
    if (settings_.observer.trouble) settings_.observer.trouble(error);
  }

  void work() {
    for (std::uint64_t seen = 0; !stopping_;) {
      {
        const std::lock_guard lock(mutex_);
        seen = wakes_;
      }
      const auto before = Clock::now();
      if (settings_.may_take && !settings_.may_take()) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, settings_.poll, [&] { return static_cast<bool>(stopping_); });
        continue;
      }
      auto taken = queue_.take(names_, settings_.lease, settings_.tenant_limit);
      if (taken.ok() && taken->has_value()) {
        run(std::move(**taken), before);
        continue;
      }
      if (!taken.ok()) trouble(taken.error());
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, settings_.poll, [&] { return stopping_ || wakes_ != seen; });
    }
  }

  void run(TakenJob taken, Clock::time_point before) {
    const auto job = std::make_shared<RunningJob>(std::move(taken), stopping_, before);
    {
      const std::lock_guard lock(mutex_);
      running_.insert(job);
      changed_.notify_all();
    }
    const auto& kind = kinds_.at(job->taken().job.kind);
    const auto result = outcome(kind, *job);
    settle(kind, *job, result);
    if (settings_.observer.attempted) {
      settings_.observer.attempted(job->taken().tenant, job->taken().job,
                                   result.ok() ? nullptr : &result.error(),
                                   std::chrono::duration_cast<milliseconds>(Clock::now() - before));
    }
    const std::lock_guard lock(mutex_);
    running_.erase(job);
  }

  static Result<JsonText> outcome(const Kind& kind, RunningJob& running) {
    const auto& [tenant, lease, job] = running.taken();
    if (job.cancel_requested)
      return make_error(ErrorCode::kCancelled, "jobs.run", "cancelled before it ran again");
    if (job.attempt > kind.attempts) {
      return internal(
          fmt::format("the process that ran it ended before it was done, {} times", kind.attempts));
    }
    try {
      return kind.run(tenant, job, running);
    } catch (const std::exception& exception) {
      return internal("a defect in this program ended the job").with_cause(exception.what());
    } catch (...) {
      return internal("a defect in this program ended the job");
    }
  }

  // Writes what became of the attempt, however long that takes while the lease holds. Otherwise the
  // lease runs out, and the job runs again.
  void settle(const Kind& kind, const RunningJob& job, const Result<JsonText>& result) {
    Status written = write_outcome(kind, job, result);
    while (!written.ok() && error_info(written.error().code).retryable && !job.lost()) {
      trouble(written.error());
      if (stopping_) return;
      std::this_thread::sleep_for(settings_.poll);
      written = write_outcome(kind, job, result);
    }
    if (written.ok() || written.error().code == ErrorCode::kConflict) return;
    trouble(written.error());
    // What it left cannot be stored.
    const auto error = internal("what the job left could not be kept");
    (void)queue_.finish(job.taken(), {JobState::kFailed, std::nullopt, failure_of(error), {}});
  }

  Status write_outcome(const Kind& kind, const RunningJob& job, const Result<JsonText>& result) {
    const auto progress = job.progress();
    if (result.ok()) {
      return queue_.finish(job.taken(),
                           {JobState::kSucceeded, result.value(), std::nullopt, progress});
    }
    const Error& error = result.error();
    const bool retryable = error_info(error.code).retryable;
    const std::uint32_t attempt = job.taken().job.attempt;
    if (job.cancel_requested() && retryable)
      return queue_.finish(job.taken(),
                           {JobState::kCancelled, std::nullopt, std::nullopt, progress});
    if (stopping_ && error.code == ErrorCode::kCancelled)
      return queue_.put_back(job.taken(), progress);
    if (retryable && attempt < kind.attempts) {
      return queue_.retry_later(job.taken(), backoff_of(settings_.backoff, attempt),
                                failure_of(error), progress);
    }
    return queue_.finish(job.taken(),
                         {JobState::kFailed, std::nullopt, failure_of(error), progress});
  }

  void keep() {
    auto next_look = Clock::now(), next_heartbeat = Clock::now();
    for (;;) {
      std::vector<std::shared_ptr<RunningJob>> running;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return over_ || !running_.empty(); });
        if (over_) return;
        changed_.wait_for(lock, settings_.progress_interval, [&] { return over_; });
        running.assign(running_.begin(), running_.end());
      }
      write_progress(running);
      const auto now = Clock::now();
      if (now < next_look && now < next_heartbeat) continue;
      const bool extend = now >= next_heartbeat;
      next_look = now + settings_.poll;
      if (extend) next_heartbeat = now + settings_.heartbeat;
      look_after(running, extend, now);
    }
  }

  void write_progress(const std::vector<std::shared_ptr<RunningJob>>& running) {
    for (const auto& job : running) {
      if (job->lost()) continue;
      const auto progress = job->unwritten_progress();
      if (!progress.has_value()) continue;
      // What is not written now comes with the next change or the end.
      const Status written = queue_.write_progress(job->taken(), *progress);
      if (written.ok()) continue;
      // It ended since `running` was read, or somebody else has it.
      if (written.error().code == ErrorCode::kConflict) {
        job->lose();
      } else {
        trouble(written.error());
      }
    }
  }

  // Extends the leases, or only asks whether somebody wants a job cancelled.
  void look_after(const std::vector<std::shared_ptr<RunningJob>>& running, bool extend,
                  Clock::time_point now) {
    std::vector<Uuid> leases;
    for (const auto& job : running) leases.push_back(job->taken().lease);
    if (leases.empty()) return;
    const auto held = queue_.held(leases, extend ? std::optional(settings_.lease) : std::nullopt);
    if (!held.ok()) trouble(held.error());
    for (const auto& job : running) {
      if (!held.ok()) {
        if (now - job->leased_at() >= settings_.lease) job->lose();
        continue;
      }
      const auto mine =
          std::ranges::find(*held, job->taken().lease, &catalog::JobQueue::Held::lease);
      if (mine == held->end()) {
        job->lose();
        continue;
      }
      if (extend) job->extended(now);
      if (mine->cancel_requested) job->request_cancel();
    }
  }

  catalog::JobQueue queue_;
  const std::map<std::string, Kind> kinds_;
  const RunnerSettings settings_;
  std::vector<std::string> names_;
  std::mutex mutex_, stop_mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_ = false;
  bool over_ = false;
  std::uint64_t wakes_ = 0;
  std::set<std::shared_ptr<RunningJob>> running_;
  std::thread keeper_;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Runner> Runner::start(catalog::Database& database,
                                      std::map<std::string, Kind> kinds,
                                      const RunnerSettings& settings) {
  return std::make_unique<PoolRunner>(database, std::move(kinds), settings);
}

}  // namespace oa::jobs
