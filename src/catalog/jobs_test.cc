// Jobs as their tenant sees them, and the queue as the workers see it.
#include "oa/catalog/jobs.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>
#include <thread>

#include "test_cluster.h"

namespace oa::catalog {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLease{60'000};

// Every test has a kind of its own, so that the queue holds nothing else of interest.
class JobsTest : public testing::Test {
 protected:
  JobsTest() : kinds_{"test." + Uuid::random().str()} {}

  JobId enqueue(TenantId tenant, std::optional<UserId> person = std::nullopt) {
    return enqueue(tenant, person, kinds_[0]);
  }
  JobId enqueue(TenantId tenant, std::optional<UserId> person, const std::string& kind) {
    Job job;
    job.id = JobId::random();
    job.kind = kind;
    job.created_by = person;
    job.request = JsonText::of(json::object{{"a", 1}});
    job.trace_id = "trace";
    TenantTransaction tx = begin(tenant);
    EXPECT_TRUE(Jobs(tx).add(job).ok());
    EXPECT_TRUE(tx.commit().ok());
    return job.id;
  }
  Job job(TenantId tenant, JobId id) {
    TenantTransaction tx = begin(tenant);
    return Jobs(tx).get(id).value();
  }
  std::optional<TakenJob> take(milliseconds lease = kLease, std::size_t limit = 100) {
    auto taken = queue_.take(kinds_, lease, limit);
    EXPECT_TRUE(taken.ok()) << taken.error().cause;
    return std::move(taken).value();
  }
  // As if the time had come.
  void end_lease(JobId id) {
    ASSERT_OK(superuser()->execute(
        "UPDATE oa.jobs SET leased_until = now() - interval '1 s' WHERE id = $1",
        {Parameter::of(id)}));
  }
  void make_due(JobId id) {
    ASSERT_OK(superuser()->execute("UPDATE oa.jobs SET run_after = now() WHERE id = $1",
                                   {Parameter::of(id)}));
  }

  // What is refused to whom, or nothing.
  std::optional<Error> refusal(TenantId tenant, std::optional<UserId> person) {
    TenantTransaction tx = begin(tenant);
    Job job;
    job.id = JobId::random();
    job.created_by = person;
    const Status added = Jobs(tx).add(job);
    return added.ok() ? std::nullopt : std::optional(added.error());
  }

  std::vector<std::string> kinds_;
  JobQueue queue_{database()};
};

TEST_F(JobsTest, AJobFromItsRequestToItsResult) {
  const TenantId tenant = new_tenant();
  const JobId id = enqueue(tenant);
  Job queued = job(tenant, id);
  EXPECT_EQ(queued.state, JobState::kQueued);
  EXPECT_EQ(queued.attempt, 0u);
  EXPECT_EQ(queued.revision, 1u);
  EXPECT_EQ(queued.request.str(), R"({"a":1})");

  const auto taken = take();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->tenant, tenant);
  EXPECT_EQ(taken->job.id, id);
  EXPECT_EQ(taken->job.state, JobState::kRunning);
  EXPECT_EQ(taken->job.attempt, 1u);
  EXPECT_EQ(taken->job.request, queued.request);
  EXPECT_TRUE(taken->job.started_at.has_value());
  EXPECT_FALSE(take().has_value());

  ASSERT_OK(queue_.write_progress(*taken, {"reading", 3, 10, "rows"}));
  EXPECT_EQ(job(tenant, id).progress, (JobProgress{"reading", 3, 10, "rows"}));
  JobEnd end;
  end.result = JsonText::of(json::object{{"archive", "x"}});
  end.progress = {"done", 10, 10, "rows"};
  ASSERT_OK(queue_.finish(*taken, end));
  const Job done = job(tenant, id);
  EXPECT_EQ(done.state, JobState::kSucceeded);
  EXPECT_EQ(done.result, end.result);
  EXPECT_EQ(done.progress, end.progress);
  EXPECT_TRUE(done.finished_at.has_value());
  EXPECT_EQ(done.revision, 4u);
  EXPECT_FALSE(take().has_value());
}

TEST_F(JobsTest, OnlyJobsOfTheKindsAskedForAreTaken) {
  enqueue(new_tenant());
  EXPECT_FALSE(queue_.take(std::vector<std::string>{"other"}, kLease, 9)->has_value());
  EXPECT_FALSE(queue_.take({}, kLease, 9)->has_value());
  EXPECT_TRUE(take().has_value());
}

TEST_F(JobsTest, AnIdIsUsedOnce) {
  const TenantId tenant = new_tenant();
  Job job;
  job.id = enqueue(tenant);
  TenantTransaction tx = begin(tenant);
  EXPECT_EQ(Jobs(tx).add(job).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(Jobs(tx).get(JobId::random()).error().code, ErrorCode::kNotFound);
}

TEST_F(JobsTest, ALeaseThatRanOutIsTakenOverAndItsHolderCanWriteNothingMore) {
  const TenantId tenant = new_tenant();
  const JobId id = enqueue(tenant);
  const auto first = take();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(queue_.held(std::vector{first->lease}, kLease)->size(), 1u);
  end_lease(id);
  const auto second = take();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->job.attempt, 2u);
  EXPECT_NE(second->lease, first->lease);
  EXPECT_TRUE(queue_.held(std::vector{first->lease}, kLease)->empty());
  const Job before = job(tenant, id);
  EXPECT_EQ(queue_.write_progress(*first, {"late", 1, 1, ""}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(queue_.finish(*first, {}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(queue_.put_back(*first, {}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(queue_.retry_later(*first, kLease, {"c", "m", "h"}, {}).error().code,
            ErrorCode::kConflict);
  EXPECT_EQ(job(tenant, id).revision, before.revision);
  ASSERT_OK(queue_.finish(*second, {}));
  EXPECT_EQ(queue_.finish(*second, {}).error().code, ErrorCode::kConflict);
}

TEST_F(JobsTest, ExtendingALeaseKeepsItAndIsNoChangeToBeSeen) {
  const TenantId tenant = new_tenant();
  const JobId id = enqueue(tenant);
  const auto taken = take(milliseconds(0));
  ASSERT_TRUE(taken.has_value());
  const auto held = queue_.held(std::vector{taken->lease, Uuid::random()}, kLease);
  ASSERT_EQ(held->size(), 1u);
  EXPECT_EQ(held->front().lease, taken->lease);
  EXPECT_FALSE(held->front().cancel_requested);
  EXPECT_FALSE(take().has_value());
  EXPECT_EQ(job(tenant, id).revision, taken->job.revision);
}

TEST_F(JobsTest, CancellingEndsAQueuedJobAndAsksARunningOne) {
  const TenantId tenant = new_tenant();
  const JobId waiting = enqueue(tenant);
  TenantTransaction tx = begin(tenant);
  const auto over = Jobs(tx).request_cancel(waiting);
  ASSERT_OK(over);
  EXPECT_EQ(over->state, JobState::kCancelled);
  EXPECT_TRUE(over->finished_at.has_value());
  EXPECT_EQ(Jobs(tx).request_cancel(waiting).error().code, ErrorCode::kConflict);
  EXPECT_EQ(Jobs(tx).request_cancel(JobId::random()).error().code, ErrorCode::kNotFound);
  ASSERT_OK(tx.commit());
  EXPECT_FALSE(take().has_value());

  const JobId running = enqueue(tenant);
  const auto taken = take();
  ASSERT_TRUE(taken.has_value());
  TenantTransaction asking = begin(tenant);
  EXPECT_EQ(Jobs(asking).request_cancel(running)->state, JobState::kRunning);
  ASSERT_OK(asking.commit());
  for (const auto extend : {std::optional<milliseconds>(), std::optional(kLease)}) {
    const auto held = queue_.held(std::vector{taken->lease}, extend);
    ASSERT_EQ(held->size(), 1u);
    EXPECT_TRUE(held->front().cancel_requested);
  }
  // It was to run again, but nobody wants it any more.
  ASSERT_OK(queue_.put_back(*taken, {"half", 1, 2, ""}));
  EXPECT_EQ(job(tenant, running).state, JobState::kCancelled);
}

TEST_F(JobsTest, RetriesWaitAndPuttingBackIsNoAttempt) {
  const TenantId tenant = new_tenant();
  const JobId id = enqueue(tenant);
  auto taken = take();
  ASSERT_TRUE(taken.has_value());
  ASSERT_OK(queue_.put_back(*taken, {"half", 1, 2, ""}));
  EXPECT_EQ(job(tenant, id).state, JobState::kQueued);
  taken = take();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->job.attempt, 1u);
  EXPECT_EQ(taken->job.progress.step, "half");
  ASSERT_OK(queue_.retry_later(*taken, kLease, {"storage/io", "failed", "again"}, {}));
  EXPECT_EQ(job(tenant, id).failure, (JobFailure{"storage/io", "failed", "again"}));
  EXPECT_FALSE(take().has_value());
  make_due(id);
  taken = take();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->job.attempt, 2u);
  ASSERT_OK(queue_.put_back(*taken, {}));
  EXPECT_TRUE(job(tenant, id).failure.has_value());
}

TEST_F(JobsTest, ATenantWithAThousandJobsDoesNotStarveAnother) {
  const TenantId busy = new_tenant(), modest = new_tenant();
  for (std::size_t i = 0; i < kMaxUnfinishedJobs; i += kMaxUnfinishedJobsOfPerson) {
    const UserId person = UserId::random();
    for (std::size_t j = 0; j < kMaxUnfinishedJobsOfPerson; ++j) enqueue(busy, person);
  }
  const auto refused = refusal(busy, UserId::random());
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kRateLimited);
  EXPECT_EQ(refused->message, "1000 operations of the organisation are not done yet");
  EXPECT_FALSE(refusal(busy, std::nullopt).has_value());
  // One worker that runs one job at a time: the tenants take turns.
  std::map<TenantId, int> ran;
  for (int i = 0; i < 3; ++i) enqueue(modest);
  for (int i = 0; i < 6; ++i) {
    const auto taken = take();
    ASSERT_TRUE(taken.has_value());
    ++ran[taken->tenant];
    ASSERT_OK(queue_.finish(*taken, {}));
  }
  EXPECT_EQ(ran[busy], 3);
  EXPECT_EQ(ran[modest], 3);
  // Workers that run many: no more than the limit of one tenant.
  for (int i = 0; i < 4; ++i) {
    const auto taken = take(kLease, 4);
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->tenant, busy);
  }
  EXPECT_FALSE(take(kLease, 4).has_value());
  enqueue(modest);
  const auto taken = take(kLease, 4);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->tenant, modest);
}

TEST_F(JobsTest, OnePersonDoesNotFillTheQueue) {
  const TenantId tenant = new_tenant();
  const UserId eager = UserId::random();
  for (std::size_t i = 0; i < kMaxUnfinishedJobsOfPerson; ++i) enqueue(tenant, eager);
  const auto refused = refusal(tenant, eager);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kRateLimited);
  EXPECT_EQ(refused->message, "100 of your operations are not done yet");
  EXPECT_EQ(refused->hint, "wait for them, or cancel some");
  EXPECT_FALSE(refusal(tenant, UserId::random()).has_value());
  EXPECT_FALSE(refusal(tenant, std::nullopt).has_value());
  ASSERT_OK(queue_.finish(*take(), {}));
  EXPECT_FALSE(refusal(tenant, eager).has_value());
}

TEST_F(JobsTest, PeopleOfATenantTakeTurns) {
  const TenantId tenant = new_tenant();
  const UserId eager = UserId::random(), modest = UserId::random();
  std::vector<JobId> many, few;
  for (int i = 0; i < 4; ++i) many.push_back(enqueue(tenant, eager));
  for (int i = 0; i < 2; ++i) few.push_back(enqueue(tenant, modest));
  // One after the other.
  for (const JobId expected : {many[0], few[0], many[1]}) {
    const auto taken = take();
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->job.id, expected);
    ASSERT_OK(queue_.finish(*taken, {}));
  }
  // At once: whoever has fewer running ones, whenever they were served.
  enqueue(tenant, modest);
  std::vector<UserId> order;
  for (int i = 0; i < 4; ++i) order.push_back(*take()->job.created_by);
  EXPECT_EQ(order, (std::vector{modest, eager, modest, eager}));
}

TEST_F(JobsTest, RestoresAndTheServicesOwnJobsGoBeforeOthersOfEqualStanding) {
  const TenantId tenant = new_tenant();
  const UserId ada = UserId::random(), bob = UserId::random();
  kinds_.push_back("restore." + kinds_[0]);
  const JobId plain = enqueue(tenant, ada), service = enqueue(tenant), later = enqueue(tenant, bob),
              restore = enqueue(tenant, bob, kinds_[1]);
  for (const JobId expected : {service, restore, plain, later}) {
    const auto taken = take();
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->job.id, expected);
    ASSERT_OK(queue_.finish(*taken, {}));
  }
  // Not before somebody who has nothing running.
  enqueue(tenant, bob);
  ASSERT_EQ(take()->job.created_by, bob);
  enqueue(tenant, bob, kinds_[1]);
  enqueue(tenant, ada);
  EXPECT_EQ(take()->job.created_by, ada);
  EXPECT_EQ(take()->job.kind, kinds_[1]);
}

TEST_F(JobsTest, OneThatCannotBeReadIsPutBackAndLosesNoAttempt) {
  const TenantId tenant = new_tenant();
  const JobId unreadable = enqueue(tenant);
  const auto set_request = [&](const std::string& text) {
    ASSERT_OK(superuser()->execute("UPDATE oa.jobs SET request = $2::json WHERE id = $1",
                                   {Parameter::of(unreadable), Parameter::of(text)}));
  };
  set_request(std::string(100, '[') + std::string(100, ']'));
  ASSERT_FALSE(queue_.take(kinds_, kLease, 9).ok());
  // Later, so that nobody waits for it.
  const auto waits = superuser()->query(
      "SELECT 1 FROM oa.jobs WHERE id = $1 AND run_after >= created_at + interval '1 s'",
      {Parameter::of(unreadable)});
  ASSERT_OK(waits);
  EXPECT_EQ(waits->count(), 1);
  set_request("{}");
  EXPECT_EQ(job(tenant, unreadable).state, JobState::kQueued);
  make_due(unreadable);
  const auto taken = take();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->job.id, unreadable);
  EXPECT_EQ(taken->job.attempt, 1u);
}

TEST_F(JobsTest, ManyWorkersTakeEachJobOnce) {
  std::map<JobId, int> taken;
  for (int i = 0; i < 5; ++i) {
    const TenantId tenant = new_tenant();
    for (int j = 0; j < 10; ++j) taken[enqueue(tenant)] = 0;
  }
  std::mutex mutex;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (const auto job = take(kLease, 1000)) {
        const std::lock_guard lock(mutex);
        ++taken[job->job.id];
      }
    });
  }
  for (auto& worker : workers) worker.join();
  for (const auto& [id, times] : taken) EXPECT_EQ(times, 1);
}

TEST_F(JobsTest, WorkersThatTakeAtOnceKeepTheLimitOfATenant) {
  const TenantId tenant = new_tenant();
  for (int i = 0; i < 20; ++i) enqueue(tenant);
  std::atomic<int> taken = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (int tries = 0; tries < 5; ++tries) taken += take(kLease, 3).has_value() ? 1 : 0;
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(taken, 3);
}

TEST_F(JobsTest, AreListedNewestFirst) {
  const TenantId tenant = new_tenant();
  std::vector<JobId> made;
  for (int i = 0; i < 5; ++i) made.push_back(enqueue(tenant));
  TenantTransaction tx = begin(tenant);
  const auto ids = [&](std::optional<JobId> after, std::size_t limit) {
    std::vector<JobId> listed;
    const auto jobs = Jobs(tx).list(std::nullopt, after, limit);
    for (const auto& job : *jobs) listed.push_back(job.id);
    return listed;
  };
  EXPECT_EQ(ids(std::nullopt, 2), (std::vector{made[4], made[3]}));
  EXPECT_EQ(ids(made[3], 9), (std::vector{made[2], made[1], made[0]}));
  EXPECT_TRUE(ids(JobId::random(), 9).empty());
  const auto found = Jobs(tx).find(std::vector{made[1], JobId::random()});
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().id, made[1]);
}

TEST_F(JobsTest, AnotherTenantsJobIsNotThere) {
  const TenantId tenant = new_tenant(), other = new_tenant();
  const JobId id = enqueue(tenant);
  TenantTransaction tx = begin(other);
  EXPECT_EQ(Jobs(tx).get(id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Jobs(tx).request_cancel(id).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(Jobs(tx).find(std::vector{id})->empty());
  EXPECT_TRUE(Jobs(tx).list(std::nullopt, std::nullopt, 100)->empty());
  EXPECT_EQ(*Jobs(tx).remove_finished_before({tx.started_at().unix_us + 1'000'000}), 0u);
  ASSERT_OK(tx.commit());
  // Nor can a lease be used in its name.
  auto taken = take();
  ASSERT_TRUE(taken.has_value());
  taken->tenant = other;
  EXPECT_EQ(queue_.finish(*taken, {}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(job(tenant, id).state, JobState::kRunning);
}

TEST_F(JobsTest, OldOnesAreRemovedWhenTheyAreOver) {
  const TenantId tenant = new_tenant();
  const JobId done = enqueue(tenant);
  const auto taken = take();
  ASSERT_TRUE(taken.has_value());
  ASSERT_OK(queue_.finish(*taken, {}));
  const JobId waiting = enqueue(tenant);
  TenantTransaction tx = begin(tenant);
  EXPECT_EQ(*Jobs(tx).remove_finished_before(Timestamp{0}), 0u);
  EXPECT_EQ(*Jobs(tx).remove_finished_before({tx.started_at().unix_us + 1'000'000}), 1u);
  EXPECT_FALSE(Jobs(tx).get(done).ok());
  EXPECT_TRUE(Jobs(tx).get(waiting).ok());
}

TEST_F(JobsTest, RevisionsOfManyJobsInOneQuestion) {
  const TenantId a = new_tenant(), b = new_tenant();
  const JobId first = enqueue(a), second = enqueue(b);
  const std::vector<JobQueue::Key> asked{{a, first}, {b, second}, {a, second}};
  auto revisions = queue_.revisions(asked);
  ASSERT_OK(revisions);
  std::ranges::sort(*revisions);
  std::vector<std::pair<JobQueue::Key, std::uint64_t>> expected{{{a, first}, 1}, {{b, second}, 1}};
  std::ranges::sort(expected);
  EXPECT_EQ(*revisions, expected);
}

TEST_F(JobsTest, WhatCannotBeStoredIsRefused) {
  const TenantId tenant = new_tenant();
  enqueue(tenant);
  const auto taken = take();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(queue_.write_progress(*taken, {"\xff", 0, 0, ""}).error().code,
            ErrorCode::kInvalidArgument);
  JobEnd end;
  end.result = JsonText::of(json::object{{"x", std::string(2 << 20, 'x')}});
  EXPECT_EQ(queue_.finish(*taken, end).error().code, ErrorCode::kInvalidArgument);
  end = {};
  end.state = JobState::kQueued;
  EXPECT_EQ(queue_.finish(*taken, end).error().code, ErrorCode::kInvalidArgument);
  ASSERT_OK(queue_.finish(*taken, {}));
}

}  // namespace
}  // namespace oa::catalog
