// Listening to jobs.
#include <mutex>

#include "jobs_testkit.h"

namespace oa::jobs {
namespace {

class WatcherTest : public JobsFixture {
 protected:
  // What a listener was told.
  struct Heard {
    std::mutex mutex;
    std::vector<Job> jobs;
    bool more = true;  // what the listener answers
    bool dropped = false;
    std::size_t count() {
      const std::lock_guard lock(mutex);
      return jobs.size();
    }
  };
  static Watcher::Listener into(const std::shared_ptr<Heard>& heard) {
    // Gone with the listener.
    const std::shared_ptr<void> end(nullptr, [heard](void*) {
      const std::lock_guard lock(heard->mutex);
      heard->dropped = true;
    });
    return [heard, end](const Job& job) {
      const std::lock_guard lock(heard->mutex);
      heard->jobs.push_back(job);
      return heard->more;
    };
  }
  static bool dropped(const std::shared_ptr<Heard>& heard) {
    return eventually([&] {
      const std::lock_guard lock(heard->mutex);
      return heard->dropped;
    });
  }
  void finish(JobId id) {
    catalog::JobQueue queue(database_);
    const auto taken = queue.take(std::vector{kind_}, milliseconds(60'000), 99).value();
    ASSERT_TRUE(taken.has_value());
    ASSERT_EQ(taken->job.id, id);
    ASSERT_OK(queue.finish(*taken, {}));
  }

  const std::unique_ptr<Watcher> watcher_ = Watcher::start(database_, milliseconds(20));
};

TEST_F(WatcherTest, TellsOfTheJobAsItIsAndOfEachChangeUntilItIsOver) {
  const JobId id = enqueue();
  const auto heard = std::make_shared<Heard>();
  watcher_->listen(tenant_, id, 0, into(heard));
  ASSERT_TRUE(eventually([&] { return heard->count() == 1; }));
  finish(id);
  ASSERT_TRUE(dropped(heard));
  EXPECT_EQ(heard->jobs.front().state, JobState::kQueued);
  EXPECT_EQ(heard->jobs.back().state, JobState::kSucceeded);
  for (std::size_t i = 1; i < heard->jobs.size(); ++i)
    EXPECT_LT(heard->jobs[i - 1].revision, heard->jobs[i].revision);
}

TEST_F(WatcherTest, GoesOnBehindARevision) {
  const JobId id = enqueue();
  const auto heard = std::make_shared<Heard>();
  watcher_->listen(tenant_, id, job(id).revision, into(heard));
  const auto looks = watcher_->looks();
  ASSERT_TRUE(eventually([&] { return watcher_->looks() > looks + 3; }));
  EXPECT_EQ(heard->count(), 0u);
  cancel(id);
  ASSERT_TRUE(dropped(heard));
  ASSERT_EQ(heard->count(), 1u);
  EXPECT_EQ(heard->jobs[0].state, JobState::kCancelled);
}

TEST_F(WatcherTest, AJobThatIsOverIsToldOfInAnyCase) {
  const JobId id = enqueue();
  cancel(id);
  const auto heard = std::make_shared<Heard>();
  watcher_->listen(tenant_, id, job(id).revision, into(heard));
  ASSERT_TRUE(dropped(heard));
  EXPECT_EQ(heard->count(), 1u);
}

TEST_F(WatcherTest, AListenerThatHasEnoughIsDropped) {
  const JobId id = enqueue();
  const auto heard = std::make_shared<Heard>();
  heard->more = false;
  watcher_->listen(tenant_, id, 0, into(heard));
  ASSERT_TRUE(dropped(heard));
  cancel(id);
  EXPECT_EQ(heard->count(), 1u);
}

TEST_F(WatcherTest, OneThatThrowsIsDroppedToo) {
  const JobId id = enqueue();
  const auto heard = std::make_shared<Heard>();
  watcher_->listen(tenant_, id, 0, [record = into(heard)](const Job& job) -> bool {
    record(job);
    throw std::runtime_error("x");
  });
  ASSERT_TRUE(dropped(heard));
  EXPECT_EQ(heard->count(), 1u);
}

TEST_F(WatcherTest, AJobOfAnotherTenantIsNotThere) {
  const JobId id = enqueue();
  const auto missing = std::make_shared<Heard>(), foreign = std::make_shared<Heard>();
  watcher_->listen(tenant_, JobId::random(), 0, into(missing));
  watcher_->listen(testkit::make_tenant().id, id, 0, into(foreign));
  ASSERT_TRUE(dropped(missing));
  ASSERT_TRUE(dropped(foreign));
  EXPECT_EQ(missing->count() + foreign->count(), 0u);
}

TEST_F(WatcherTest, AListenerWhoIsNotWantedAnyMoreGoesThoughNothingChanges) {
  const JobId id = enqueue();
  const auto heard = std::make_shared<Heard>();
  std::atomic<bool> wanted = true;
  watcher_->listen(tenant_, id, job(id).revision, into(heard), [&] { return wanted.load(); });
  const auto looks = watcher_->looks();
  ASSERT_TRUE(eventually([&] { return watcher_->looks() > looks + 2; }));
  {
    const std::lock_guard lock(heard->mutex);
    EXPECT_FALSE(heard->dropped);
  }
  wanted = false;
  EXPECT_TRUE(dropped(heard));
  EXPECT_EQ(heard->count(), 0u);
}

TEST_F(WatcherTest, NobodyListeningNothingIsAsked) {
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(watcher_->looks(), 0u);
  const JobId id = enqueue();
  const auto heard = std::make_shared<Heard>();
  watcher_->listen(tenant_, id, 0, into(heard));
  cancel(id);
  ASSERT_TRUE(dropped(heard));
  const auto looks = watcher_->looks();
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LE(watcher_->looks(), looks + 1);  // one was perhaps under way
}

TEST_F(WatcherTest, AThousandListenersShareALook) {
  std::vector<JobId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(enqueue());
  std::atomic<int> first = 0, ends = 0;
  for (int i = 0; i < 1000; ++i) {
    watcher_->listen(tenant_, ids[static_cast<std::size_t>(i) % ids.size()], 0,
                     [&](const Job& job) {
                       ++(over(job.state) ? ends : first);
                       return true;
                     });
  }
  ASSERT_TRUE(eventually([&] { return first == 1000; }));
  const auto before = watcher_->looks();
  for (const JobId id : ids) cancel(id);
  ASSERT_TRUE(eventually([&] { return ends == 1000; }));
  EXPECT_LT(watcher_->looks(), before + 200);
}

TEST_F(WatcherTest, AListenerMayListenToAnother) {
  const JobId id = enqueue();
  const auto heard = std::make_shared<Heard>();
  watcher_->listen(tenant_, id, 0, [&](const Job&) {
    watcher_->listen(tenant_, id, 0, into(heard));
    return false;
  });
  EXPECT_TRUE(eventually([&] { return heard->count() == 1; }));
}

TEST_F(WatcherTest, EndsWithItsListeners) {
  const auto heard = std::make_shared<Heard>();
  {
    const auto brief = Watcher::start(database_);
    brief->listen(tenant_, enqueue(), 0, into(heard));
    ASSERT_TRUE(eventually([&] { return heard->count() == 1; }));
  }
  EXPECT_TRUE(heard->dropped);
}

}  // namespace
}  // namespace oa::jobs
