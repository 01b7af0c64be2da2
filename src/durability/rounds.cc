#include "oa/durability/rounds.h"

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "oa/objects/damage_log.h"

namespace oa::durability {
namespace {

using catalog::DurabilityKind;
constexpr std::int64_t kHourUs = std::int64_t{3600} * 1'000'000;
constexpr int kDailyHours = 24, kAgainHours = 1;  // after a success, after a failure

class Stop final : public Progress {
 public:
  void begin(std::string_view, std::uint64_t, std::string_view) override {}
  void update(std::uint64_t) override {}
  bool cancelled() const override { return asked_; }
  void ask() { asked_ = true; }

 private:
  std::atomic<bool> asked_ = false;
};

class Running final : public Rounds {
 public:
  Running(const ScrubParts& parts, RoundSettings settings)
      : parts_(parts), settings_(std::move(settings)), thread_([this] { run(); }) {}
  ~Running() override {
    {
      const std::lock_guard lock(mutex_);
      stop_.ask();
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void run() {
    for (;;) {
      if (settings_.damaged) {
        for (const auto& [key, version] : settings_.damaged()) damage_log().note(key, version);
      }
      tell("suspects", suspect_damage(parts_.database), false);
      const auto ours = take_turn();
      if (!ours.ok())
        tell("turn", ours.error(), false);
      else if (*ours)
        round();
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, settings_.tick, [this] { return stop_.cancelled(); })) return;
    }
  }

  Result<bool> take_turn() {
    if (lock_.has_value() && lock_->holds()) return true;
    lock_.reset();
    OA_ASSIGN(lock_, parts_.database.lock_session(kDurabilityLock));
    return lock_.has_value();
  }

  void round() {
    const Timestamp now = Timestamp::now();
    if (settings_.check && is_due(DurabilityKind::kBucket, now)) {
      const auto found = settings_.check();
      tell("bucket-check", found.ok() ? Status() : found.error(), true);
      tell("bucket-check", record_check(parts_.database, found, now), false);
    }
    scrub_some();
    if (!stop_.cancelled() && is_due(DurabilityKind::kCoverage, now)) {
      const auto covered = record_coverage(parts_.database, settings_.days, now);
      tell("coverage", covered.ok() ? Status() : covered.error(), false);
    }
  }

  void scrub_some() {
    const auto tenants = parts_.database.list_tenants();
    if (!tenants.ok()) return tell("scrub", tenants.error(), true);
    std::vector<TenantId> ids;
    for (const auto& tenant : *tenants) ids.push_back(tenant.id);
    // Another one begins each time, so that nobody waits behind one that never ends.
    if (!ids.empty())
      std::ranges::rotate(ids, ids.begin() + static_cast<std::ptrdiff_t>(turn_++ % ids.size()));
    ScrubSettings scrubbing;
    scrubbing.days = settings_.days;
    scrubbing.bytes_per_second = settings_.bytes_per_second;
    scrubbing.at_most = settings_.at_most;
    const auto result = scrub(parts_, ids, scrubbing, stop_);
    if (stop_.cancelled()) return;
    if (!result.ok()) return tell("scrub", result.error(), true);
    for (const auto& trouble : result->troubles) tell("scrub", trouble.error, true);
    if (result->troubles.empty()) tell("scrub", Status(), true);
  }

  bool is_due(DurabilityKind kind, Timestamp now) {
    const auto last = catalog::DurabilityRecords(parts_.database).last(kind);
    if (!last.ok() || !last->has_value()) return last.ok();
    const auto body = parse_json((*last)->body);
    const bool failed = body.ok() && body->as_object().contains("failed");
    return now.unix_us - (*last)->made_at.unix_us >=
           (failed ? kAgainHours : kDailyHours) * kHourUs;
  }

  void tell(const char* what, const Status& status, bool success_too) {
    if (settings_.done && (success_too || !status.ok()))
      settings_.done(what, status.ok() ? "succeeded"
                                       : std::string(error_info(status.error().code).name));
    if (!status.ok() && settings_.trouble) settings_.trouble(what, status.error());
  }

  const ScrubParts parts_;
  const RoundSettings settings_;
  Stop stop_;
  std::optional<catalog::SessionLock> lock_;
  std::size_t turn_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Rounds> Rounds::start(const ScrubParts& parts, RoundSettings settings) {
  return std::make_unique<Running>(parts, std::move(settings));
}

}  // namespace oa::durability
