// Datasets out of files.
#include "datasets_testkit.h"
#include "oa/analytics/importer.h"

namespace oa::datasets {
namespace {

constexpr char kCsv[] =
    "Region,Order "
    "Date,Amount,Paid,1st\nNorth-canary,2024-01-01,1.5,true,7\nSouth,2024-01-02,2.5,false,8\n";

class ImportTest : public DatasetsTest {
 protected:
  void expect_nothing() {
    EXPECT_TRUE(listed().empty());
    EXPECT_TRUE(objects().empty());
    EXPECT_TRUE(actions().empty());
  }
};

TEST_F(ImportTest, ADatasetIsReadyAtOnce) {
  const auto made = import(kCsv);
  ASSERT_OK(made);
  const catalog::Dataset& dataset = made.value();
  EXPECT_EQ(stored(dataset.id), dataset);
  EXPECT_EQ(dataset.state, catalog::DatasetState::kReady);
  EXPECT_EQ(dataset.row_count, 2u);
  ASSERT_EQ(dataset.versions.size(), 1u);
  EXPECT_EQ(dataset.versions[0].columns.size(), 5u);
  EXPECT_TRUE(dataset.last_refresh_at.has_value());
  const ObjectKey key{tenant_, RetentionClass::kRows, dataset.rows->object_name};
  const auto rows =
      analytics::describe_rows(*objects_, key, VersionId{dataset.rows->object_version});
  ASSERT_OK(rows);
  EXPECT_EQ(rows.value().columns, dataset.versions[0].columns);
  EXPECT_EQ(actions(), std::vector<std::string>{"dataset.create"});
}

TEST_F(ImportTest, TheOriginalIsKeptSealed) {
  const auto dataset = import(kCsv).value();
  const auto original = stored_source(dataset.id).original;
  ASSERT_TRUE(original.has_value());
  EXPECT_EQ(original->object_name, "datasets/" + dataset.id.str() + "/original");
  EXPECT_EQ(original->size_bytes, sizeof(kCsv) - 1);
  EXPECT_EQ(original->digest, Blake2b::of(as_bytes(kCsv)));
  const ObjectKey key{tenant_, RetentionClass::kOriginals, original->object_name};
  const auto opened = objects_->open(key, VersionId{original->object_version}).value();
  EXPECT_EQ(as_text(read_all(*opened, 1000).value()), kCsv);
  EXPECT_TRUE(files_with("canary").empty());
}

TEST_F(ImportTest, AModelIsMadeFromTheColumns) {
  const auto dataset = import(kCsv).value();
  EXPECT_EQ(
      dataset.model_yaml,
      "dataset: \"sales_2024\"\n"
      "tables:\n"
      "  - { name: \"sales_2024\" }\n"
      "dimensions:\n"
      "  - { id: \"region\", column: \"sales_2024.Region\", label: \"Region\" }\n"
      "  - { id: \"order_date\", column: \"sales_2024.Order Date\", label: \"Order Date\", type: "
      "date, "
      "grains: [day, week, month, quarter, year] }\n"
      "  - { id: \"paid\", column: \"sales_2024.Paid\", label: \"Paid\" }\n"
      "measures:\n"
      "  - { id: row_count, type: count }\n"
      "  - { id: \"total_amount\", type: sum, column: \"sales_2024.Amount\", label: \"Amount\" }\n"
      "  - { id: \"total_1st\", type: sum, column: \"sales_2024.1st\", label: \"1st\" }\n");
  // Names that are hard to tell apart or to write.
  const auto odd =
      import("a b,a-b,\"say \"\"hi\"\"\",\u017Elu\u0165,row count,null,x.y\n1,x,x,x,x,x,x\n");
  ASSERT_OK(odd);
  EXPECT_NE(odd.value().model_yaml.find("id: \"row_count_2\""), std::string::npos);
  EXPECT_NE(odd.value().model_yaml.find("id: \"say_hi\", column: \"sales_2024.say \\\"hi\\\"\""),
            std::string::npos);
}

TEST_F(ImportTest, AGivenModelMustFitAndIsKeptAsItIs) {
  const std::string model =
      "# mine\ndataset: d\ntables: [{ name: t }]\nmeasures:\n  - { id: a, type: sum, column: "
      "t.Amount }\n";
  EXPECT_EQ(import(kCsv, model).value().model_yaml, model);
  const auto before = objects();
  for (const char* wrong :
       {"dataset: [",
        "dataset: d\ntables: [{ name: t }]\nmeasures:\n  - { id: a, type: sum, column: t.Gone }\n",
        "dataset: d\nsource: { type: postgres, ref: warehouse }\ntables: [{ name: t }]\nmeasures:\n"
        "  - { id: a, type: count }\n"}) {
    EXPECT_EQ(code_of(import(kCsv, wrong)), ErrorCode::kModelInvalid) << wrong;
  }
  EXPECT_EQ(objects(), before);
  EXPECT_EQ(listed().size(), 1u);
}

TEST_F(ImportTest, AllOrNothing) {
  EXPECT_EQ(code_of(import("a,b\n1,2\n3\n")), ErrorCode::kImportRejected);
  expect_nothing();
  auto nowhere = new_dataset();
  nowhere.workspace = WorkspaceId::random();
  auto nameless = new_dataset();
  nameless.name = "";
  auto nobody = new_dataset();
  nobody.created_by = UserId::random();
  analytics::RejectedRows rejected;
  const MemorySource file(Bytes(kCsv, kCsv + sizeof(kCsv) - 1));
  for (const auto& [dataset, code] :
       {std::pair(nowhere, ErrorCode::kNotFound), std::pair(nameless, ErrorCode::kInvalidArgument),
        std::pair(nobody, ErrorCode::kInvalidArgument)}) {
    EXPECT_EQ(code_of(service().import_file(dataset, file, {}, rejected, actor(), no_progress())),
              code);
    expect_nothing();
  }
}

TEST_F(ImportTest, CancelledAtAnyStepNothingIsLeft) {
  std::vector<std::string> steps;
  StepHook counting([&](std::string_view step) { steps.emplace_back(step); });
  ASSERT_OK(import(kCsv, "", counting));
  ASSERT_GE(steps.size(), 2u);
  const auto before = objects();
  for (const std::string& at : steps) {
    StepHook cancelling([&](std::string_view step) { cancelling.cancel |= step == at; });
    EXPECT_EQ(code_of(import(kCsv, "", cancelling)), ErrorCode::kCancelled) << at;
    EXPECT_EQ(objects(), before) << at;
  }
  EXPECT_EQ(listed().size(), 1u);
}

TEST_F(ImportTest, OriginalsExpireAfterAYearAndRowsStay) {
  const auto dataset = import(kCsv).value();
  constexpr std::int64_t kDayUs = std::int64_t{86'400} * 1'000'000;
  const Timestamp now = Timestamp::now();
  EXPECT_EQ(
      service().expire_originals({now.unix_us + 364 * kDayUs}, actor(), no_progress()).value(), 0u);
  EXPECT_TRUE(stored_source(dataset.id).original.has_value());
  EXPECT_EQ(
      service().expire_originals({now.unix_us + 366 * kDayUs}, actor(), no_progress()).value(), 1u);
  EXPECT_FALSE(stored_source(dataset.id).original.has_value());
  EXPECT_EQ(objects(), std::vector<std::string>{"rows/" + dataset.rows->object_name + " 1"});
  EXPECT_EQ(stored(dataset.id), dataset);
  EXPECT_EQ(code_of(service().refresh(dataset.id, actor(), no_progress())),
            ErrorCode::kPreconditionFailed);
  EXPECT_EQ(stored(dataset.id), dataset);  // it still has rows
  EXPECT_EQ(actions(), (std::vector<std::string>{"dataset.create", "dataset.original.expire",
                                                 "dataset.refresh.failure"}));
  EXPECT_EQ(
      service().expire_originals({now.unix_us + 366 * kDayUs}, actor(), no_progress()).value(), 0u);
}

}  // namespace
}  // namespace oa::datasets
