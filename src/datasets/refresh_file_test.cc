// Refreshes from the kept original, and what happens when something gets in between.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "catalog/connection.h"
#include "datasets_testkit.h"

namespace oa::datasets {
namespace {

using catalog::DatasetState;

constexpr char kCsv[] = "region,amount\nNorth,1\nSouth,2\n";

class RefreshFileTest : public DatasetsTest {
 protected:
  void SetUp() override {
    DatasetsTest::SetUp();
    dataset_ = import(kCsv).value();
  }
  Result<catalog::Dataset> refresh(Progress& progress = no_progress()) {
    return service().refresh(dataset_.id, actor(), progress);
  }
  /// A progress that does `act` once the refresh is under way.
  template <class Act>
  StepHook meanwhile(Act act) {
    return StepHook([act, done = false](std::string_view) mutable {
      if (!std::exchange(done, true)) act();
    });
  }
  std::vector<std::string> one_version_each() const {
    return {"rows/" + dataset_.rows->object_name + " 1",
            "originals/datasets/" + dataset_.id.str() + "/original 1"};
  }
  catalog::Dataset dataset_;
};

TEST_F(RefreshFileTest, GivesTheSameRowsAndNoNewVersion) {
  const auto refreshed = refresh();
  ASSERT_OK(refreshed);
  EXPECT_EQ(refreshed.value(), stored(dataset_.id));
  EXPECT_EQ(refreshed.value().state, DatasetState::kReady);
  EXPECT_EQ(refreshed.value().row_count, 2u);
  EXPECT_EQ(refreshed.value().versions, dataset_.versions);
  EXPECT_EQ(refreshed.value().updated_at, dataset_.updated_at);
  EXPECT_GT(refreshed.value().last_refresh_at, dataset_.last_refresh_at);
  EXPECT_NE(refreshed.value().rows, dataset_.rows);
  EXPECT_EQ(objects()[0], "rows/" + dataset_.rows->object_name + " 2");
  EXPECT_EQ(actions().back(), "dataset.refresh.success");
}

TEST_F(RefreshFileTest, ShowsThatItIsUnderWay) {
  DatasetState seen = DatasetState::kReady;
  ErrorCode second = ErrorCode::kInternal, pausing = second;
  auto progress = meanwhile([&] {
    seen = service().get(dataset_.id).value().state;  // and does not take it for an abandoned one
    second = code_of(refresh());
    pausing = code_of(service().pause(dataset_.id, actor()));
  });
  ASSERT_OK(refresh(progress));
  EXPECT_EQ(seen, DatasetState::kRefreshing);
  EXPECT_EQ(second, ErrorCode::kDatasetRefreshInProgress);
  EXPECT_EQ(pausing, ErrorCode::kDatasetRefreshInProgress);
  ASSERT_OK(refresh());
}

TEST_F(RefreshFileTest, APausedOneRests) {
  EXPECT_EQ(service().pause(dataset_.id, actor()).value().state, DatasetState::kPaused);
  EXPECT_EQ(code_of(refresh()), ErrorCode::kDatasetPaused);
  EXPECT_EQ(stored(dataset_.id).state, DatasetState::kPaused);
  ASSERT_OK(service().pause(dataset_.id, actor()));
  EXPECT_EQ(service().resume(dataset_.id, actor()).value().state, DatasetState::kReady);
  ASSERT_OK(service().resume(dataset_.id, actor()));
  ASSERT_OK(refresh());
  EXPECT_EQ(actions(), (std::vector<std::string>{"dataset.create", "dataset.pause",
                                                 "dataset.resume", "dataset.refresh.success"}));
  EXPECT_EQ(code_of(service().refresh(DatasetId::random(), actor(), no_progress())),
            ErrorCode::kNotFound);
}

TEST_F(RefreshFileTest, CancelledItLeavesWhatWas) {
  StepHook cancelling([&](std::string_view) { cancelling.cancel = true; });
  EXPECT_EQ(code_of(refresh(cancelling)), ErrorCode::kCancelled);
  EXPECT_EQ(stored(dataset_.id), dataset_);
  EXPECT_EQ(objects(), one_version_each());
  EXPECT_FALSE(stored_source(dataset_.id).last_failure.has_value()) << "nothing has failed";
  EXPECT_TRUE(stored_source(dataset_.id).last_attempt_at.has_value());
  ASSERT_OK(refresh());
}

TEST_F(RefreshFileTest, AnEditMeanwhileWins) {
  const std::string model = dataset_.model_yaml + "# edited\n";
  auto progress = meanwhile(
      [&] { ASSERT_OK(service().save_model(dataset_.id, model, actor(), no_progress())); });
  EXPECT_EQ(code_of(refresh(progress)), ErrorCode::kPreconditionFailed);
  const auto now = stored(dataset_.id);
  EXPECT_EQ(now.model_yaml, model);
  EXPECT_EQ(now.rows, dataset_.rows);
  EXPECT_EQ(now.state, DatasetState::kReady);
  EXPECT_GT(now.updated_at, dataset_.updated_at);
  EXPECT_EQ(objects(), one_version_each());
  EXPECT_EQ(actions(), (std::vector<std::string>{"dataset.create", "dataset.update",
                                                 "dataset.refresh.failure"}));
  ASSERT_OK(refresh());
}

TEST_F(RefreshFileTest, ADeletionMeanwhileWins) {
  auto progress = meanwhile([&] {
    auto transaction = begin();
    ASSERT_OK(catalog::Datasets(transaction).remove(dataset_.id));
    ASSERT_OK(transaction.commit());
  });
  EXPECT_EQ(code_of(refresh(progress)), ErrorCode::kPreconditionFailed);
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(objects(), one_version_each());  // the old ones
}

TEST_F(RefreshFileTest, WithoutItsConnectionItChangesNothing) {
  auto progress = meanwhile([&] {
    const auto admin = catalog::Connection::open(cluster(), "postgres").value();
    ASSERT_OK(admin->script(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"));
    // Gone only when its lock is.
    while (admin->query("SELECT FROM pg_locks WHERE locktype = 'advisory'").value().count() > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  EXPECT_EQ(code_of(refresh(progress)), ErrorCode::kDatabaseUnavailable);
  EXPECT_EQ(stored(dataset_.id).state, DatasetState::kRefreshing);
  EXPECT_EQ(stored(dataset_.id).rows, dataset_.rows);
  EXPECT_EQ(objects(), one_version_each());
  EXPECT_EQ(service().get(dataset_.id).value(), dataset_);
  ASSERT_OK(refresh());
}

TEST_F(RefreshFileTest, KilledItLeavesTheLastRowsAndTheNextOneWorks) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    StepHook waiting([&](std::string_view) {
      (void)!write(ready[1], "x", 1);
      for (;;) ::pause();
    });
    (void)refresh(waiting);
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(stored(dataset_.id).state, DatasetState::kRefreshing);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (service().get(dataset_.id).value().state != DatasetState::kReady &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // its server notices
  }
  EXPECT_EQ(stored(dataset_.id), dataset_);
  EXPECT_EQ(objects(), one_version_each());
  ASSERT_OK(refresh());
  close(ready[0]);
  close(ready[1]);
}

TEST_F(RefreshFileTest, NoTenantReachesAnothers) {
  const TenantId other = TenantId::random();
  ASSERT_OK(keys_->create_tenant_key(other));
  ASSERT_OK(
      database_->create_tenant({other, "tenant " + other.str(), catalog::Plan::kStarter, {}}));
  DatasetService theirs({*database_, *objects_, *keys_}, other);
  EXPECT_EQ(code_of(theirs.get(dataset_.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(theirs.refresh(dataset_.id, {}, no_progress())), ErrorCode::kNotFound);
  analytics::RejectedRows rejected;
  EXPECT_EQ(code_of(theirs.replace_file(dataset_.id, MemorySource(Bytes(kCsv, kCsv + 5)), {},
                                        rejected, {}, no_progress())),
            ErrorCode::kNotFound);
  EXPECT_EQ(code_of(theirs.pause(dataset_.id, {})), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(theirs.save_model(dataset_.id, dataset_.model_yaml, {}, no_progress())),
            ErrorCode::kNotFound);
  EXPECT_EQ(theirs.expire_originals({INT64_MAX}, {}, no_progress()).value(), 0u);
  auto transaction = database_->begin(other).value();
  EXPECT_FALSE(catalog::DatasetSources(transaction).get(dataset_.id).value().original.has_value());
  // A record of theirs about the same id is beside ours.
  const auto source = stored_source(dataset_.id);
  catalog::DatasetSource bare;
  bare.dataset_id = dataset_.id;
  ASSERT_OK(catalog::DatasetSources(transaction).put(bare));
  ASSERT_OK(transaction.commit());
  EXPECT_EQ(stored_source(dataset_.id), source);
  EXPECT_EQ(stored(dataset_.id), dataset_);
}

}  // namespace
}  // namespace oa::datasets
