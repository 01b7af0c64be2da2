// Jobs of a tenant and kind of the test's own.
#pragma once

#include <boost/json.hpp>
#include <thread>

#include "oa/jobs/jobs.h"
#include "shared_database.h"

namespace oa::jobs {

using catalog::Job;
using catalog::JobState;
using std::chrono::milliseconds;

/// True when `condition` held within half a minute.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

class JobsFixture : public testing::Test {
 protected:
  using Run = decltype(Kind::run);

  JobId enqueue() { return enqueue(tenant_); }
  JobId enqueue(TenantId tenant) {
    Job job;
    job.id = JobId::random();
    job.kind = kind_;
    auto transaction = database_.begin(tenant);
    EXPECT_TRUE(catalog::Jobs(*transaction).add(job).ok());
    EXPECT_TRUE(transaction->commit().ok());
    return job.id;
  }
  Job job(JobId id) { return job(tenant_, id); }
  Job job(TenantId tenant, JobId id) {
    auto transaction = database_.begin(tenant);
    return catalog::Jobs(*transaction).get(id).value();
  }
  void cancel(JobId id) {
    auto transaction = database_.begin(tenant_);
    EXPECT_TRUE(catalog::Jobs(*transaction).request_cancel(id).ok());
    EXPECT_TRUE(transaction->commit().ok());
  }
  bool comes_to(JobId id, JobState state) {
    return eventually([&] { return job(id).state == state; });
  }
  static RunnerSettings quick() {
    RunnerSettings settings;
    settings.poll = milliseconds(10);
    settings.heartbeat = milliseconds(50);
    settings.lease = milliseconds(10'000);
    settings.progress_interval = milliseconds(10);
    settings.backoff = milliseconds(10);
    return settings;
  }
  std::unique_ptr<Runner> start(Run run, unsigned attempts = 3,
                                const RunnerSettings& settings = quick()) {
    return Runner::start(database_, {{kind_, {std::move(run), attempts}}}, settings);
  }

  catalog::Database& database_ = testkit::shared_database();
  const TenantId tenant_ = testkit::make_tenant().id;
  const std::string kind_ = "test." + Uuid::random().str();
};

inline JsonText fine() { return JsonText::of(json::object{{"fine", true}}); }

/// What a job does that runs until it is told to stop.
inline Result<JsonText> run_until_cancelled(const Progress& progress) {
  if (eventually([&] { return progress.cancelled(); }))
    return make_error(ErrorCode::kCancelled, "test", "cancelled");
  return make_error(ErrorCode::kTimeout, "test", "was never told to stop");
}

}  // namespace oa::jobs
