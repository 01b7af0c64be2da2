// Models whose keys the rows do not keep to.
#include "datasets_testkit.h"
#include "oa/semantics/model.h"

namespace oa::datasets {
namespace {

using catalog::DatasetState;

constexpr char kUnique[] = "id,code\n1,canary-a\n2,canary-a\n3,canary-b\n4,\n";
constexpr char kRepeated[] = "id,code\n1,canary-a\n1,canary-b\n2,canary-b\n2,canary-c\n3,\n";

std::string model_with(const std::string& key) {
  return "dataset: d\ntables:\n  - { name: t, primary_key: " + key +
         " }\nmeasures:\n  - { id: n, type: count }\n";
}

void expect_refused(const Result<catalog::Dataset>& result, const std::string& message) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kModelInvalid);
  EXPECT_EQ(result.error().message, message);
  EXPECT_FALSE(result.error().hint.empty());
}

class KeysTest : public DatasetsTest {
 protected:
  Result<catalog::Dataset> save(DatasetId id, const std::string& model,
                                Progress& progress = no_progress()) {
    return service().save_model(id, model, actor(), progress);
  }
  Result<catalog::Dataset> refresh(DatasetId id) {
    return service().refresh(id, actor(), no_progress());
  }
};

TEST_F(KeysTest, AnImportHoldsTheModelAgainstTheRows) {
  expect_refused(import(kRepeated, model_with("id")),
                 "line 3, column 5: the key t.id is not unique: the rows have 2 values of it "
                 "several times");
  expect_refused(import("id,code\n1,x\n1,y\n", model_with("id")),
                 "line 3, column 5: the key t.id is not unique: the rows have 1 value of it "
                 "several times");
  EXPECT_TRUE(listed().empty());
  EXPECT_TRUE(objects().empty());
  ASSERT_OK(import(kUnique, model_with("id")));
  ASSERT_OK(import(kRepeated, model_with("[id, code]")));
}

// A row without a key can be told from the others while it is the only one.
TEST_F(KeysTest, AnAbsentValueIsOneValueOfAPrimaryKey) {
  ASSERT_OK(import("id,x\n1,1\n,2\n", model_with("id")));
  expect_refused(import("id,x\n1,1\n,2\n,3\n", model_with("id")),
                 "line 3, column 5: the key t.id is not unique: the rows have 1 value of it "
                 "several times");
}

TEST_F(KeysTest, AModelMadeFromTheColumnsClaimsNoKey) {
  const auto made = import("id,id2\n1,x\n1,x\n");
  ASSERT_OK(made);
  EXPECT_TRUE(
      semantics::key_checks(semantics::parse_model(made.value().model_yaml).value()).empty());
}

TEST_F(KeysTest, AnUploadHoldsTheRowsAgainstTheModel) {
  const auto dataset = import(kUnique, model_with("id")).value();
  const auto kept = objects();
  analytics::RejectedRows rejected;
  const auto upload = [&](std::string_view csv) {
    return service().replace_file(dataset.id, MemorySource(Bytes(csv.begin(), csv.end())), {},
                                  rejected, actor(), no_progress());
  };
  expect_refused(upload(kRepeated),
                 "line 3, column 5: the key t.id is not unique: the rows have 2 values of it "
                 "several times");
  EXPECT_EQ(stored(dataset.id), dataset);
  EXPECT_EQ(objects(), kept);
  // Without the column there is no query that could use it.
  EXPECT_EQ(upload("other\n1\n1\n").value().versions.size(), 2u);
}

TEST_F(KeysTest, ASavedModelIsHeldAgainstTheRows) {
  const auto dataset = import(kRepeated).value();
  expect_refused(save(dataset.id, model_with("code")),
                 "line 3, column 5: the key t.code is not unique: the rows have 1 value of it "
                 "several times");
  EXPECT_EQ(stored(dataset.id), dataset);
  ASSERT_OK(save(dataset.id, model_with("[id, code]")));
}

TEST_F(KeysTest, RowsThatChangeMeanwhileAreNotVouchedFor) {
  const auto dataset = import(kUnique).value();
  bool checked = false;
  StepHook refreshing([&](std::string_view step) {
    checked = step == "checking keys";
    if (checked) ASSERT_OK(refresh(dataset.id));
  });
  EXPECT_EQ(code_of(save(dataset.id, model_with("id"), refreshing)),
            ErrorCode::kPreconditionFailed);
  EXPECT_TRUE(checked);
  EXPECT_EQ(stored(dataset.id).model_yaml, dataset.model_yaml);
  ASSERT_OK(save(dataset.id, model_with("id")));
}

class SourceKeysTest : public KeysTest {
 protected:
  void SetUp() override {
    DatasetsTest::SetUp();
    fill_source();
  }
  catalog::Dataset connect(const std::string& model) {
    auto made = service().create_from_source(new_dataset(model), actor(), no_progress());
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(made).value();
  }
  static std::string model_of(const std::string& customers) {
    return "dataset: sales\n"
           "source: { type: postgres, ref: warehouse }\n"
           "tables:\n"
           "  - { name: sales, primary_key: id }\n"
           "  - { name: customers" +
           customers +
           " }\n"
           "joins:\n"
           "  - { left: sales.customer_id, right: customers.id, kind: many_to_one }\n"
           "measures:\n"
           "  - { id: revenue, type: sum, column: sales.amount }\n";
  }
};

TEST_F(SourceKeysTest, ARefreshThatBreaksAKeyLeavesTheLastGoodRows) {
  const auto dataset = connect(model_of(""));
  const auto good = refresh(dataset.id).value();
  const auto kept = objects();
  source_sql("INSERT INTO customers VALUES (2, 'East-canary')");
  const auto failed = refresh(dataset.id);
  expect_refused(failed,
                 "line 7, column 39: the key customers.id is not unique: the rows have 1 value of "
                 "it several times");
  EXPECT_EQ(stored(dataset.id), good);
  EXPECT_EQ(objects(), kept);
  const auto failure = stored_source(dataset.id).last_failure;
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->message, failed.error().message);
  EXPECT_EQ(actions().back(), "dataset.refresh.failure");
  // Whom no sale can belong to may be there twice.
  source_sql("UPDATE customers SET id = NULL WHERE region LIKE '%canary'");
  ASSERT_OK(refresh(dataset.id));
}

TEST_F(SourceKeysTest, AFirstRefreshThatBreaksAKeyIsAnError) {
  source_sql("INSERT INTO customers VALUES (1, 'East'), (2, 'East')");
  const auto dataset = connect(model_of(", primary_key: id"));
  expect_refused(refresh(dataset.id),
                 "line 5, column 5: the key customers.id is not unique: the rows have 2 values of "
                 "it several times");
  EXPECT_EQ(stored(dataset.id).state, DatasetState::kError);
  EXPECT_TRUE(objects().empty());
}

TEST_F(SourceKeysTest, ASavedModelIsHeldAgainstTheTablesThatWereRead) {
  const auto dataset = connect(model_of(""));
  ASSERT_OK(refresh(dataset.id));
  source_sql(
      "DROP TABLE IF EXISTS colours; CREATE TABLE colours (name text);"
      "INSERT INTO colours VALUES ('red'), ('red'); GRANT SELECT ON colours TO reader;"
      "INSERT INTO customers VALUES (3, 'South')");
  // What was read keeps to it, what is in the source does not: the next refresh will tell.
  const std::string wider =
      model_of(", primary_key: region }\n  - { name: colours, primary_key: name");
  ASSERT_OK(save(dataset.id, wider));
  EXPECT_EQ(code_of(refresh(dataset.id)), ErrorCode::kModelInvalid);
  std::string wrong = model_of(" }\n  - { name: colours");
  wrong.replace(wrong.find("key: id"), 7, "key: customer_id");
  expect_refused(save(dataset.id, wrong),
                 "line 4, column 5: the key sales.customer_id is not unique: the rows have 2 "
                 "values of it several times");
  source_sql("DROP TABLE colours");
}

}  // namespace
}  // namespace oa::datasets
