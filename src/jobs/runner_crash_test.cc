// Workers that die: real processes, ended by SIGKILL while a job runs.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs_testkit.h"

namespace oa::jobs {
namespace {

class RunnerCrash : public JobsFixture {
 protected:
  // Starts a process that takes a job and does not finish it; returns when it runs.
  pid_t worker_in_a_job() {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      close(ready[0]);
      auto database = catalog::Database::open(testkit::shared_settings());
      if (!database.ok()) _exit(1);
      RunnerSettings settings = quick();
      settings.lease = milliseconds(1'000);
      const auto runner =
          Runner::start(**database,
                        {{kind_,
                          {[&](TenantId, const Job&, Progress& progress) -> Result<JsonText> {
                             progress.begin("half way", 2, "");
                             if (write(ready[1], "x", 1) != 1) _exit(1);
                             for (;;) pause();
                           },
                           3}}},
                        settings);
      for (;;) pause();
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
  }
  static void kill_hard(pid_t pid) {
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status));
  }
};

TEST_F(RunnerCrash, AJobWhoseWorkerIsKilledIsTakenOver) {
  const JobId id = enqueue();
  const pid_t worker = worker_in_a_job();
  EXPECT_EQ(job(id).state, JobState::kRunning);
  std::atomic<int> ran = 0;
  const auto runner = start([&](TenantId, const Job&, Progress&) {
    ++ran;
    return Result(fine());
  });
  // While the other lives, its heartbeats keep the job, beyond the length of a lease.
  std::this_thread::sleep_for(milliseconds(1'500));
  EXPECT_EQ(ran, 0);
  kill_hard(worker);
  ASSERT_TRUE(comes_to(id, JobState::kSucceeded));
  EXPECT_EQ(job(id).attempt, 2u);
  EXPECT_EQ(ran, 1);
}

TEST_F(RunnerCrash, AJobThatKillsItsWorkersFails) {
  const JobId id = enqueue();
  for (int i = 0; i < 2; ++i) kill_hard(worker_in_a_job());
  std::atomic<int> ran = 0;
  const auto runner = start(
      [&](TenantId, const Job&, Progress&) {
        ++ran;
        return Result(fine());
      },
      2);
  ASSERT_TRUE(comes_to(id, JobState::kFailed));
  EXPECT_EQ(job(id).failure->code, "internal");
  EXPECT_NE(job(id).failure->message.find("2 times"), std::string::npos);
  EXPECT_EQ(ran, 0);
}

TEST_F(RunnerCrash, AJobThatWasToStopStopsThoughItsWorkerDied) {
  const JobId id = enqueue();
  const pid_t worker = worker_in_a_job();
  cancel(id);
  kill_hard(worker);
  const auto runner = start([](TenantId, const Job&, Progress&) { return Result(fine()); });
  ASSERT_TRUE(comes_to(id, JobState::kCancelled));
}

}  // namespace
}  // namespace oa::jobs
