// Refreshes from a tenant's Postgres.
#include <thread>

#include "datasets_testkit.h"
#include "oa/analytics/row_writer.h"

namespace oa::datasets {
namespace {

using catalog::DatasetState;

constexpr char kModel[] =
    "dataset: sales\n"
    "source: { type: postgres, ref: warehouse }\n"
    "tables:\n"
    "  - { name: orders, primary_key: id, from: public.sales }\n"
    "  - { name: customers, primary_key: id }\n"
    "joins:\n"
    "  - { left: orders.customer_id, right: customers.id, kind: many_to_one }\n"
    "dimensions:\n"
    "  - { id: region, column: customers.region }\n"
    "measures:\n"
    "  - { id: revenue, type: sum, column: orders.amount }\n";

class RefreshSourceTest : public DatasetsTest {
 protected:
  void SetUp() override {
    DatasetsTest::SetUp();
    fill_source();
    auto made = service().create_from_source(new_dataset(kModel), actor(), no_progress());
    ASSERT_OK(made);
    dataset_ = std::move(made).value();
  }
  Result<catalog::Dataset> refresh(Progress& progress = no_progress()) {
    return service().refresh(dataset_.id, actor(), progress);
  }
  void expect_no_canary(const Error& error) {
    const std::string text = error.op + error.message + error.hint + error.cause;
    EXPECT_EQ(text.find(source_cluster().password()), std::string::npos) << text;
    EXPECT_EQ(text.find("canary"), std::string::npos) << text;
  }
  catalog::Dataset dataset_;
};

TEST_F(RefreshSourceTest, ItsLifeBeginsWithoutRows) {
  EXPECT_EQ(dataset_.state, DatasetState::kCreated);
  EXPECT_EQ(dataset_.source_ref, "warehouse");
  EXPECT_TRUE(objects().empty());
  DatasetState seen = DatasetState::kReady;
  StepHook looking([&](std::string_view) { seen = stored(dataset_.id).state; });
  const auto first = refresh(looking);
  ASSERT_OK(first);
  EXPECT_EQ(seen, DatasetState::kSyncing);
  EXPECT_EQ(first.value().state, DatasetState::kReady);
  EXPECT_EQ(first.value().row_count, 1002u);
  EXPECT_EQ(stored(dataset_.id), first.value());
  const auto tables = analytics::tables_of(first.value().versions[0].columns, "x");
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(
      tables[0],
      (TableSchema{"orders",
                   {{"id", "BIGINT"}, {"customer_id", "BIGINT"}, {"amount", "DECIMAL(12,2)"}}}));
  EXPECT_EQ(tables[1], (TableSchema{"customers", {{"id", "BIGINT"}, {"region", "VARCHAR"}}}));
  source_sql("INSERT INTO sales VALUES (1001, 1, 5)");
  const auto second = refresh(looking);
  ASSERT_OK(second);
  EXPECT_EQ(seen, DatasetState::kRefreshing);
  EXPECT_EQ(second.value().row_count, 1003u);
  EXPECT_EQ(second.value().versions.size(), 1u);
  EXPECT_TRUE(files_with("canary").empty());
  EXPECT_TRUE(files_with(source_cluster().password()).empty());
}

TEST_F(RefreshSourceTest, OtherColumnsMakeANewVersion) {
  ASSERT_OK(refresh());
  source_sql(
      "ALTER TABLE customers ADD since date; ALTER TABLE sales ALTER amount TYPE numeric(14,3)");
  const auto changed = refresh();
  ASSERT_OK(changed);
  ASSERT_EQ(changed.value().versions.size(), 2u);
  EXPECT_EQ(changed.value().versions[1].version, 2u);
  EXPECT_NE(changed.value().versions[1].columns, changed.value().versions[0].columns);
  ASSERT_OK(refresh());
  EXPECT_EQ(stored(dataset_.id).versions.size(), 2u);
}

TEST_F(RefreshSourceTest, AFailedRefreshLeavesTheLastGoodRows) {
  const auto good = refresh().value();
  const auto kept = objects();
  source_sql(
      "ALTER TABLE sales ALTER amount TYPE numeric; INSERT INTO sales VALUES (7, 1, 4242e40)");
  const auto failed = refresh();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kImportRejected);
  expect_no_canary(failed.error());
  EXPECT_EQ(failed.error().message.find("4242"), std::string::npos);
  EXPECT_EQ(stored(dataset_.id), good);
  EXPECT_EQ(objects(), kept);
  auto source = stored_source(dataset_.id);
  ASSERT_TRUE(source.last_failure.has_value());
  EXPECT_EQ(source.last_failure->code, "import/rejected");
  EXPECT_EQ(source.last_failure->message, failed.error().message);
  EXPECT_EQ(actions().back(), "dataset.refresh.failure");
  source_sql("DELETE FROM sales WHERE id = 7");
  ASSERT_OK(refresh());
  source = stored_source(dataset_.id);
  EXPECT_FALSE(source.last_failure.has_value());
}

TEST_F(RefreshSourceTest, WithoutRowsAFailureIsAnError) {
  source_sql("DROP TABLE sales");
  const auto failed = refresh();
  EXPECT_EQ(code_of(failed), ErrorCode::kSourceRefused);
  expect_no_canary(failed.error());
  EXPECT_EQ(stored(dataset_.id).state, DatasetState::kError);
  EXPECT_TRUE(objects().empty());
  source_sql(
      "CREATE TABLE sales (id int, customer_id int, amount int); GRANT SELECT ON sales TO reader");
  EXPECT_EQ(refresh().value().state, DatasetState::kReady);
}

TEST_F(RefreshSourceTest, CredentialsAreThoseOfNow) {
  ASSERT_OK(refresh());
  auto payload = parse_json(source_cluster().secret_payload()).value();
  payload.as_object()["password"] = "canary-wrong";
  ASSERT_OK(secrets().rotate("warehouse", secret_of(canonical_json(payload)), actor()));
  const auto refused = refresh();
  EXPECT_EQ(code_of(refused), ErrorCode::kSourceRefused);
  expect_no_canary(refused.error());
  ASSERT_OK(secrets().rotate("warehouse", secret_of(source_cluster().secret_payload()), actor()));
  ASSERT_OK(refresh());
  EXPECT_EQ(code_of(secrets().remove("warehouse", false, actor())), ErrorCode::kConflict);
  ASSERT_OK(secrets().remove("warehouse", true, actor()));
  EXPECT_EQ(code_of(refresh()), ErrorCode::kSourceRefused);
  EXPECT_EQ(stored(dataset_.id).state, DatasetState::kReady);
}

TEST_F(RefreshSourceTest, CancelledItLeavesWhatWas) {
  std::vector<std::string> steps;
  StepHook counting([&](std::string_view step) { steps.emplace_back(step); });
  ASSERT_OK(refresh(counting));
  const auto before = stored(dataset_.id);
  const auto kept = objects();
  ASSERT_GE(steps.size(), 2u);
  for (const std::string& at : steps) {
    StepHook cancelling([&](std::string_view step) { cancelling.cancel |= step == at; });
    EXPECT_EQ(code_of(refresh(cancelling)), ErrorCode::kCancelled) << at;
    EXPECT_EQ(stored(dataset_.id), before) << at;
    EXPECT_EQ(objects(), kept) << at;
  }
}

TEST_F(RefreshSourceTest, ModelsAreHeldAgainstTheSource) {
  const auto replaced = [](std::string text, const std::string& old, const std::string& with) {
    return text.replace(text.find(old), old.size(), with);
  };
  const auto create = [&](const std::string& model) {
    return code_of(service().create_from_source(new_dataset(model), actor(), no_progress()));
  };
  EXPECT_EQ(create(replaced(kModel, "orders.amount", "orders.gone")), ErrorCode::kModelInvalid);
  EXPECT_EQ(create(replaced(kModel, "public.sales", "public.gone")), ErrorCode::kSourceRefused);
  EXPECT_EQ(create(replaced(kModel, "ref: warehouse", "ref: elsewhere")),
            ErrorCode::kSourceRefused);
  EXPECT_EQ(create("dataset: d\ntables: [{ name: t }]\nmeasures:\n  - { id: n, type: count }\n"),
            ErrorCode::kModelInvalid);
  EXPECT_EQ(listed().size(), 1u);

  ASSERT_OK(refresh());
  source_sql("CREATE TABLE IF NOT EXISTS regions (name text); GRANT SELECT ON regions TO reader");
  const std::string wider =
      replaced(kModel, "joins:",
               "  - { name: regions, primary_key: name }\njoins:\n  - { left: customers.region, "
               "right: regions.name, kind: many_to_one }");
  const auto saved = service().save_model(dataset_.id, wider, actor(), no_progress());
  ASSERT_OK(saved);
  EXPECT_EQ(saved.value().model_yaml, wider);
  EXPECT_EQ(
      code_of(service().save_model(dataset_.id, replaced(wider, "name: regions,", "name: nowhere,"),
                                   actor(), no_progress())),
      ErrorCode::kModelInvalid);
  EXPECT_EQ(stored(dataset_.id).model_yaml, wider);
  EXPECT_EQ(analytics::tables_of(refresh().value().versions.back().columns, "x").size(), 3u);
  source_sql("DROP TABLE regions");
}

TEST_F(RefreshSourceTest, AnOutsidersNetworkIsNotOurs) {
  DatasetService strict({*database_, *objects_, *keys_}, tenant_);
  const auto refused = strict.refresh(dataset_.id, actor(), no_progress());
  EXPECT_EQ(code_of(refused), ErrorCode::kSourceRefused);
  EXPECT_EQ(stored_source(dataset_.id).last_failure->code, "source/refused");
}

}  // namespace
}  // namespace oa::datasets
