#include "schedules.h"

#include <boost/json.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "oa/backup/archive_removal.h"
#include "oa/continuity/retention.h"
#include "oa/datasets/datasets.h"
#include "oa/operations/privacy.h"
#include "oa/privacy/audit_retention.h"
#include "oa/uploads/uploads.h"

namespace oa::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 24 * 3600 * kSecond;
constexpr auto kTick = std::chrono::minutes(1);
constexpr int kTicksPerSweep = 60, kTicksPerBucketSweep = 24 * 60;
constexpr int kPlanDays = 1, kJobDays = 30, kAnswerDays = 1, kTokenDays = 90;

std::int64_t period_of(catalog::ScheduleFrequency frequency) {
  return frequency == catalog::ScheduleFrequency::kWeekly ? 7 * kDay : kDay;
}

Timestamp days_before(Timestamp now, int days) { return {now.unix_us - days * kDay}; }

}  // namespace

std::optional<Timestamp> first_run(catalog::ScheduleFrequency frequency, Timestamp now) {
  if (frequency == catalog::ScheduleFrequency::kOff) return std::nullopt;
  return now;
}

Timestamp next_run(catalog::ScheduleFrequency frequency, Timestamp due, Timestamp now) {
  const std::int64_t period = period_of(frequency);
  const std::int64_t missed = std::max<std::int64_t>(0, (now.unix_us - due.unix_us) / period);
  return {due.unix_us + (missed + 1) * period};
}

Status run_schedule(catalog::Database& database, TenantId tenant, Timestamp now) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  catalog::BackupSchedules schedules(transaction);
  OA_ASSIGN(const auto seen, schedules.get());
  if (!seen.next_run_at.has_value() || *seen.next_run_at > now) return {};
  OA_ASSIGN(auto schedule, schedules.lock());  // another process may have been quicker
  if (!schedule.next_run_at.has_value() || *schedule.next_run_at > now) return {};
  operations::CreateArchive operation;
  operation.rows = schedule.with_rows;
  operation.audit = schedule.with_audit;
  operation.origin = catalog::ArchiveOrigin::kScheduled;
  operation.expires_at = Timestamp{now.unix_us + schedule.keep_days * kDay};
  OA_TRY(catalog::Jobs(transaction).add(operations::job_of(operation, std::nullopt, "")));
  schedule.next_run_at = next_run(schedule.frequency, *schedule.next_run_at, now);
  schedule.last_run_at = now;
  OA_TRY(schedules.put(schedule));
  return transaction.commit();
}

namespace {

Status sweep_rows(catalog::Database& database, TenantId tenant, Timestamp now) {
  OA_ASSIGN(auto transaction, database.begin(tenant));
  OA_TRY(catalog::Restores(transaction).remove_planned_before(days_before(now, kPlanDays)));
  OA_TRY(catalog::Jobs(transaction).remove_finished_before(days_before(now, kJobDays)));
  OA_TRY(catalog::IdempotentAnswers(transaction).remove_before(days_before(now, kAnswerDays)));
  OA_TRY(catalog::Tokens(transaction).remove_ended_before(days_before(now, kTokenDays)));
  return transaction.commit();
}

Status remove_expired(instance::Instance& instance, TenantId tenant, Timestamp now) {
  std::vector<catalog::ArchiveRecord> expired;
  {
    OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(expired, catalog::Archives(snapshot).expired(now));
  }
  Status first;
  for (const auto& record : expired) {
    const Status removed = backup::remove_archive(instance.database(), instance.objects(), tenant,
                                                  record.id, std::nullopt);
    if (removed.ok()) continue;
    const ErrorCode code = removed.error().code;  // in use, or somebody was quicker
    if (code == ErrorCode::kConflict || code == ErrorCode::kNotFound) continue;
    if (first.ok()) first = removed;
  }
  return first;
}

Status sweep_restores(instance::Instance& instance, TenantId tenant, Timestamp now) {
  {
    // restore::sweep() waits for a restore that is running; the next look comes in an hour.
    OA_ASSIGN(auto transaction, instance.database().begin(tenant));
    OA_ASSIGN(const bool idle, transaction.try_queue_for_restore());
    if (!idle) return {};
  }
  OA_ASSIGN(const auto place, operations::workplace_of(instance, tenant));
  OA_TRY(restore::sweep(place.engine(instance, tenant), now));
  return {};
}

// Rows and originals that are past what the plan and the documentation promise.
Status sweep_retention(instance::Instance& instance, TenantId tenant, Timestamp now) {
  auto& database = instance.database();
  OA_ASSIGN(const auto plans,
            catalog::CellCatalog(database).plans_since(continuity::regret_begins(now)));
  std::vector<catalog::Plan> own;
  for (const auto& [id, plan] : plans)
    if (id == tenant) own.push_back(plan);
  const auto removed =
      continuity::remove_row_versions(database, instance.objects().store(), tenant,
                                      continuity::kept_days(own), now, no_progress());
  if (!removed.ok()) return removed.error();
  datasets::DatasetService datasets({database, instance.objects(), instance.keys()}, tenant);
  const auto originals = datasets.expire_originals(now, {"system", std::nullopt, "", {}}, no_progress());
  return originals.ok() ? Status() : Status(originals.error());
}

template <class T>
Status status_of(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

// Events that are past what the plan promises, behind a checkpoint that the ledger's key signs.
Status retire_events(instance::Instance& instance, TenantId tenant, Timestamp now) {
  OA_ASSIGN(auto* const ledger, instance.erasures().ledger());
  catalog::Tenant own;
  {
    OA_ASSIGN(auto transaction, instance.database().begin(tenant));
    OA_ASSIGN(own, transaction.own_tenant());
  }
  return status_of(privacy::retire_audit_events(instance.database(), *ledger, own, now));
}

}  // namespace

Status sweep_tenant(instance::Instance& instance, TenantId tenant, Timestamp now) {
  auto& database = instance.database();
  auto& objects = instance.objects();
  // What fails keeps nothing else from being swept.
  const Status steps[] = {
      sweep_rows(database, tenant, now), remove_expired(instance, tenant, now),
      status_of(backup::sweep_archives(database, objects, tenant, now)),
      status_of(uploads::Uploads(database, objects, tenant).sweep(now)),
      sweep_restores(instance, tenant, now), sweep_retention(instance, tenant, now),
      status_of(operations::remove_expired_exports(instance, tenant)),
      status_of(operations::sweep_exports(instance, tenant, now)),
      retire_events(instance, tenant, now)};
  for (const Status& step : steps) OA_TRY(step);
  return {};
}

namespace {

class RunningSchedules final : public Schedules {
 public:
  RunningSchedules(Parts& parts, Measures& measures, std::function<void(const std::string&)> log)
      : parts_(parts), measures_(measures), log_(std::move(log)), thread_([this] { run(); }) {}
  ~RunningSchedules() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void run() {
    for (int tick = 0;; ++tick) {
      look(tick % kTicksPerSweep == 0);
      if (tick % kTicksPerBucketSweep == 0) tell("bucket-sweep", sweep_bucket());
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, kTick, [this] { return stopping_; })) return;
    }
  }

  Status sweep_operator(Timestamp now) {
    OA_ASSIGN(auto access, parts_.instance.database().as_operator());
    OA_TRY(catalog::OperatorAnswers(access).remove_before(days_before(now, kAnswerDays)));
    return {};
  }

  // Segments of writers that died. Lists all of them, so not every hour.
  Status sweep_bucket() {
    S3Store* const bucket = parts_.instance.bucket();
    if (bucket == nullptr) return {};
    OA_ASSIGN(const auto swept, bucket->sweep());
    if (log_ && swept.uploads > 0) {
      log_(json::serialize(json::object{{"level", "info"},
                                        {"ts", Timestamp::now().rfc3339()},
                                        {"operation", "bucket-sweep"},
                                        {"uploads", swept.uploads},
                                        {"segments", swept.segments}}));
    }
    return {};
  }

  // Every entry is read: what is damaged is told before somebody needs it.
  Status verify_ledger() {
    OA_ASSIGN(auto* const ledger, parts_.instance.erasures().ledger());
    constexpr std::size_t kPage = 500;
    for (privacy::LedgerMark mark = ledger->begin();;) {
      OA_ASSIGN(const auto entries, ledger->after(mark, kPage));
      if (entries.empty()) return {};
      mark = {entries.back().number, entries.back().hash};
    }
  }

  void look(bool sweep) {
    if (!parts_.instance.erasures().check().ok()) return;
    const Timestamp now = Timestamp::now();
    if (sweep) tell("sweep", sweep_operator(now));
    if (sweep) tell("erasure-ledger", verify_ledger());
    const auto tenants = parts_.instance.database().list_tenants();
    if (!tenants.ok()) return report("tenants", tenants.error());
    for (const auto& tenant : *tenants) {
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
      }
      tell("schedule", run_schedule(parts_.instance.database(), tenant.id, now));
      if (sweep) tell("sweep", sweep_tenant(parts_.instance, tenant.id, now));
    }
    parts_.runner->wake();
  }

  void tell(const char* what, const Status& done) {
    const auto outcome = done.ok() ? "succeeded" : error_info(done.error().code).name;
    measures_.add_round(what, std::string(outcome));
    if (!done.ok()) report(what, done.error());
  }

  void report(const char* what, const Error& error) {
    if (!log_) return;
    log_(json::serialize(json::object{{"level", "error"},
                                      {"ts", Timestamp::now().rfc3339()},
                                      {"operation", what},
                                      {"code", error_info(error.code).name},
                                      {"op", error.op},
                                      {"cause", error.cause}}));
  }

  Parts& parts_;
  Measures& measures_;
  std::function<void(const std::string&)> log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Schedules> Schedules::start(Parts& parts, Measures& measures,
                                            std::function<void(const std::string&)> log) {
  return std::make_unique<RunningSchedules>(parts, measures, std::move(log));
}

}  // namespace oa::api
