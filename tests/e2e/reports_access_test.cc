// Who may see what through a report or an alert that somebody else has put together.
#include <gtest/gtest.h>

#include <algorithm>

#include "oa/demo/demo_tenant.h"
#include "oa/reports/alerts.h"
#include "oa/reports/open_report.h"
#include "oa/reports/sharing.h"
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

  catalog::Report report(WorkspaceId workspace, const std::string& name) {
    auto transaction = begin();
    const auto all = *catalog::Reports(transaction).list(workspace, std::nullopt, 100);
    return *std::ranges::find(all, name, &catalog::Report::name);
  }
  Result<reports::OpenedReport> open(ReportId report, std::size_t user) {
    reports::OpenOptions options;
    options.now = *Timestamp::parse("2026-02-15T00:00:00Z");
    return reports::open_report(instance_->database(), instance_->objects(), tenant_, report,
                                users_[user].id, options, no_progress());
  }
  ErrorCode refusal(ReportId report, std::size_t user) {
    const auto opened = open(report, user);
    return opened.ok() ? ErrorCode::kInternal : opened.error().code;
  }
  reports::Principal person(std::size_t user) const {
    return {catalog::PrincipalKind::kUser, users_[user].id.uuid()};
  }
  Status share(ReportId report, const reports::Principal& with, catalog::Role role) {
    return reports::share_report(instance_->database(), tenant_, report, with, role, kOperator);
  }
  Status unshare(ReportId report, const reports::Principal& with) {
    return reports::unshare_report(instance_->database(), tenant_, report, with, kOperator);
  }

  inline static const datasets::Actor kOperator{"operator", std::nullopt, "", {}};
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

// Users 05 and 08 are nobody in Sales. One of its reports is shared with the one and with a team of
// the other.
TEST_F(ReportsAccessTest, ASharedReportNeedsNoRoleInTheWorkspace) {
  const auto shared = report(sales_.id, "orders overview 1");
  ASSERT_EQ(shared.grants.size(), 2u);
  const auto for_owner = open(shared.id, 0);
  ASSERT_TRUE(for_owner.ok());
  for (const std::size_t user : {4u, 7u}) {
    const auto opened = open(shared.id, user);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_EQ(opened->digest, for_owner->digest) << "the model restricts nobody";
  }
  EXPECT_EQ(refusal(shared.id, 10), ErrorCode::kPermissionDenied) << "it is shared with others";
  const auto other = report(sales_.id, "orders overview 2");
  EXPECT_EQ(refusal(other.id, 4), ErrorCode::kPermissionDenied);
  EXPECT_EQ(refusal(other.id, 7), ErrorCode::kPermissionDenied);

  ASSERT_TRUE(unshare(shared.id, person(4)).ok());
  ASSERT_TRUE(open(shared.id, 4).ok()) << "is in the team as well";
  ASSERT_TRUE(unshare(shared.id, {catalog::PrincipalKind::kTeam, shared.grants[1].principal}).ok());
  EXPECT_EQ(refusal(shared.id, 4), ErrorCode::kPermissionDenied);
  EXPECT_EQ(refusal(shared.id, 7), ErrorCode::kPermissionDenied);
  ASSERT_TRUE(share(shared.id, person(11), catalog::Role::kViewer).ok());
  EXPECT_EQ(refusal(shared.id, 11), ErrorCode::kPermissionDenied) << "has left the company";
}

// Rules of customers let a viewer see his own region and an editor all of them; whom no rule
// matches sees nothing.
TEST_F(ReportsAccessTest, ASharedReportShowsNoMoreRowsThanTheModelAllows) {
  const auto customers = report(sales_.id, "customers overview 1");
  const auto for_viewer = open(customers.id, 8);  // of the North, a viewer in Sales
  ASSERT_TRUE(for_viewer.ok());
  EXPECT_GT(for_viewer->visuals[0].answer.row_count, 0u);
  ASSERT_TRUE(share(customers.id, person(4), catalog::Role::kViewer).ok());  // of the North
  EXPECT_EQ(open(customers.id, 4)->digest, for_viewer->digest);
  ASSERT_TRUE(share(customers.id, person(5), catalog::Role::kViewer).ok());  // of the South
  EXPECT_NE(open(customers.id, 5)->digest, for_viewer->digest);
  ASSERT_TRUE(share(customers.id, person(4), catalog::Role::kEditor).ok());
  EXPECT_EQ(open(customers.id, 4)->digest, open(customers.id, 0)->digest);
  EXPECT_NE(open(customers.id, 4)->digest, for_viewer->digest);
  ASSERT_TRUE(share(customers.id, person(8), catalog::Role::kEditor).ok());
  EXPECT_EQ(open(customers.id, 8)->digest, for_viewer->digest)
      << "the role in the workspace counts";
}

TEST_F(ReportsAccessTest, WhomRowLevelSecurityShowsNothingIsTold) {
  const auto customers = report(sales_.id, "customers overview 1");
  const auto shown = open(customers.id, 0);
  for (const auto& visual : shown->visuals) EXPECT_FALSE(visual.answer.denied);
  EXPECT_FALSE(
      reports::to_json(*shown).at("visuals").at(0).at("answer").as_object().contains("denied"));
  auto model = dataset(sales_.id, "customers");
  model.model_yaml.resize(model.model_yaml.find("  - name: all_rows"));
  auto transaction = begin();
  ASSERT_TRUE(catalog::Datasets(transaction).put({&model, 1}).ok());
  ASSERT_TRUE(transaction.commit().ok());
  const auto for_owner = open(customers.id, 0);
  for (const auto& visual : for_owner->visuals) EXPECT_TRUE(visual.answer.denied);
  EXPECT_EQ(reports::to_json(*for_owner).at("visuals").at(0).at("answer").at("denied"),
            json::value(true));
  EXPECT_FALSE(open(customers.id, 8)->visuals[0].answer.denied) << "a viewer's rule is still there";
}

// Each bookmark of the demo shows other numbers than the report does without one.
TEST_F(ReportsAccessTest, BookmarksOfTheDemoChangeWhatIsShown) {
  for (const auto& [workspace, name] :
       {std::pair{sales_.id, "orders overview 1"}, std::pair{sales_.id, "customers overview 1"},
        std::pair{sales_.id, "products overview 3"},
        std::pair{operations_.id, "shipments overview 1"},
        std::pair{operations_.id, "support_tickets overview 1"}}) {
    const auto shown = report(workspace, name);
    EXPECT_FALSE(shown.bookmarks.empty());
    reports::OpenOptions options;
    options.now = *Timestamp::parse("2026-02-15T00:00:00Z");
    std::set<std::string> digests{to_hex(open(shown.id, 0)->digest)};
    for (const auto& bookmark : shown.bookmarks) {
      options.bookmark = bookmark.id;
      const auto opened = reports::open_report(instance_->database(), instance_->objects(), tenant_,
                                               shown.id, users_[0].id, options, no_progress());
      ASSERT_TRUE(opened.ok()) << name << ": " << opened.error().message;
      digests.insert(to_hex(opened->digest));
    }
    EXPECT_EQ(digests.size(), shown.bookmarks.size() + 1) << name;
  }
}

TEST_F(ReportsAccessTest, SharingIsRecordedAndIsNoEdit) {
  const auto before = report(sales_.id, "orders overview 1");
  ASSERT_TRUE(share(before.id, person(9), catalog::Role::kViewer).ok());
  ASSERT_TRUE(share(before.id, person(9), catalog::Role::kEditor).ok());
  EXPECT_EQ(report(sales_.id, "orders overview 1").grants.size(), before.grants.size() + 1);
  ASSERT_TRUE(unshare(before.id, person(9)).ok());
  EXPECT_EQ(report(sales_.id, "orders overview 1"), before);
  const auto code = [](const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code;
  };
  EXPECT_EQ(code(unshare(before.id, person(9))), ErrorCode::kNotFound);
  EXPECT_EQ(code(unshare(ReportId::random(), person(4))), ErrorCode::kNotFound);
  EXPECT_EQ(code(share(ReportId::random(), person(4), catalog::Role::kViewer)),
            ErrorCode::kNotFound);
  EXPECT_EQ(code(share(before.id, person(4), catalog::Role::kAdmin)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      code(share(before.id, {catalog::PrincipalKind::kTeam, person(3).id}, catalog::Role::kViewer)),
      ErrorCode::kInvalidArgument);
  EXPECT_EQ(report(sales_.id, "orders overview 1"), before);

  auto transaction = begin();
  std::vector<std::string> recorded;
  ASSERT_TRUE(catalog::Audit(transaction)
                  .for_each([&](const AuditEvent& event) -> Status {
                    if (event.resource_id == before.id.str() && event.actor_type == "operator")
                      recorded.push_back(event.action + " " + event.detail.str());
                    return {};
                  })
                  .ok());
  const std::string detail =
      R"( {"kind":"user","principal":")" + person(9).id.str() + R"(","role":")";
  EXPECT_EQ(recorded, (std::vector<std::string>{"sharing.grant.create" + detail + "viewer\"}",
                                                "sharing.grant.create" + detail + "editor\"}",
                                                "sharing.grant.remove" + detail + "editor\"}"}));
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
