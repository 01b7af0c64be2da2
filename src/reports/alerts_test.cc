#include "oa/reports/alerts.h"

#include <boost/json.hpp>

#include "reports_testkit.h"

namespace oa::reports {
namespace {

using catalog::AlertOutcome;

class AlertsTest : public ReportsTest {
 protected:
  void SetUp() override {
    ReportsTest::SetUp();
    reader_ = ReportsTest::reader_of(dataset_of(kSalesRows, kSalesModel));
  }
  static catalog::Alert alert(std::string_view condition, const std::string& grain = "month",
                              const std::string& measure = "revenue") {
    catalog::Alert alert;
    alert.measure = measure;
    alert.grain = grain;
    alert.condition = *JsonText::parse(condition);
    return alert;
  }
  Result<AlertAssessment> assess(const catalog::Alert& alert, const char* now = nullptr) {
    return assess_alert(*reader_, alert, {}, now == nullptr ? now_ : *Timestamp::parse(now),
                        no_progress());
  }
  AlertOutcome outcome(const catalog::Alert& alert, const char* now = nullptr) {
    const auto assessed = assess(alert, now);
    EXPECT_TRUE(assessed.ok()) << assessed.error().message;
    return assessed.ok() ? assessed->current.outcome : AlertOutcome::kError;
  }

  std::unique_ptr<DatasetReader> reader_;
};

TEST_F(AlertsTest, ThresholdOfTheNewestPeriod) {
  const auto assessed = assess(alert(R"({"type":"threshold","op":"lt","value":71})"));
  ASSERT_TRUE(assessed.ok()) << assessed.error().message;
  EXPECT_EQ(assessed->current.period, "2024-03-01");
  EXPECT_EQ(assessed->current.value, 70);
  EXPECT_EQ(assessed->current.reference, 71);
  EXPECT_EQ(assessed->current.outcome, AlertOutcome::kFiring);
  struct Case {
    const char* op;
    double value;
    bool fires;
  };
  for (const Case& each : {Case{"lt", 70, false}, Case{"lte", 70, true}, Case{"gt", 70, false},
                           Case{"gt", 69.5, true}, Case{"gte", 70, true}, Case{"eq", 70, true},
                           Case{"eq", 71, false}, Case{"ne", 70, false}, Case{"ne", 71, true}}) {
    const json::object condition{{"type", "threshold"}, {"op", each.op}, {"value", each.value}};
    EXPECT_EQ(outcome(alert(canonical_json(condition))),
              each.fires ? AlertOutcome::kFiring : AlertOutcome::kOk)
        << each.op << each.value;
  }
}

TEST_F(AlertsTest, ChangeAgainstThePeriodBefore) {
  const auto fires = [&](const char* condition) {
    return outcome(alert(condition)) == AlertOutcome::kFiring;
  };
  // From 120 in February to 70 in March: -50, -41.7 %.
  EXPECT_TRUE(fires(R"({"type":"change","absolute":-50})"));
  EXPECT_FALSE(fires(R"({"type":"change","absolute":-51})"));
  EXPECT_FALSE(fires(R"({"type":"change","absolute":50})"));
  EXPECT_TRUE(fires(R"({"type":"change","percent":-41})"));
  EXPECT_FALSE(fires(R"({"type":"change","percent":-42})"));
  EXPECT_FALSE(fires(R"({"type":"change","percent":0})"));
}

TEST_F(AlertsTest, NowDecidesWhichPeriodIsNewest) {
  const auto threshold = alert(R"({"type":"threshold","op":"gt","value":100})");
  EXPECT_EQ(outcome(threshold, "2024-02-28T00:00:00Z"), AlertOutcome::kFiring);
  EXPECT_EQ(outcome(threshold, "2024-02-15T00:00:00Z"), AlertOutcome::kOk) << "a part of February";
  EXPECT_EQ(outcome(threshold, "2025-01-01T00:00:00Z"), AlertOutcome::kOk)
      << "the newest with rows";
  EXPECT_EQ(outcome(threshold, "2023-12-31T00:00:00Z"), AlertOutcome::kNoData);
  EXPECT_EQ(outcome(alert(R"({"type":"change","percent":-1})"), "2024-01-31T00:00:00Z"),
            AlertOutcome::kNoData)
      << "nothing before it";
}

TEST_F(AlertsTest, PreviewOfTheLastThirtyDays) {
  const auto daily = assess(alert(R"({"type":"threshold","op":"gt","value":25})", "day"));
  ASSERT_TRUE(daily.ok());
  ASSERT_EQ(daily->preview.size(), 31u);
  EXPECT_EQ(daily->preview.front().period, "2024-02-14");
  EXPECT_EQ(daily->preview.back().period, "2024-03-15");
  std::vector<std::string> firing, ok;
  for (const auto& point : daily->preview) {
    if (point.outcome == AlertOutcome::kFiring) firing.push_back(point.period);
    if (point.outcome == AlertOutcome::kOk) ok.push_back(point.period);
  }
  EXPECT_EQ(firing, (std::vector<std::string>{"2024-03-01", "2024-03-14"}));
  EXPECT_EQ(ok, std::vector<std::string>{"2024-02-20"});

  const auto monthly = assess(alert(R"({"type":"change","percent":-10})"));
  ASSERT_EQ(monthly->preview.size(), 2u);
  EXPECT_EQ(monthly->preview[0].outcome, AlertOutcome::kOk);
  EXPECT_EQ(monthly->preview[1].outcome, AlertOutcome::kFiring);
}

TEST_F(AlertsTest, WithoutADateOnlyAThresholdMakesSense) {
  std::string model = kSalesModel;
  model.erase(model.find("  - { id: sold,"),
              model.find("measures:") - model.find("  - { id: sold,"));
  reader_ = ReportsTest::reader_of(dataset_of(kSalesRows, model));
  const auto total = assess(alert(R"({"type":"threshold","op":"gt","value":200})"));
  ASSERT_TRUE(total.ok()) << total.error().message;
  EXPECT_EQ(total->current.value, 200.5);
  EXPECT_EQ(total->current.outcome, AlertOutcome::kFiring);
  EXPECT_TRUE(total->preview.empty());
  EXPECT_EQ(assess(alert(R"({"type":"change","percent":1})")).error().code,
            ErrorCode::kQueryInvalid);
}

TEST_F(AlertsTest, NumbersThatAreNoneAreNoData) {
  reader_ = ReportsTest::reader_of(dataset_of(
      "id,region,product,amount,sold_on\n1,North,Lamp,1e-290,2024-02-10\n2,North,Desk,1e290,2024-03-10\n",
      kSalesModel));
  EXPECT_EQ(outcome(alert(R"({"type":"change","percent":1})")), AlertOutcome::kNoData)
      << "more percent than a double holds";
  EXPECT_EQ(outcome(alert(R"({"type":"change","absolute":1})")), AlertOutcome::kFiring);
  reader_ = ReportsTest::reader_of(dataset_of(
      "id,region,product,amount,sold_on\n1,North,Lamp,-inf,2024-03-10\n", kSalesModel));
  EXPECT_EQ(outcome(alert(R"({"type":"threshold","op":"lt","value":1})")), AlertOutcome::kNoData);
}

TEST_F(AlertsTest, BadConditionsAreRefused) {
  for (const char* condition :
       {"{}", R"({"type":"threshold"})", R"({"type":"threshold","op":"like","value":1})",
        R"({"type":"threshold","op":"gt","value":"1"})", R"({"type":"change"})",
        R"({"type":"change","percent":1,"absolute":1})", R"({"type":"x"})",
        R"({"type":"threshold","op":"gt","value":1,"extra":1})"}) {
    EXPECT_EQ(assess(alert(condition)).error().code, ErrorCode::kInvalidArgument) << condition;
  }
  EXPECT_EQ(assess(alert(R"({"type":"anomaly"})")).error().code, ErrorCode::kUnsupported);
  const char* fine = R"({"type":"threshold","op":"gt","value":1})";
  EXPECT_EQ(assess(alert(fine, "hour")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(assess(alert(fine, "month", "nothing")).error().code, ErrorCode::kQueryInvalid);
  EXPECT_EQ(assess(alert(R"({"type":"threshold","op":"gt","value":1,"dimension":"region"})"))
                .error()
                .code,
            ErrorCode::kQueryInvalid);
}

}  // namespace
}  // namespace oa::reports
