#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "oa/jobs/jobs.h"

namespace oa::jobs {
namespace {

using catalog::Job;
using catalog::JobQueue;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLoadedAtOnce = 200;

class PollingWatcher final : public Watcher {
 public:
  PollingWatcher(catalog::Database& database, std::chrono::milliseconds interval)
      : database_(database), queue_(database), interval_(interval), thread_([this] { watch(); }) {}

  ~PollingWatcher() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  void listen(TenantId tenant, JobId job, std::uint64_t after_revision, Listener listener,
              std::function<bool()> wanted) override {
    const std::lock_guard lock(mutex_);
    arrivals_.push_back(
        {{tenant, job}, {after_revision, true, std::move(listener), std::move(wanted)}});
    changed_.notify_all();
  }

  std::uint64_t looks() const override { return looks_; }

 private:
  struct Listening {
    std::uint64_t seen;
    bool fresh;
    Listener listener;
    std::function<bool()> wanted;
  };
  using Key = JobQueue::Key;

  void watch() {
    auto next_look = Clock::now();
    for (;;) {
      std::vector<Key> to_load;
      {
        std::unique_lock lock(mutex_);
        const auto wanted = [&] { return over_ || !arrivals_.empty(); };
        if (listening_.empty()) {
          changed_.wait(lock, wanted);
        } else {
          changed_.wait_until(lock, next_look, wanted);
        }
        if (over_) return;
        for (auto& [key, listening] : arrivals_) {
          to_load.push_back(key);
          listening_[key].push_back(std::move(listening));
        }
        arrivals_.clear();
      }
      if (Clock::now() >= next_look) {
        look(to_load);
        next_look = Clock::now() + interval_;
      }
      load(std::move(to_load));
    }
  }

  // Adds what has changed since it was told of.
  void look(std::vector<Key>& to_load) {
    for (auto watched = listening_.begin(); watched != listening_.end();) {
      std::erase_if(watched->second, [](const Listening& each) { return !each.wanted(); });
      watched = watched->second.empty() ? listening_.erase(watched) : std::next(watched);
    }
    if (listening_.empty()) return;
    std::vector<Key> keys;
    for (const auto& [key, listeners] : listening_) keys.push_back(key);
    ++looks_;
    const auto revisions = queue_.revisions(keys);
    if (!revisions.ok()) return;  // the next look may find the database
    std::map<Key, std::uint64_t> found(revisions->begin(), revisions->end());
    for (const auto& key : keys) {
      const auto revision = found.find(key);
      if (revision == found.end()) {
        listening_.erase(key);
        continue;
      }
      const auto behind = [&](const Listening& each) {
        return each.fresh || each.seen < revision->second;
      };
      if (std::ranges::any_of(listening_[key], behind)) to_load.push_back(key);
    }
  }

  void load(std::vector<Key> keys) {
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (std::size_t at = 0; at < keys.size();) {
      std::vector<JobId> ids;
      const TenantId tenant = keys[at].tenant;
      for (; at < keys.size() && keys[at].tenant == tenant && ids.size() < kLoadedAtOnce; ++at)
        ids.push_back(keys[at].id);
      tell(tenant, ids);
    }
  }

  void tell(TenantId tenant, const std::vector<JobId>& ids) {
    ++looks_;
    const auto jobs = find(tenant, ids);
    if (!jobs.ok()) return;  // they are still behind at the next look
    for (const Job& job : *jobs) tell(tenant, job);
  }

  Result<std::vector<Job>> find(TenantId tenant, const std::vector<JobId>& ids) {
    OA_ASSIGN(auto transaction, database_.begin(tenant));
    return catalog::Jobs(transaction).find(ids);
  }

  void tell(TenantId tenant, const Job& job) {
    const auto listeners = listening_.find({tenant, job.id});
    if (listeners == listening_.end()) return;
    const auto done = [&](Listening& each) {
      const bool news = each.seen < job.revision || (each.fresh && over(job.state));
      each.fresh = false;
      if (!news) return false;
      each.seen = job.revision;
      try {
        return !each.listener(job) || over(job.state);
      } catch (...) {
        return true;
      }
    };
    std::erase_if(listeners->second, done);
    if (listeners->second.empty()) listening_.erase(listeners);
  }

  catalog::Database& database_;
  JobQueue queue_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::vector<std::pair<Key, Listening>> arrivals_;
  std::atomic<std::uint64_t> looks_ = 0;
  std::map<Key, std::vector<Listening>> listening_;  // of the thread alone
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Watcher> Watcher::start(catalog::Database& database,
                                        std::chrono::milliseconds interval) {
  return std::make_unique<PollingWatcher>(database, interval);
}

}  // namespace oa::jobs
