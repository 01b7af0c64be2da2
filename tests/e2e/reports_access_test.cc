// Who may see what through a report or an alert that somebody else has put together.
#include <gtest/gtest.h>

#include <algorithm>

#include "oa/demo/demo_tenant.h"
#include "oa/reports/alerts.h"
#include "oa/reports/open_report.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

class ReportsAccessTest : public testing::Test {
 protected:
  void SetUp() override {
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    settings.create = true;
    instance_ = *instance::Instance::open(settings);
    tenant_ = demo::make_demo_tenant(*instance_, "Demo", {.order_rows = 1000, .audit_events = 10},
                                     {}, no_progress())
                  ->id;
    auto transaction = begin();
    users_ = *catalog::Users(transaction).list();
    std::ranges::sort(users_, {}, &catalog::User::email);
    const auto workspaces = *catalog::Workspaces(transaction).list();
    for (const auto& workspace : workspaces)
      (workspace.name == "Sales" ? sales_ : operations_) = workspace;
  }
  catalog::TenantTransaction begin() { return *instance_->database().begin(tenant_); }
  catalog::Dataset dataset(WorkspaceId workspace, const std::string& name) {
    auto transaction = begin();
    const auto all = *catalog::Datasets(transaction).list(workspace);
    return *std::ranges::find(all, name, &catalog::Dataset::name);
  }

  testkit::Scratch scratch_;
  std::unique_ptr<instance::Instance> instance_;
  TenantId tenant_;
  std::vector<catalog::User> users_;  // by e-mail
  catalog::Workspace sales_, operations_;
};

TEST_F(ReportsAccessTest, AReportIsNoWayIntoAnotherWorkspace) {
  // User 05 is an editor in Operations and nobody in Sales.
  const UserId user = users_[4].id;
  auto transaction = begin();
  auto report = catalog::Reports(transaction).list(operations_.id, std::nullopt, 1)->front();
  ASSERT_GE(report.visuals.size(), 2u);
  const auto orders = dataset(sales_.id, "orders");
  report.visuals[0].dataset_id = orders.id;
  report.visuals[0].query = *JsonText::parse(R"({"measures":["revenue"]})");
  ASSERT_TRUE(catalog::Reports(transaction).put({&report, 1}).ok());
  ASSERT_TRUE(transaction.commit().ok());
  reports::OpenOptions options;
  options.now = Timestamp::now();
  const auto opened = reports::open_report(instance_->database(), instance_->objects(), tenant_,
                                           report.id, user, options, no_progress());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  ASSERT_TRUE(opened->visuals[0].error.has_value());
  EXPECT_EQ(opened->visuals[0].error->code, ErrorCode::kNotFound);
  EXPECT_EQ(opened->visuals[0].answer.row_count, 0u);
  EXPECT_FALSE(opened->visuals[1].error.has_value()) << "the others go on";
}

TEST_F(ReportsAccessTest, AnAlertSeesWhatItsMakerMayStillSee) {
  auto transaction = begin();
  auto alert = catalog::Alerts(transaction).list(sales_.id, std::nullopt, 1)->front();
  const auto evaluate = [&] {
    return *reports::evaluate_alert(instance_->database(), instance_->objects(), tenant_, alert.id,
                                    *Timestamp::parse("2026-02-15T00:00:00Z"), no_progress());
  };
  ASSERT_TRUE(transaction.commit().ok());
  EXPECT_FALSE(evaluate().error.has_value());

  const auto change = [&](auto edit) {
    auto edited = begin();
    edit();
    ASSERT_TRUE(catalog::Alerts(edited).put({&alert, 1}).ok());
    ASSERT_TRUE(edited.commit().ok());
  };
  const UserId maker = alert.created_by;
  change([&] { alert.created_by = users_[4].id; });
  const auto denied = evaluate();
  ASSERT_TRUE(denied.error.has_value());
  EXPECT_EQ(denied.error->code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(denied.evaluation.outcome, catalog::AlertOutcome::kError);
  EXPECT_FALSE(denied.evaluation.value.has_value());

  change([&] {
    alert.created_by = maker;
    alert.dataset_id = dataset(operations_.id, "shipments").id;
  });
  EXPECT_EQ(evaluate().error->code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace oa
