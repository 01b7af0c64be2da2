// Jobs run, fail, are tried again, cancelled, put back and lost.
#include <map>
#include <mutex>

#include "jobs_testkit.h"

namespace oa::jobs {
namespace {

using RunnerTest = JobsFixture;

TEST_F(RunnerTest, AJobRunsAndLeavesItsResultAndLastProgress) {
  const JobId id = enqueue();
  const auto runner = start([&](TenantId tenant, const Job& job, Progress& progress) {
    EXPECT_EQ(tenant, tenant_);
    EXPECT_EQ(job.attempt, 1u);
    progress.begin("counting", 3, "sheep");
    for (std::uint64_t i = 1; i <= 3; ++i) progress.update(i);
    return Result(fine());
  });
  ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  EXPECT_EQ(job(id).result, fine());
  EXPECT_EQ(job(id).progress, (catalog::JobProgress{"counting", 3, 3, "sheep"}));
}

TEST_F(RunnerTest, WakingNeedsNoPolling) {
  RunnerSettings settings = quick();
  settings.poll = milliseconds(60'000);
  const auto runner =
      start([](TenantId, const Job&, Progress&) { return Result(fine()); }, 1, settings);
  std::this_thread::sleep_for(milliseconds(50));
  const JobId id = enqueue();
  runner->wake();
  EXPECT_TRUE(comes_to(id, JobState::kSucceeded));
}

TEST_F(RunnerTest, WhatCanHelpIsTriedAgainAndWhatCannotFails) {
  const JobId transient = enqueue(), hopeless = enqueue();
  std::atomic<int> calls = 0;
  const auto runner = start([&](TenantId, const Job& job, Progress&) -> Result<JsonText> {
    ++calls;
    if (job.id == hopeless)
      return make_error(ErrorCode::kNotFound, "test", "no such archive").with_hint("look again");
    if (job.attempt < 3) return make_error(ErrorCode::kIo, "test", "disk hiccup");
    EXPECT_EQ(job.failure->code, "storage/io");
    return fine();
  });
  ASSERT_TRUE(comes_to(transient, JobState::kSucceeded));
  EXPECT_EQ(job(transient).attempt, 3u);
  EXPECT_FALSE(job(transient).failure.has_value());
  ASSERT_TRUE(comes_to(hopeless, JobState::kFailed));
  EXPECT_EQ(job(hopeless).attempt, 1u);
  EXPECT_EQ(job(hopeless).failure,
            (catalog::JobFailure{"resource/not-found", "no such archive", "look again"}));
  EXPECT_EQ(calls, 4);
}

TEST_F(RunnerTest, AttemptsComeToAnEnd) {
  const JobId id = enqueue();
  const auto runner = start(
      [&](TenantId, const Job&, Progress&) -> Result<JsonText> {
        return make_error(ErrorCode::kIo, "test", "disk gone");
      },
      2);
  ASSERT_TRUE(comes_to(id, JobState::kFailed));
  EXPECT_EQ(job(id).attempt, 2u);
  EXPECT_EQ(job(id).failure->code, "storage/io");
}

TEST_F(RunnerTest, WhatIsThrownFailsTheJobAndNotTheRunner) {
  const JobId standard = enqueue(), odd = enqueue();
  std::mutex mutex;
  std::map<JobId, std::string> causes;
  RunnerSettings settings = quick();
  settings.observer.attempted = [&](TenantId, const Job& job, const Error* error, milliseconds) {
    const std::lock_guard lock(mutex);
    causes[job.id] = error == nullptr ? "none" : error->cause;
  };
  const auto runner = start(
      [&](TenantId, const Job& job, Progress&) -> Result<JsonText> {
        if (job.id == standard) throw std::runtime_error("a secret detail");
        if (job.id == odd) throw 42;
        return fine();
      },
      3, settings);
  for (const JobId id : {standard, odd}) {
    ASSERT_TRUE(comes_to(id, JobState::kFailed));
    EXPECT_EQ(job(id).failure->code, "internal");
    EXPECT_EQ(job(id).failure->message.find("secret"), std::string::npos);
  }
  const JobId next = enqueue();
  ASSERT_TRUE(comes_to(next, JobState::kSucceeded));
  runner->stop();
  EXPECT_EQ(causes[standard], "a secret detail");
  EXPECT_EQ(causes[next], "none");
}

TEST_F(RunnerTest, WhatCannotBeKeptFailsTheJob) {
  const JobId huge = enqueue(), broken = enqueue();
  const auto runner = start([&](TenantId, const Job& job, Progress&) -> Result<JsonText> {
    if (job.id == huge) return JsonText::of(json::object{{"x", std::string(2 << 20, 'x')}});
    return make_error(ErrorCode::kNotFound, "test", "no file \xff");
  });
  for (const JobId id : {huge, broken}) {
    ASSERT_TRUE(comes_to(id, JobState::kFailed));
    EXPECT_EQ(job(id).failure->code, "internal");
  }
}

TEST_F(RunnerTest, ALongMessageIsClipped) {
  const JobId id = enqueue();
  std::string text;
  while (text.size() < 5000) text += "\xe2\x82\xac";
  const auto runner = start([&](TenantId, const Job&, Progress&) -> Result<JsonText> {
    return make_error(ErrorCode::kNotFound, "test", text);
  });
  ASSERT_TRUE(comes_to(id, JobState::kFailed));
  EXPECT_EQ(job(id).failure->code, "resource/not-found");
  EXPECT_EQ(job(id).failure->message.size(), 4095u);
}

TEST_F(RunnerTest, CancellingARunningJobStopsIt) {
  const JobId id = enqueue();
  const auto runner = start([&](TenantId, const Job&, Progress& progress) {
    progress.begin("waiting", 0, "");
    return run_until_cancelled(progress);
  });
  ASSERT_TRUE(eventually([&] { return job(id).progress.step == "waiting"; }));
  cancel(id);
  ASSERT_TRUE(comes_to(id, JobState::kCancelled));
  EXPECT_FALSE(job(id).failure.has_value());
  EXPECT_EQ(job(id).attempt, 1u);
}

TEST_F(RunnerTest, ACancelledJobThatWasDoneAlreadySucceeds) {
  const JobId id = enqueue();
  const auto runner = start([&](TenantId, const Job&, Progress& progress) {
    progress.begin("waiting", 0, "");
    (void)run_until_cancelled(progress);
    return Result(fine());
  });
  ASSERT_TRUE(eventually([&] { return job(id).progress.step == "waiting"; }));
  cancel(id);
  ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  EXPECT_TRUE(job(id).cancel_requested);
}

TEST_F(RunnerTest, StoppingPutsBackWhatIsNotDone) {
  const JobId id = enqueue();
  auto first = start([&](TenantId, const Job&, Progress& progress) {
    progress.begin("half way", 2, "");
    progress.update(1);
    return run_until_cancelled(progress);
  });
  ASSERT_TRUE(eventually([&] { return job(id).state == JobState::kRunning; }));
  first->stop();
  first->stop();
  const Job waiting = job(id);
  EXPECT_EQ(waiting.state, JobState::kQueued);
  EXPECT_EQ(waiting.attempt, 0u);
  EXPECT_EQ(waiting.progress.done, 1u);
  const auto second = start([](TenantId, const Job&, Progress&) { return Result(fine()); }, 1);
  ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  EXPECT_EQ(job(id).attempt, 1u);
}

TEST_F(RunnerTest, SeveralRunnersRunEachJobOnce) {
  std::mutex mutex;
  std::map<JobId, int> ran;
  const auto run = [&](TenantId, const Job& job, Progress&) {
    const std::lock_guard lock(mutex);
    ++ran[job.id];
    return Result(fine());
  };
  std::vector<JobId> ids;
  for (int i = 0; i < 60; ++i) ids.push_back(enqueue());
  {
    const auto a = start(run), b = start(run), c = start(run);
    for (const JobId id : ids) ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  }
  EXPECT_EQ(ran.size(), ids.size());
  for (const auto& [id, times] : ran) EXPECT_EQ(times, 1);
}

TEST_F(RunnerTest, NoMoreOfOneTenantRunThanTheLimit) {
  RunnerSettings settings = quick();
  settings.workers = 4;
  settings.tenant_limit = 2;
  const TenantId other = testkit::make_tenant().id;
  std::vector<JobId> mine;
  for (int i = 0; i < 4; ++i) mine.push_back(enqueue());
  std::atomic<bool> go = false;
  const auto runner = start(
      [&](TenantId tenant, const Job&, Progress&) {
        EXPECT_TRUE(tenant != tenant_ || eventually([&] { return go.load(); }));
        return Result(fine());
      },
      1, settings);
  const auto running = [&] {
    return std::ranges::count_if(mine,
                                 [&](JobId id) { return job(id).state == JobState::kRunning; });
  };
  ASSERT_TRUE(eventually([&] { return running() >= 2; }));
  // The others of mine wait, however long; another tenant's does not.
  const JobId theirs = enqueue(other);
  ASSERT_TRUE(eventually([&] { return job(other, theirs).state == JobState::kSucceeded; }));
  go = true;
  for (const JobId id : mine) ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
}

TEST_F(RunnerTest, ProgressIsWrittenNowAndThen) {
  const JobId id = enqueue();
  constexpr std::uint64_t kSteps = 100'000;
  RunnerSettings settings = quick();
  settings.progress_interval = milliseconds(50);
  const auto runner = start(
      [&](TenantId, const Job&, Progress& progress) {
        progress.begin("counting", kSteps, "");
        for (std::uint64_t i = 1; i <= kSteps / 2; ++i) progress.update(i);
        EXPECT_TRUE(eventually([&] { return job(id).progress.done == kSteps / 2; }));
        for (std::uint64_t i = kSteps / 2; i <= kSteps; ++i) progress.update(i);
        return Result(fine());
      },
      1, settings);
  ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  EXPECT_EQ(job(id).progress.done, kSteps);
  EXPECT_LT(job(id).revision, 200u);
}

// As when its process stood still: it does not extend its lease, and another takes the job over.
TEST_F(RunnerTest, WhoLosesTheLeaseIsToldAndWritesNothing) {
  RunnerSettings silent = quick();
  silent.heartbeat = milliseconds(3'600'000);
  silent.lease = milliseconds(200);
  silent.workers = 1;
  std::atomic<int> stopped = 0;
  const auto loser = start(
      [&](TenantId, const Job&, Progress& progress) -> Result<JsonText> {
        EXPECT_EQ(run_until_cancelled(progress).error().code, ErrorCode::kCancelled);
        ++stopped;
        return make_error(ErrorCode::kNotFound, "test", "what the loser thinks");
      },
      3, silent);
  const JobId id = enqueue();
  ASSERT_TRUE(eventually([&] { return job(id).state == JobState::kRunning; }));
  const auto winner = start([](TenantId, const Job&, Progress&) { return Result(fine()); });
  ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  EXPECT_EQ(job(id).attempt, 2u);
  EXPECT_TRUE(eventually([&] { return stopped == 1; }));
  EXPECT_EQ(job(id).result, fine());
}

// The same noticed by its progress; also what progress meets that comes just after a job's end.
TEST_F(RunnerTest, ProgressOfAJobThatIsNoLongerHeldIsNoTrouble) {
  RunnerSettings silent = quick();
  silent.heartbeat = silent.poll = milliseconds(3'600'000);
  silent.lease = milliseconds(200);
  silent.workers = 1;
  std::atomic<int> troubles = 0, stopped = 0;
  silent.observer.trouble = [&](const Error&) { ++troubles; };
  const JobId id = enqueue();
  auto loser = start(
      [&](TenantId, const Job&, Progress& progress) -> Result<JsonText> {
        progress.begin("counting", 0, "sheep");
        std::uint64_t sheep = 0;
        EXPECT_TRUE(eventually([&] {
          progress.update(++sheep);
          return progress.cancelled();
        }));
        ++stopped;
        return make_error(ErrorCode::kNotFound, "test", "what the loser thinks");
      },
      3, silent);
  ASSERT_TRUE(eventually([&] { return job(id).state == JobState::kRunning; }));
  const auto winner = start([](TenantId, const Job&, Progress&) { return Result(fine()); });
  ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  EXPECT_TRUE(eventually([&] { return stopped == 1; }));
  loser.reset();
  EXPECT_EQ(troubles, 0);
}

}  // namespace
}  // namespace oa::jobs
