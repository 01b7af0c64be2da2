#include "visual.h"

#include <boost/json.hpp>

#include "reports_testkit.h"

namespace oa::reports {
namespace {

using Cells = std::vector<Value>;

class VisualTest : public ReportsTest {
 protected:
  void SetUp() override {
    ReportsTest::SetUp();
    reader_ = reader_of(dataset_of(kSalesRows, kSalesModel));
  }
  static catalog::Visual visual(catalog::VisualKind kind, std::string_view query,
                                std::string_view options = "{}") {
    catalog::Visual visual;
    visual.kind = kind;
    visual.query = *JsonText::parse(query);
    visual.options = *JsonText::parse(options);
    return visual;
  }
  VisualResult show(const catalog::Visual& visual, std::string_view filters = "[]") {
    VisualResult result;
    const auto decoded_filters = semantics::decode_filters(*parse_json(filters), "filters");
    auto decoded = decode_visual(visual);
    EXPECT_TRUE(decoded_filters.ok() && decoded.ok());
    if (!decoded.ok()) return result;
    const Status shown = show_visual(*reader_, *decoded, *decoded_filters, {}, {now_, {}, {}}, 1,
                                     no_progress(), result);
    EXPECT_TRUE(shown.ok()) << shown.error().message << shown.error().cause;
    result.digest = visual_digest(result);
    return result;
  }
  static ErrorCode refusal(const catalog::Visual& visual) {
    const auto decoded = decode_visual(visual);
    return decoded.ok() ? ErrorCode::kInternal : decoded.error().code;
  }

  std::unique_ptr<DatasetReader> reader_;
};

constexpr char kByRegionAndProduct[] =
    R"({"dimensions":[{"id":"region"},{"id":"product"}],"measures":["revenue","aov"],"filters":[],
        "order_by":[{"field":"region","dir":"asc"}],"limit":100})";

TEST_F(VisualTest, MatrixHasSubtotalsOfItsRowsAndColumns) {
  const auto result = show(visual(catalog::VisualKind::kMatrix, kByRegionAndProduct,
                                  R"({"rows":["region"],"columns":["product"]})"));
  ASSERT_EQ(result.answer.row_count, 4u);
  ASSERT_EQ(result.subtotals.size(), 3u);  // by region, by product, of everything
  EXPECT_EQ(result.subtotals[0].fields[0].cells, (Cells{"North", "South", {}}));
  EXPECT_EQ(result.subtotals[0].fields[1].cells, (Cells{110.5, 50.0, 40.0}));
  EXPECT_EQ(result.subtotals[1].fields[0].cells, (Cells{"Desk", "Lamp"}));
  EXPECT_EQ(result.subtotals[1].fields[1].cells, (Cells{140.0, 60.5}));
  EXPECT_EQ(result.subtotals[2].fields[0].cells, Cells{200.5});
  EXPECT_EQ(result.subtotals[2].fields[1].cells, Cells{40.1})
      << "a ratio of totals, no sum of ratios";
}

TEST_F(VisualTest, MatrixWithoutLayoutHasAllDimensionsAsRows) {
  EXPECT_EQ(show(visual(catalog::VisualKind::kMatrix, kByRegionAndProduct)).subtotals.size(), 2u);
  EXPECT_TRUE(
      show(visual(catalog::VisualKind::kMatrix, kByRegionAndProduct, R"({"subtotals":false})"))
          .subtotals.empty());
  EXPECT_TRUE(show(visual(catalog::VisualKind::kTable, kByRegionAndProduct)).subtotals.empty());
}

TEST_F(VisualTest, KpiComparesTheNewestPeriodWithTheOneBefore) {
  const auto result = show(
      visual(catalog::VisualKind::kKpi, R"({"measures":["revenue"]})",
             R"({"comparison":{"kind":"previous_period","dimension":"sold","grain":"month"}})"));
  EXPECT_EQ(result.answer.fields[0].cells, Cells{200.5});
  ASSERT_TRUE(result.comparison.has_value());
  EXPECT_EQ(result.comparison->period, "2024-03-01");
  EXPECT_EQ(result.comparison->previous_period, "2024-02-01");
  EXPECT_EQ(result.comparison->value, 70);
  EXPECT_EQ(result.comparison->reference, 120);
  EXPECT_EQ(result.comparison->change, -50);
  EXPECT_NEAR(*result.comparison->change_percent, -41.6667, 1e-3);
}

TEST_F(VisualTest, TotalsAreOfAllRowsWhateverAFilterOnAMeasureKeepsOut) {
  auto matrix = visual(catalog::VisualKind::kMatrix,
                       R"({"dimensions":[{"id":"region"},{"id":"product"}],"measures":["revenue"],
                           "filters":[{"field":"revenue","op":"lt","value":45}]})");
  const auto result = show(matrix);
  EXPECT_EQ(result.answer.row_count, 2u);
  EXPECT_EQ(result.subtotals.back().fields[0].cells, Cells{200.5});
}

TEST_F(VisualTest, NumbersThatAreNoneAreShownAndNotCompared) {
  reader_ = reader_of(dataset_of(
      "id,region,product,amount,sold_on\n1,North,Lamp,inf,2024-02-10\n2,North,Desk,1,2024-01-10\n"
      "3,South,Desk,nan,2024-03-10\n",
      kSalesModel));
  const auto kpi = visual(
      catalog::VisualKind::kKpi, R"({"measures":["revenue"]})",
      R"({"comparison":{"kind":"previous_period","dimension":"sold","grain":"month"}})");
  auto result = show(kpi);
  ASSERT_TRUE(result.comparison.has_value());
  EXPECT_FALSE(result.comparison->value.has_value());
  EXPECT_FALSE(result.comparison->change.has_value());
  result = show(visual(catalog::VisualKind::kTable,
                       R"({"dimensions":[{"id":"sold"}],"measures":["revenue"]})"));
  EXPECT_EQ(canonical_json(to_json(result.answer).at("rows")),
            R"([["2024-01-10",1],["2024-02-10","Infinity"],["2024-03-10","NaN"]])");
}

TEST_F(VisualTest, KpiWithoutAPeriodBeforeSaysSo) {
  const auto result = show(visual(
      catalog::VisualKind::kKpi,
      R"({"measures":["revenue"],"filters":[{"field":"sold","op":"gte","value":"2024-03-01"}]})",
      R"({"comparison":{"kind":"previous_period","dimension":"sold","grain":"month"}})"));
  ASSERT_TRUE(result.comparison.has_value());
  EXPECT_EQ(result.comparison->value, 70);
  EXPECT_FALSE(result.comparison->reference.has_value());
  EXPECT_FALSE(result.comparison->change.has_value());
}

TEST_F(VisualTest, FiltersOfTheReportApplyWhereTheModelHasTheField) {
  const auto table = visual(catalog::VisualKind::kTable, R"({"measures":["orders"]})");
  const auto all = show(table);
  const auto filtered = show(table,
                             R"([{"field":"region","op":"eq","value":"South"},
                                 {"field":"carrier","op":"eq","value":"Rail"}])");
  EXPECT_EQ(all.answer.fields[0].cells, Cells{std::int64_t{5}});
  EXPECT_EQ(filtered.answer.fields[0].cells, Cells{std::int64_t{2}});
  EXPECT_EQ(filtered.ignored_filters, std::vector<std::string>{"carrier"});
  EXPECT_NE(all.digest, filtered.digest);
}

TEST_F(VisualTest, DigestIsOfWhatIsShown) {
  const auto table = visual(catalog::VisualKind::kTable, kByRegionAndProduct);
  const auto first = show(table);
  EXPECT_EQ(first.digest, show(table).digest);
  auto changed = first;
  changed.answer.fields[1].cells[0] = "another";
  EXPECT_NE(visual_digest(changed), first.digest);
  changed = first;
  changed.answer.fields[2].cells[0] = Value();
  EXPECT_NE(visual_digest(changed), first.digest);
  changed = first;
  changed.answer.fields[0].column.label = "Another label";
  changed.answer.sql_preview = "another";
  EXPECT_EQ(visual_digest(changed), first.digest);
  changed.error = make_error(ErrorCode::kQueryTimeout, "", "");
  EXPECT_NE(visual_digest(changed), first.digest);
}

TEST_F(VisualTest, RefusesWhatItDoesNotKnow) {
  using enum catalog::VisualKind;
  EXPECT_EQ(refusal(visual(kTable, "[]")), ErrorCode::kQueryInvalid);
  EXPECT_EQ(refusal(visual(kKpi, R"({"dimensions":[{"id":"region"}]})")), ErrorCode::kQueryInvalid);
  for (const char* options :
       {R"({"comparison":{"kind":"target"}})", R"({"comparison":5})",
        R"({"comparison":{"kind":"previous_period","dimension":"sold","grain":"hour"}})",
        R"({"comparison":{"kind":"previous_period","dimension":"sold","grain":"day","x":1}})"}) {
    EXPECT_EQ(refusal(visual(kKpi, R"({"measures":["revenue"]})", options)),
              ErrorCode::kQueryInvalid)
        << options;
  }
  for (const char* options : {R"({"rows":["nothing"]})", R"({"rows":"region"})", R"({"rows":[1]})",
                              R"({"subtotals":"yes"})"}) {
    EXPECT_EQ(refusal(visual(kMatrix, kByRegionAndProduct, options)), ErrorCode::kQueryInvalid)
        << options;
  }
}

TEST_F(VisualTest, PagesFollowEachOther) {
  const auto request = *semantics::decode_query(
      *parse_json(
          R"({"dimensions":[{"id":"product"},{"id":"region"}],"measures":["orders"],"limit":3})"),
      "query");
  AskOptions options{now_, {}, {}};
  const auto first = reader_->ask(request, {}, options, no_progress());
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->row_count, 3u);
  ASSERT_TRUE(first->next_cursor.has_value());
  options.cursor = first->next_cursor;
  const auto second = reader_->ask(request, {}, options, no_progress());
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->row_count, 1u);
  EXPECT_FALSE(second->next_cursor.has_value());
  std::set<std::string> seen;
  for (const auto* page : {&*first, &*second}) {
    const json::value rows = to_json(*page).at("rows");
    for (const auto& row : rows.as_array()) EXPECT_TRUE(seen.insert(canonical_json(row)).second);
  }
  EXPECT_EQ(seen.size(), 4u);
  auto other = request;
  other.measures = {"revenue"};
  EXPECT_EQ(reader_->ask(other, {}, options, no_progress()).error().code,
            ErrorCode::kCursorMismatch);
  options.now.unix_us += std::int64_t{25} * 3600 * 1'000'000;
  EXPECT_EQ(reader_->ask(request, {}, options, no_progress()).error().code,
            ErrorCode::kCursorExpired);
}

TEST_F(VisualTest, AColumnThatVanishedIsNamed) {
  auto dataset = dataset_of("id,region,amount,sold_on\n1,North,10.5,2024-01-10\n", kSalesModel);
  const auto before = dataset_of(kSalesRows, kSalesModel);
  dataset.versions[0].version = 2;
  dataset.versions.insert(dataset.versions.begin(), before.versions[0]);
  const auto reader = reader_of(dataset);
  const auto by_product = *semantics::decode_query(
      *parse_json(R"({"dimensions":[{"id":"product"}],"measures":["orders"]})"), "query");
  const auto gone = reader->ask(by_product, {}, {now_, {}, {}}, no_progress(), 1);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::kQueryInvalid);
  EXPECT_NE(gone.error().message.find("between its version 1 and 2"), std::string::npos)
      << gone.error().message;
  EXPECT_NE(gone.error().message.find("product"), std::string::npos) << gone.error().message;
  const auto by_region = *semantics::decode_query(
      *parse_json(R"({"dimensions":[{"id":"region"}],"measures":["revenue"]})"), "query");
  EXPECT_TRUE(reader->ask(by_region, {}, {now_, {}, {}}, no_progress(), 1).ok())
      << "what is still there goes on";
}

TEST_F(VisualTest, ADatasetWithoutRowsSaysSo) {
  catalog::Dataset dataset;
  dataset.model_yaml = kSalesModel;
  const auto reader = DatasetReader::open(*objects_, tenant_, dataset);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, ErrorCode::kDatasetNotRefreshed);
}

}  // namespace
}  // namespace oa::reports
