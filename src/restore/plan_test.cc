#include "oa/privacy/erased_user.h"
#include "oa/restore/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "oa/crypto/uuid5.h"
#include "oa/restore/engine.h"
#include "people.h"
#include "rewrite.h"

namespace oa::restore {
namespace {

// Documents that are in memory.
class MemoryDocuments final : public Documents {
 public:
  std::map<ReportId, catalog::Report> all_reports;
  std::map<AlertId, catalog::Alert> all_alerts;
  Status reports(const std::set<ReportId>& ids, Progress&,
                 const Visit<catalog::Report>& visit) const override {
    for (const auto& id : ids) OA_TRY(visit(all_reports.at(id)));
    return {};
  }
  Status alerts(const std::set<AlertId>& ids, Progress&,
                const Visit<catalog::Alert>& visit) const override {
    for (const auto& id : ids) OA_TRY(visit(all_alerts.at(id)));
    return {};
  }
};

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
    contents_.documents = documents_;
    for (const int n : {20, 21}) add(report(n, 10));
    catalog::Alert alert;
    alert.id = AlertId(id(30));
    alert.workspace_id = WorkspaceId(id(1));
    alert.dataset_id = dataset.id;
    alert.name = "watch";
    alert.created_by = UserId(id(40));
    documents_->all_alerts[alert.id] = alert;
    contents_.alerts[alert.id] = brief_of(alert);
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

  void add(const catalog::Report& report) {
    documents_->all_reports[report.id] = report;
    contents_.reports[report.id] = brief_of(report);
  }
  const catalog::Report& archived_report(int n) const {
    return documents_->all_reports.at(ReportId(id(n)));
  }
  const catalog::Alert& archived_alert(int n) const {
    return documents_->all_alerts.at(AlertId(id(n)));
  }
  void put_live(const catalog::Dataset& record, const std::optional<Blake2bDigest>& rows) {
    LiveDataset live{record, asset_digest(record), rows};
    live.record.model_yaml.clear();
    live_.datasets[record.id] = live;
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
      put_live(record, dataset.rows->digest);
    }
    live_.reports = contents_.reports;
    live_.alerts = contents_.alerts;
    live_.users = contents_.users;
    live_.secret_names = {"warehouse"};
  }

  Plan plan() { return make_plan(contents_, live_, request_).value(); }
  static const PlanItem& item(const Plan& plan, AssetKind kind, int n) {
    for (const auto& each : plan.items) {
      if (each.source == AssetRef{kind, id(n)}) return each;
    }
    ADD_FAILURE() << "no item for " << to_text(kind) << " " << n;
    static const PlanItem none;
    return none;
  }

  std::shared_ptr<MemoryDocuments> documents_ = std::make_shared<MemoryDocuments>();
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
  catalog::Report renamed = archived_report(20);
  renamed.name = "renamed";
  live_.reports[renamed.id] = brief_of(renamed);
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
  auto record = contents_.datasets[DatasetId(id(10))].record;
  record.model_yaml += "# edited\n";
  record.rows = catalog::RowsObject{"x", "1"};
  put_live(record, contents_.datasets[record.id].rows->digest);
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
  put_live(live, std::nullopt);
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
  auto renamed = contents_.datasets[DatasetId(id(10))].record;
  renamed.name = "renamed since";
  put_live(renamed, std::nullopt);
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
  const Rewriter rewriter(made, contents_);
  const auto written = rewriter.report(archived_report(20), item(made, AssetKind::kReport, 20), {});
  EXPECT_EQ(written.workspace_id.uuid(), workspace.target_id);
  EXPECT_EQ(written.visuals[0].dataset_id.uuid(), dataset.target_id);
  EXPECT_NE(written.visuals[0].id, archived_report(20).visuals[0].id);
  EXPECT_EQ(written.layout, JsonText::of(json::value(written.visuals[0].id.str())));
  EXPECT_EQ(rewriter.alert(archived_alert(30), item(made, AssetKind::kAlert, 30)).dataset_id.uuid(),
            dataset.target_id);
}

TEST_F(PlanTest, LinksToAnotherForkedReportAndItsVisualsFollow) {
  select_everything();
  catalog::Report linking = archived_report(21);
  linking.layout = JsonText::of(
      json::array{json::value(id(20).str()), json::value(archived_report(20).visuals[0].id.str())});
  add(linking);
  all_is_live();
  request_.mode = Mode::kFork;
  const Plan made = plan();
  const Rewriter rewriter(made, contents_);
  const auto& item20 = item(made, AssetKind::kReport, 20);
  const auto written = rewriter.report(linking, item(made, AssetKind::kReport, 21), {});
  const auto other = rewriter.report(archived_report(20), item20, {});
  EXPECT_EQ(written.layout, JsonText::of(json::array{json::value(item20.target_id.str()),
                                                     json::value(other.visuals[0].id.str())}));
}

TEST_F(PlanTest, AForkedReportGetsAFreeNameAndKeepsALiveDataset) {
  select_only_report(20);
  all_is_live();
  request_.mode = Mode::kFork;
  live_.report_names[WorkspaceId(id(1))] = {{"report 20", id(20)},
                                            {"report 20 (restored)", id(77)}};
  const Plan made = plan();
  ASSERT_EQ(made.items.size(), 1u);
  EXPECT_EQ(made.items[0].action, Action::kFork);
  EXPECT_EQ(made.items[0].name, "report 20 (restored 2)");
  EXPECT_EQ(Rewriter(made, contents_)
                .report(archived_report(20), made.items[0], {})
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
  EXPECT_EQ(Rewriter(made, contents_)
                .report(archived_report(20), item(made, AssetKind::kReport, 20), {})
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
  EXPECT_TRUE(Rewriter(made, contents_)
                  .workspace(workspace, item(made, AssetKind::kWorkspace, 1), nullptr)
                  .roles.empty());
  request_.with_roles = true;
  live_.teams[TeamId(id(51))] = {TeamId(id(51)), "Analysts", {}, {}};
  made = plan();
  ASSERT_EQ(made.teams.size(), 1u);
  EXPECT_FALSE(made.teams[0].create);
  const auto written =
      Rewriter(made, contents_).workspace(workspace, item(made, AssetKind::kWorkspace, 1), nullptr);
  ASSERT_EQ(written.roles.size(), 2u);
  EXPECT_EQ(written.roles[1].principal, id(51));
}

TEST_F(PlanTest, TheHashCoversWhatIsThereAndWhatWillBe) {
  select_everything();
  all_is_live();
  catalog::Report edited = archived_report(20);
  edited.name = "edited";
  live_.reports[edited.id] = brief_of(edited);
  const std::string hash = plan_hash(plan());
  EXPECT_EQ(plan_hash(plan()), hash);
  edited.name = "edited again";
  live_.reports[edited.id] = brief_of(edited);
  EXPECT_NE(plan_hash(plan()), hash) << "another state of what is overwritten";
  edited.name = "edited";
  live_.reports[edited.id] = brief_of(edited);
  EXPECT_EQ(plan_hash(plan()), hash);
  live_.usage.assets += 10;
  EXPECT_EQ(plan_hash(plan()), hash) << "others may go on working";
  contents_.content_hash = "another archive";
  EXPECT_NE(plan_hash(plan()), hash);
}

TEST_F(PlanTest, AnAssetsOwnModeComesBeforeItsWorkspacesAndTheDefault) {
  select_everything();
  all_is_live();
  for (const int n : {20, 21}) {
    catalog::Report edited = archived_report(n);
    edited.name = "edited";
    live_.reports[edited.id] = brief_of(edited);
  }
  request_.mode = Mode::kOverwrite;
  request_.choices[{AssetKind::kWorkspace, id(1)}] = Mode::kSkip;
  request_.choices[{AssetKind::kReport, id(21)}] = Mode::kFork;
  const Plan made = plan();
  EXPECT_EQ(item(made, AssetKind::kWorkspace, 1).action, Action::kSkip);
  EXPECT_EQ(item(made, AssetKind::kReport, 20).action, Action::kSkip);
  EXPECT_EQ(item(made, AssetKind::kReport, 21).action, Action::kFork);
  EXPECT_EQ(item(made, AssetKind::kReport, 21).target_workspace, WorkspaceId(id(1)));
}

TEST_F(PlanTest, ANewThingTakesNoNameThatIsTaken) {
  select_only_report(20);
  all_is_live();
  live_.reports.clear();
  live_.report_names[WorkspaceId(id(1))] = {{"report 20", id(99)}};
  const Plan made = plan();
  ASSERT_EQ(made.items.size(), 1u);
  EXPECT_EQ(made.items[0].action, Action::kCreate);
  EXPECT_EQ(made.items[0].name, "report 20 (restored)");
  EXPECT_EQ(made.items[0].renamed_from, "report 20");
  catalog::Report written = archived_report(20);
  written.name = "report 20 (restored)";
  EXPECT_EQ(made.items[0].after, asset_digest(written));
}

TEST_F(PlanTest, WhatIsNewerHereIsSaid) {
  select_only_report(20);
  all_is_live();
  catalog::Report edited = archived_report(20);
  edited.updated_at = Timestamp{5};
  live_.reports[edited.id] = brief_of(edited);
  EXPECT_TRUE(plan().items.at(0).newer_here);
}

TEST_F(PlanTest, SkippedReportsBringNothing) {
  select_only_report(20);
  all_is_live();
  live_.datasets.clear();
  request_.mode = Mode::kSkip;
  const Plan made = plan();
  ASSERT_EQ(made.items.size(), 1u);
  EXPECT_EQ(made.items[0].action, Action::kSkip);
}

TEST_F(PlanTest, WhoMayDoLessRestoresLess) {
  select_everything();
  all_is_live();
  catalog::Report edited = archived_report(20);
  edited.name = "edited";
  live_.reports[edited.id] = brief_of(edited);
  live_.workspaces[WorkspaceId(id(1))].name = "renamed";
  catalog::User editor;
  editor.id = UserId(id(60));
  editor.email = "editor@demo.example";
  live_.users[editor.id] = editor;
  request_.requested_by = editor.id;
  EXPECT_EQ(item(plan(), AssetKind::kReport, 20).action, Action::kBlocked);
  const auto dataset = [&] { return item(plan(), AssetKind::kDataset, 10).action; };
  EXPECT_EQ(dataset(), Action::kBlocked) << "who is no member learns not even that it is the same";
  live_.workspaces[WorkspaceId(id(1))].roles = {
      {catalog::PrincipalKind::kUser, id(60), catalog::Role::kViewer}};
  EXPECT_EQ(dataset(), Action::kIdentical);
  live_.workspaces[WorkspaceId(id(1))].roles[0].role = catalog::Role::kEditor;
  EXPECT_EQ(item(plan(), AssetKind::kReport, 20).action, Action::kOverwrite);
  EXPECT_EQ(item(plan(), AssetKind::kWorkspace, 1).action, Action::kBlocked);
  live_.workspaces[WorkspaceId(id(1))].roles[0].role = catalog::Role::kAdmin;
  EXPECT_EQ(item(plan(), AssetKind::kWorkspace, 1).action, Action::kOverwrite);
  request_.mode = Mode::kFork;
  EXPECT_EQ(item(plan(), AssetKind::kWorkspace, 1).action, Action::kBlocked)
      << "only an Owner makes workspaces";
  live_.users[editor.id].owner = true;
  EXPECT_EQ(item(plan(), AssetKind::kWorkspace, 1).action, Action::kFork);
}

TEST_F(PlanTest, TheErasedComeBackWithoutNameAndAddress) {
  select_everything();
  contents_.users[UserId(id(40))].first_name = "Someone";
  live_.erased.insert(UserId(id(40)));
  const Plan made = plan();
  ASSERT_EQ(made.users.size(), 1u);
  EXPECT_EQ(made.users[0].match, UserMatch::kErased);
  EXPECT_TRUE(made.users[0].create);
  const auto user = placeholder(made.users[0], contents_.users[UserId(id(40))]);
  EXPECT_EQ(user, privacy::erased_user(UserId(id(40)), user.created_at));
  EXPECT_FALSE(user.active);
}

TEST_F(PlanTest, WhatThePlanOfTheTenantAllowsIsKept) {
  select_everything();
  live_.plan = catalog::Plan::kStarter;
  live_.usage.assets = catalog::quota_of(catalog::Plan::kStarter).assets - 5;
  EXPECT_TRUE(check_applicable(plan()).ok());
  live_.usage.assets += 1;
  EXPECT_EQ(check_applicable(plan()).error().code, ErrorCode::kQuotaExceeded);
}

TEST_F(PlanTest, PlansAndRequestsReadBackAsTheyWere) {
  select_everything();
  all_is_live();
  request_.mode = Mode::kFork;
  request_.choices[{AssetKind::kReport, id(21)}] = Mode::kSkip;
  request_.selection.assets = {{AssetKind::kWorkspace, id(1)}};
  request_.requested_by = UserId(id(40));
  live_.users[UserId(id(40))].owner = true;
  const Plan made = plan();
  Plan read = plan_from_header(header_json(made)).value();
  for (const auto& each : made.items) {
    read.items.push_back(item_from_json(to_json(each)).value());
    EXPECT_EQ(read.items.back(), each);
  }
  EXPECT_EQ(plan_hash(read), plan_hash(made));
  const Request request = request_from_json(to_json(request_)).value();
  EXPECT_EQ(canonical_json(to_json(request)), canonical_json(to_json(request_)));
  EXPECT_EQ(request.choices, request_.choices);
}

}  // namespace
}  // namespace oa::restore
