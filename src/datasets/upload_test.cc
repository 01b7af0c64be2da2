// Files that take the place of a dataset's original.
#include "datasets_testkit.h"

namespace oa::datasets {
namespace {

using catalog::DatasetState;

constexpr char kFirst[] = "region,amount\nNorth,1\nSouth,2\n";
constexpr char kSecond[] = "region,amount\nEast-canary,3\nWest,4\nNorth,5\n";

class UploadTest : public DatasetsTest {
 protected:
  void SetUp() override {
    DatasetsTest::SetUp();
    dataset_ = import(kFirst).value();
  }
  Result<catalog::Dataset> upload(std::string_view csv, Progress& progress = no_progress()) {
    return service().replace_file(dataset_.id, MemorySource(Bytes(csv.begin(), csv.end())), {},
                                  rejected_, actor(), progress);
  }
  Result<catalog::Dataset> refresh() {
    return service().refresh(dataset_.id, actor(), no_progress());
  }
  std::vector<std::string> versions(int rows, int originals) const {
    return {"rows/" + dataset_.rows->object_name + " " + std::to_string(rows),
            "originals/datasets/" + dataset_.id.str() + "/original " + std::to_string(originals)};
  }
  void expect_nothing_changed() {
    EXPECT_EQ(stored(dataset_.id), dataset_);
    EXPECT_EQ(objects(), versions(1, 1));
    EXPECT_FALSE(stored_source(dataset_.id).last_failure.has_value());
    EXPECT_EQ(stored_source(dataset_.id).original->digest, Blake2b::of(as_bytes(kFirst)));
  }
  /// Does `act` once the upload is under way.
  template <class Act>
  StepHook meanwhile(Act act) {
    return StepHook([act, done = false](std::string_view) mutable {
      if (!std::exchange(done, true)) act();
    });
  }
  catalog::Dataset dataset_;
  analytics::RejectedRows rejected_;
};

TEST_F(UploadTest, TheFileIsTheOriginalFromNowOn) {
  const auto replaced = upload(kSecond);
  ASSERT_OK(replaced);
  EXPECT_EQ(replaced.value(), stored(dataset_.id));
  EXPECT_EQ(replaced.value().state, DatasetState::kReady);
  EXPECT_EQ(replaced.value().row_count, 3u);
  EXPECT_EQ(replaced.value().versions, dataset_.versions);
  EXPECT_EQ(replaced.value().model_yaml, dataset_.model_yaml);
  EXPECT_EQ(stored_source(dataset_.id).original->digest, Blake2b::of(as_bytes(kSecond)));
  EXPECT_EQ(objects(), versions(2, 2));
  EXPECT_EQ(refresh().value().row_count, 3u);
  EXPECT_EQ(actions(), (std::vector<std::string>{"dataset.create", "dataset.upload",
                                                 "dataset.refresh.success"}));
  EXPECT_TRUE(files_with("canary").empty());
}

TEST_F(UploadTest, OtherColumnsMakeANewVersion) {
  const auto replaced = upload("region,amount,paid\nNorth,1.5,true\n");
  ASSERT_OK(replaced);
  ASSERT_EQ(replaced.value().versions.size(), 2u);
  EXPECT_EQ(replaced.value().versions[0], dataset_.versions[0]);
  EXPECT_EQ(replaced.value().versions[1].version, 2u);
  EXPECT_EQ(
      replaced.value().versions[1].columns,
      (std::vector<Column>{{"region", "VARCHAR"}, {"amount", "DOUBLE"}, {"paid", "BOOLEAN"}}));
}

// As after a restore into another tenant, or of a fork: rows are there, an original is not.
TEST_F(UploadTest, WithoutAnOriginalItIsWhatARefreshAsksFor) {
  catalog::DatasetSource bare;
  bare.dataset_id = dataset_.id;
  auto transaction = begin();
  ASSERT_OK(catalog::DatasetSources(transaction).put(bare));
  ASSERT_OK(transaction.commit());
  const auto refused = refresh();
  EXPECT_EQ(code_of(refused), ErrorCode::kPreconditionFailed);
  EXPECT_NE(refused.error().hint.find("dataset upload"), std::string::npos);
  EXPECT_TRUE(stored_source(dataset_.id).last_failure.has_value());
  ASSERT_OK(upload(kSecond));
  EXPECT_FALSE(stored_source(dataset_.id).last_failure.has_value());
  EXPECT_EQ(refresh().value().row_count, 3u);
}

TEST_F(UploadTest, ARefusedFileChangesNothing) {
  EXPECT_EQ(code_of(upload("region,amount\nNorth,1\nSouth\n")), ErrorCode::kImportRejected);
  ASSERT_EQ(rejected_.rows.size(), 1u);
  EXPECT_EQ(rejected_.rows[0].line, 3u);
  expect_nothing_changed();
  EXPECT_EQ(actions(), std::vector<std::string>{"dataset.create"});
  ASSERT_OK(upload(kSecond));
  EXPECT_TRUE(rejected_.rows.empty());
}

TEST_F(UploadTest, CancelledAtAnyStepNothingHasChanged) {
  std::vector<std::string> steps;
  StepHook counting([&](std::string_view step) {
    steps.emplace_back(step);
    counting.cancel = step == "import";
  });
  EXPECT_EQ(code_of(upload(kSecond, counting)), ErrorCode::kCancelled);
  ASSERT_GE(steps.size(), 2u);
  expect_nothing_changed();
  for (const std::string& at : steps) {
    StepHook cancelling([&](std::string_view step) { cancelling.cancel |= step == at; });
    EXPECT_EQ(code_of(upload(kSecond, cancelling)), ErrorCode::kCancelled) << at;
    expect_nothing_changed();
  }
  ASSERT_OK(upload(kSecond));
}

TEST_F(UploadTest, AnEditOrADeletionMeanwhileWins) {
  const std::string model = dataset_.model_yaml + "# edited\n";
  auto editing = meanwhile(
      [&] { ASSERT_OK(service().save_model(dataset_.id, model, actor(), no_progress())); });
  EXPECT_EQ(code_of(upload(kSecond, editing)), ErrorCode::kPreconditionFailed);
  dataset_.model_yaml = model;
  dataset_.updated_at = stored(dataset_.id).updated_at;
  expect_nothing_changed();
  auto deleting = meanwhile([&] {
    auto transaction = begin();
    ASSERT_OK(catalog::Datasets(transaction).remove(dataset_.id));
    ASSERT_OK(transaction.commit());
  });
  EXPECT_EQ(code_of(upload(kSecond, deleting)), ErrorCode::kPreconditionFailed);
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(objects(), versions(1, 1));
}

TEST_F(UploadTest, RefreshesAndPausesKeepItOut) {
  DatasetState seen = DatasetState::kReady;
  ErrorCode refreshing = ErrorCode::kInternal;
  auto looking = meanwhile([&] {
    seen = service().get(dataset_.id).value().state;
    refreshing = code_of(refresh());
  });
  ASSERT_OK(upload(kSecond, looking));
  EXPECT_EQ(seen, DatasetState::kRefreshing);
  EXPECT_EQ(refreshing, ErrorCode::kDatasetRefreshInProgress);
  ErrorCode uploading = ErrorCode::kInternal;
  auto hook = meanwhile([&] { uploading = code_of(upload(kFirst)); });
  ASSERT_OK(service().refresh(dataset_.id, actor(), hook));
  EXPECT_EQ(uploading, ErrorCode::kDatasetRefreshInProgress);
  ASSERT_OK(service().pause(dataset_.id, actor()));
  EXPECT_EQ(code_of(upload(kFirst)), ErrorCode::kDatasetPaused);
  EXPECT_EQ(stored(dataset_.id).state, DatasetState::kPaused);
}

TEST_F(UploadTest, ADatasetOverASourceTakesNone) {
  fill_source();
  dataset_ = service()
                 .create_from_source(new_dataset("dataset: d\nsource: { type: postgres, ref: "
                                                 "warehouse }\ntables: [{ name: customers }]\n"
                                                 "measures:\n  - { id: n, type: count }\n"),
                                     actor(), no_progress())
                 .value();
  const auto kept = objects();
  EXPECT_EQ(code_of(upload(kSecond)), ErrorCode::kUnsupported);
  EXPECT_EQ(stored(dataset_.id), dataset_);
  EXPECT_EQ(objects(), kept);
}

TEST_F(UploadTest, ReplacedOriginalsExpireAndTheCurrentOneDoesNotBeforeItsRecord) {
  ASSERT_OK(upload(kSecond));
  constexpr std::int64_t kDayUs = std::int64_t{86'400} * 1'000'000;
  // The store's clock is ten days behind the record's.
  auto source = stored_source(dataset_.id);
  source.original->uploaded_at.unix_us += 10 * kDayUs;
  auto transaction = begin();
  ASSERT_OK(catalog::DatasetSources(transaction).put(source));
  ASSERT_OK(transaction.commit());
  const auto expire = [&](std::int64_t days) {
    const Timestamp then{Timestamp::now().unix_us + days * kDayUs};
    return service().expire_originals(then, actor(), no_progress()).value();
  };
  EXPECT_EQ(expire(366), 1u);
  EXPECT_EQ(objects(), versions(2, 1));
  EXPECT_EQ(refresh().value().row_count, 3u);
  EXPECT_EQ(expire(376), 1u);
  EXPECT_FALSE(stored_source(dataset_.id).original.has_value());
  EXPECT_EQ(objects().size(), 1u);
}

TEST_F(UploadTest, OriginalsOfDeletedDatasetsExpireToo) {
  auto transaction = begin();
  ASSERT_OK(catalog::Datasets(transaction).remove(dataset_.id));
  ASSERT_OK(transaction.commit());
  constexpr std::int64_t kDayUs = std::int64_t{86'400} * 1'000'000;
  const std::int64_t now = Timestamp::now().unix_us;
  EXPECT_EQ(service().expire_originals({now + 364 * kDayUs}, actor(), no_progress()).value(), 0u);
  EXPECT_TRUE(stored_source(dataset_.id).original.has_value());
  EXPECT_EQ(service().expire_originals({now + 366 * kDayUs}, actor(), no_progress()).value(), 1u);
  EXPECT_FALSE(stored_source(dataset_.id).original.has_value());
  EXPECT_EQ(objects(), std::vector<std::string>{"rows/" + dataset_.rows->object_name + " 1"});
}

}  // namespace
}  // namespace oa::datasets
