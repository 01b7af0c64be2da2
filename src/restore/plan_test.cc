#include "oa/restore/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "oa/crypto/uuid5.h"
#include "rewrite.h"

namespace oa::restore {
namespace {

Uuid id(int n) { return uuid5(Uuid{}, std::to_string(n)); }

// An archive with workspace 1 holding dataset 10, reports 20 and 21 on it, and alert 30; made by
// user 40.
class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    contents_.archive_id = ArchiveId(id(100));
    contents_.workspaces[WorkspaceId(id(1))] = {WorkspaceId(id(1)), "Sales", {}, {}};
    catalog::Dataset dataset;
    dataset.id = DatasetId(id(10));
    dataset.workspace_id = WorkspaceId(id(1));
    dataset.name = "orders";
    dataset.model_yaml = "dataset: orders\n";
    dataset.source_ref = "warehouse";
    dataset.created_by = UserId(id(40));
    contents_.datasets[dataset.id] = {dataset, ArchivedRows{1000, Blake2b::of(as_bytes("rows"))}};
    for (const int n : {20, 21}) contents_.reports[ReportId(id(n))] = report(n, 10);
    catalog::Alert alert;
    alert.id = AlertId(id(30));
    alert.workspace_id = WorkspaceId(id(1));
    alert.dataset_id = dataset.id;
    alert.name = "watch";
    alert.created_by = UserId(id(40));
    contents_.alerts[alert.id] = alert;
    catalog::User user;
    user.id = UserId(id(40));
    user.email = "someone@demo.example";
    contents_.users[user.id] = user;
    live_.tenant_id = TenantId(id(200));
    request_.id = RestoreId(id(300));
  }

  static catalog::Report report(int n, int dataset) {
    catalog::Report report;
    report.id = ReportId(id(n));
    report.workspace_id = WorkspaceId(id(1));
    report.name = "report " + std::to_string(n);
    catalog::Visual visual;
    visual.id = VisualId(id(n * 100));
    visual.dataset_id = DatasetId(id(dataset));
    report.visuals = {visual};
    report.layout = JsonText::of(json::value(visual.id.str()));
    report.created_by = UserId(id(40));
    return report;
  }

  void select(AssetKind kind, int n) { contents_.selected.insert({kind, id(n)}); }
  void select_everything() {
    select(AssetKind::kWorkspace, 1);
    select(AssetKind::kDataset, 10);
    select(AssetKind::kReport, 20);
    select(AssetKind::kReport, 21);
    select(AssetKind::kAlert, 30);
  }
  // Only what is selected is read out of an archive.
  void select_only_report(int n) {
    select(AssetKind::kReport, n);
    contents_.alerts.clear();
    std::erase_if(contents_.reports,
                  [&](const auto& entry) { return entry.first != ReportId(id(n)); });
  }
  void all_is_live() {
    live_.workspaces = contents_.workspaces;
    for (const auto& [dataset_id, dataset] : contents_.datasets) {
      auto record = dataset.record;
      record.rows = catalog::RowsObject{"x", "1"};
      live_.datasets[dataset_id] = {record, dataset.rows->digest};
    }
    live_.reports = contents_.reports;
    live_.alerts = contents_.alerts;
    live_.users = contents_.users;
    live_.secret_names = {"warehouse"};
  }

  Plan plan() { return make_plan(contents_, live_, request_); }
  static const PlanItem& item(const Plan& plan, AssetKind kind, int n) {
    for (const auto& each : plan.items) {
      if (each.source == AssetRef{kind, id(n)}) return each;
    }
    ADD_FAILURE() << "no item for " << to_text(kind) << " " << n;
    static const PlanItem none;
    return none;
  }

  Contents contents_;
  LiveState live_;
  Request request_;
};

TEST_F(PlanTest, IntoABlankTenantEverythingIsCreated) {
  select_everything();
  const Plan made = plan();
  EXPECT_EQ(count_actions(made), (std::map<Action, std::size_t>{{Action::kCreate, 5}}));
  EXPECT_EQ(item(made, AssetKind::kDataset, 10).rows, RowsAction::kRestore);
  EXPECT_EQ(made.credentials, std::vector<std::string>{"warehouse"});
  ASSERT_EQ(made.users.size(), 1u);
  EXPECT_EQ(made.users[0].match, UserMatch::kPlaceholder);
}

TEST_F(PlanTest, NothingChangedIsIdentical) {
  select_everything();
  all_is_live();
  const Plan made = plan();
  EXPECT_EQ(count_actions(made), (std::map<Action, std::size_t>{{Action::kIdentical, 5}}));
  EXPECT_TRUE(made.users.empty());
  EXPECT_TRUE(made.credentials.empty());
}

TEST_F(PlanTest, ChangedAssetsAreOverwrittenAndOnlyThose) {
  select_everything();
  all_is_live();
  live_.reports[ReportId(id(20))].name = "renamed";
  live_.datasets[DatasetId(id(10))].rows_digest = Blake2b::of(as_bytes("other rows"));
  const Plan made = plan();
  EXPECT_EQ(item(made, AssetKind::kReport, 20).action, Action::kOverwrite);
  EXPECT_EQ(item(made, AssetKind::kReport, 21).action, Action::kIdentical);
  EXPECT_EQ(item(made, AssetKind::kDataset, 10).action, Action::kOverwrite);
  EXPECT_EQ(item(made, AssetKind::kDataset, 10).rows, RowsAction::kRestore);
}

TEST_F(PlanTest, AChangedModelKeepsEqualRowsWhereTheyAre) {
  select_everything();
  all_is_live();
  live_.datasets[DatasetId(id(10))].record.model_yaml += "# edited\n";
  EXPECT_EQ(item(plan(), AssetKind::kDataset, 10).action, Action::kOverwrite);
  EXPECT_EQ(item(plan(), AssetKind::kDataset, 10).rows, RowsAction::kKeepLive);
}

TEST_F(PlanTest, WithoutArchivedRowsTheLiveOnesStayOrARefreshIsNeeded) {
  select_everything();
  contents_.datasets[DatasetId(id(10))].rows.reset();
  EXPECT_EQ(item(plan(), AssetKind::kDataset, 10).rows, RowsAction::kNeedsRefresh);
  catalog::Dataset live = contents_.datasets[DatasetId(id(10))].record;
  live.model_yaml = "edited";
  live.row_count = 7;
  live.rows = catalog::RowsObject{"x", "1"};
  live_.datasets[live.id] = {live, std::nullopt};
  EXPECT_EQ(item(plan(), AssetKind::kDataset, 10).rows, RowsAction::kKeepLive);
}

TEST_F(PlanTest, SkipLeavesWhatExists) {
  select_everything();
  all_is_live();
  live_.reports.erase(ReportId(id(21)));
  request_.mode = Mode::kSkip;
  const Plan made = plan();
  EXPECT_EQ(item(made, AssetKind::kReport, 20).action, Action::kSkip);
  EXPECT_EQ(item(made, AssetKind::kReport, 21).action, Action::kCreate);
}

TEST_F(PlanTest, AReportBringsItsDatasetAndItsWorkspace) {
  select_only_report(20);
  const Plan made = plan();
  EXPECT_EQ(made.items.size(), 3u);
  EXPECT_EQ(item(made, AssetKind::kDataset, 10).reason, "needed by report \"report 20\"");
  EXPECT_EQ(item(made, AssetKind::kWorkspace, 1).reason, "holds dataset \"orders\"");
}

TEST_F(PlanTest, ADatasetThatIsThereIsNotTouchedForAReport) {
  select_only_report(20);
  all_is_live();
  live_.reports.clear();
  live_.datasets[DatasetId(id(10))].record.name = "renamed since";
  const Plan made = plan();
  ASSERT_EQ(made.items.size(), 1u);
  EXPECT_EQ(made.items[0].action, Action::kCreate);
}

TEST_F(PlanTest, AReportWithoutItsDatasetIsBlocked) {
  select_only_report(20);
  contents_.datasets.clear();
  EXPECT_EQ(item(plan(), AssetKind::kReport, 20).action, Action::kBlocked);
}

TEST_F(PlanTest, AForkedWorkspaceHasNewIdsAndPointsIntoItself) {
  select_everything();
  all_is_live();
  request_.mode = Mode::kFork;
  const Plan made = plan();
  EXPECT_EQ(count_actions(made), (std::map<Action, std::size_t>{{Action::kFork, 5}}));
  const auto& workspace = item(made, AssetKind::kWorkspace, 1);
  EXPECT_EQ(workspace.name, "Sales (restored)");
  EXPECT_EQ(workspace.target_id, uuid5(request_.id.uuid(), id(1).str()));
  const auto& dataset = item(made, AssetKind::kDataset, 10);
  EXPECT_EQ(dataset.name, "orders");
  const Rewriter rewriter(made);
  const auto written =
      rewriter.report(contents_.reports[ReportId(id(20))], item(made, AssetKind::kReport, 20));
  EXPECT_EQ(written.workspace_id.uuid(), workspace.target_id);
  EXPECT_EQ(written.visuals[0].dataset_id.uuid(), dataset.target_id);
  EXPECT_NE(written.visuals[0].id, contents_.reports[ReportId(id(20))].visuals[0].id);
  EXPECT_EQ(written.layout, JsonText::of(json::value(written.visuals[0].id.str())));
  EXPECT_EQ(rewriter.alert(contents_.alerts[AlertId(id(30))], item(made, AssetKind::kAlert, 30))
                .dataset_id.uuid(),
            dataset.target_id);
}

TEST_F(PlanTest, AForkedReportGetsAFreeNameAndKeepsALiveDataset) {
  select_only_report(20);
  all_is_live();
  request_.mode = Mode::kFork;
  live_.report_names[WorkspaceId(id(1))] = {"report 20", "report 20 (restored)"};
  const Plan made = plan();
  ASSERT_EQ(made.items.size(), 1u);
  EXPECT_EQ(made.items[0].action, Action::kFork);
  EXPECT_EQ(made.items[0].name, "report 20 (restored 2)");
  EXPECT_EQ(Rewriter(made)
                .report(contents_.reports[ReportId(id(20))], made.items[0])
                .visuals[0]
                .dataset_id,
            DatasetId(id(10)));
}

TEST_F(PlanTest, PeopleAreFoundByEmailWithoutCase) {
  select_everything();
  catalog::User other;
  other.id = UserId(id(41));
  other.email = "Someone@Demo.example";
  live_.users[other.id] = other;
  const Plan made = plan();
  ASSERT_EQ(made.users.size(), 1u);
  EXPECT_EQ(made.users[0].match, UserMatch::kSameEmail);
  EXPECT_EQ(Rewriter(made)
                .report(contents_.reports[ReportId(id(20))], item(made, AssetKind::kReport, 20))
                .created_by,
            other.id);
}

TEST_F(PlanTest, RolesComeOnlyWhenAskedForWithTheTeamsTheyNeed) {
  select_everything();
  auto& workspace = contents_.workspaces[WorkspaceId(id(1))];
  workspace.roles = {{catalog::PrincipalKind::kUser, id(40), catalog::Role::kViewer},
                     {catalog::PrincipalKind::kTeam, id(50), catalog::Role::kEditor}};
  contents_.teams[TeamId(id(50))] = {TeamId(id(50)), "Analysts", {UserId(id(40))}, {}};
  Plan made = plan();
  EXPECT_TRUE(made.teams.empty());
  EXPECT_TRUE(Rewriter(made)
                  .workspace(workspace, item(made, AssetKind::kWorkspace, 1), false, nullptr)
                  .roles.empty());
  request_.with_roles = true;
  live_.teams[TeamId(id(51))] = {TeamId(id(51)), "Analysts", {}, {}};
  made = plan();
  ASSERT_EQ(made.teams.size(), 1u);
  EXPECT_FALSE(made.teams[0].create);
  const auto written =
      Rewriter(made).workspace(workspace, item(made, AssetKind::kWorkspace, 1), true, nullptr);
  ASSERT_EQ(written.roles.size(), 2u);
  EXPECT_EQ(written.roles[1].principal, id(51));
}

TEST_F(PlanTest, TheHashNamesThePlanAndTheStateItSaw) {
  select_everything();
  const std::string hash = plan_hash(plan());
  EXPECT_EQ(plan_hash(plan()), hash);
  live_.secret_names.insert("another");
  EXPECT_NE(plan_hash(plan()), hash);
}

}  // namespace
}  // namespace oa::restore
