#include "drill_rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "oa/api/served_api.h"
#include "oa/drill/drill.h"

namespace oa::api {
namespace {

constexpr auto kTick = std::chrono::minutes(1);
constexpr std::size_t kMaxWaiting = 100;
constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr std::int64_t kCleanUs = std::int64_t{5} * 60 * 1'000'000;
constexpr int kFirstDays = 14;

class RunningRounds final : public DrillRounds {
 public:
  RunningRounds(instance::Instance& instance, Measures& measures, DrillSettings settings)
      : instance_(instance),
        measures_(measures),
        settings_(std::move(settings)),
        progress_(*this),
        thread_([this] { run(); }) {}
  ~RunningRounds() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  Status ask(DrillSubject subject) override {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(asked_, subject) != asked_.end())
      return make_error(ErrorCode::kConflict, "drill.run",
                        subject.tenant.has_value() ? "a drill of this tenant waits already"
                                                   : "a drill of the cell waits already");
    if (asked_.size() >= kMaxWaiting)
      return make_error(ErrorCode::kLimitExceeded, "drill.run", "too many drills wait");
    asked_.push_back(subject);
    wake_.notify_all();
    return {};
  }

 private:
  // Ends a drill when the service does.
  class Stopping final : public Progress {
   public:
    explicit Stopping(RunningRounds& rounds) : rounds_(rounds) {}
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void update(std::uint64_t) override {}
    bool cancelled() const override {
      const std::lock_guard lock(rounds_.mutex_);
      return rounds_.stopping_;
    }

   private:
    RunningRounds& rounds_;
  };

  void run() {
    for (;;) {
      if (instance_.erasures().check().ok()) tell("drills", look());
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, kTick, [this] { return stopping_ || !asked_.empty(); }) && stopping_)
        return;
    }
  }

  Status look() {
    const Timestamp now = Timestamp::now();
    OA_ASSIGN(const auto next, next_subject(now));
    if (!next.has_value() && now.unix_us < cleaned_.unix_us + kCleanUs) return {};
    OA_ASSIGN(const auto lock, instance_.database().lock_session(catalog::kDrillLock));
    if (!lock.has_value()) return {};  // another process drills
    OA_TRY(drill::take_down_kept(instance_, now, false, progress_));
    cleaned_ = now;
    return next.has_value() ? drill_one(*next) : Status();
  }

  // What an operator asked for; else who is in the quarter's sample and was not drilled in it; else the
  // cell, when that was not.
  Result<std::optional<DrillSubject>> next_subject(Timestamp now) {
    {
      const std::lock_guard lock(mutex_);
      if (!asked_.empty()) return std::optional(asked_.front());
    }
    if (settings_.sample == 0 || !is_drill_time(now) || now < not_before_)
      return std::optional<DrillSubject>();
    const std::string quarter = drill::quarter_of(now);
    OA_ASSIGN(auto candidates, drill::candidates_of(instance_.database()));
    // As it was when the quarter began, so that a drill does not change whom the sample has.
    for (auto& candidate : candidates)
      if (candidate.last.has_value() && drill::quarter_of(*candidate.last) == quarter)
        candidate.last.reset();
    const auto sample =
        drill::choose_sample(std::move(candidates), quarter, settings_.sample, now);
    for (const auto& tenant : sample) {
      OA_ASSIGN(const bool drilled, drilled_in(tenant, quarter));
      if (!drilled) return std::optional(DrillSubject{tenant});
    }
    const auto* cell = instance_.cell();
    if (cell == nullptr || now.unix_us < cell->created_at().unix_us + kDayUs)
      return std::optional<DrillSubject>();
    OA_ASSIGN(const bool drilled, drilled_in(cell->id(), quarter));
    return drilled ? std::nullopt : std::optional(DrillSubject{});
  }

  Result<bool> drilled_in(TenantId source, const std::string& quarter) {
    OA_ASSIGN(const auto last, catalog::Drills(instance_.database()).of_tenant(source, 1));
    return !last.empty() && last.front().number.has_value() &&
           drill::quarter_of(last.front().started_at) == quarter;
  }

  Status drill_one(DrillSubject subject) {
    const Status done = subject.tenant.has_value() ? serve_and_drill(*subject.tenant) : drill_cell();
    // What could not even be recorded would be tried again each minute.
    if (!done.ok()) not_before_ = Timestamp{Timestamp::now().unix_us + kDayUs / 24};
    const std::lock_guard lock(mutex_);
    std::erase(asked_, subject);
    return done;
  }

  Status serve_and_drill(TenantId tenant) {
    OA_ASSIGN(const auto server, settings_.serve());
    drill::Settings settings;
    settings.url = fmt::format("http://127.0.0.1:{}", server->port());
    settings.seed = drill::quarter_of(Timestamp::now());
    auto done = drill::run_tenant_drill(instance_, tenant, settings, progress_);
    server->stop(std::chrono::seconds(1));
    return outcome(done);
  }

  Status drill_cell() {
    drill::CellSettings settings;
    settings.seed = drill::quarter_of(Timestamp::now());
    settings.serve = [](instance::Instance& recovered) { return serve_for_drill(recovered, 0); };
    return outcome(drill::run_cell_drill(instance_, settings, progress_));
  }

  static Status outcome(const Result<drill::Drill>& done) {
    if (!done.ok()) return done.error();
    if (done->state == drill::StepState::kSuccessful) return {};
    const auto& step = done->steps.back();
    return make_error(ErrorCode::kDrillFailed, "drill",
                      fmt::format("drill {} is {} at {}", done->id.str(),
                                  drill::to_text(done->state), step.name))
        .with_cause(step.code);
  }

  void tell(const char* what, const Status& done) {
    const auto outcome = done.ok() ? "succeeded" : error_info(done.error().code).name;
    measures_.add_round(what, std::string(outcome));
    if (done.ok() || !settings_.log) return;
    settings_.log(json::serialize(json::object{{"level", "error"},
                                               {"ts", Timestamp::now().rfc3339()},
                                               {"operation", what},
                                               {"code", error_info(done.error().code).name},
                                               {"op", done.error().op},
                                               {"cause", done.error().message + " " + done.error().cause}}));
  }

  instance::Instance& instance_;
  Measures& measures_;
  const DrillSettings settings_;
  Stopping progress_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<DrillSubject> asked_;
  Timestamp cleaned_, not_before_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

bool is_drill_time(Timestamp now) {
  return drill::quarter_of({now.unix_us - kFirstDays * kDayUs}) == drill::quarter_of(now);
}

std::unique_ptr<DrillRounds> DrillRounds::start(instance::Instance& instance, Measures& measures,
                                                DrillSettings settings) {
  return std::make_unique<RunningRounds>(instance, measures, std::move(settings));
}

}  // namespace oa::api
