// Runs of the cell, its lag, and what the windows of tenants follow from.
#include "oa/catalog/cell.h"

#include <boost/json.hpp>

#include "oa/catalog/repositories.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

class CellTest : public testing::Test {
 protected:
  CellTest() { EXPECT_TRUE(superuser()->execute("DELETE FROM oa.cell_runs").ok()); }
  CellRun add(CellRunKind kind) { return runs_.add(kind, CellRunOrigin::kOperator).value(); }
  CellRuns runs_{database()};
  CellCatalog catalog_{database()};
};

TEST_F(CellTest, ARunFromItsBeginningToItsEnd) {
  const auto asked = add(CellRunKind::kFull);
  EXPECT_EQ(asked.state, CellRunState::kQueued);
  auto taken = runs_.take().value();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->id, asked.id);
  EXPECT_EQ(taken->state, CellRunState::kRunning);
  EXPECT_FALSE(runs_.take().value().has_value());
  EXPECT_TRUE(runs_.write_progress(asked.id, {"copying", 5, 10, "files"}).value());
  EXPECT_EQ(runs_.get(asked.id).value().progress, (JobProgress{"copying", 5, 10, "files"}));
  taken->state = CellRunState::kSucceeded;
  taken->detail = JsonText::of(json::object{{"label", "x"}});
  ASSERT_OK(runs_.finish(*taken));
  const CellRunKind kinds[] = {CellRunKind::kFull, CellRunKind::kIncremental};
  const auto last = runs_.last(kinds, true).value();
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->id, asked.id);
  EXPECT_EQ(last->detail->str(), R"({"label":"x"})");
  EXPECT_TRUE(last->finished_at >= last->started_at);
}

TEST_F(CellTest, OneOfAKindAtATime) {
  add(CellRunKind::kVerify);
  EXPECT_EQ(code_of(runs_.add(CellRunKind::kVerify, CellRunOrigin::kSchedule)),
            ErrorCode::kConflict);
  add(CellRunKind::kExpire);
  EXPECT_EQ(runs_.take().value()->kind, CellRunKind::kVerify);
  EXPECT_EQ(runs_.take().value()->kind, CellRunKind::kExpire);
}

TEST_F(CellTest, CancelledBeforeItBeginsOrWhileItRuns) {
  const auto queued = add(CellRunKind::kFull);
  ASSERT_OK(runs_.request_cancel(queued.id));
  EXPECT_EQ(runs_.get(queued.id).value().state, CellRunState::kCancelled);
  EXPECT_EQ(code_of(Result<bool>(runs_.request_cancel(queued.id).error())), ErrorCode::kConflict);
  const auto running = add(CellRunKind::kFull);
  ASSERT_TRUE(runs_.take().value().has_value());
  ASSERT_OK(runs_.request_cancel(running.id));
  EXPECT_EQ(runs_.get(running.id).value().state, CellRunState::kRunning);
  EXPECT_FALSE(runs_.write_progress(running.id, {}).value());
  EXPECT_EQ(runs_.request_cancel(CellRunId::random()).error().code, ErrorCode::kNotFound);
}

TEST_F(CellTest, WhatADeadProcessLeftIsInterrupted) {
  const auto run = add(CellRunKind::kIncremental);
  ASSERT_TRUE(runs_.take().value().has_value());
  ASSERT_OK(runs_.interrupt_running());
  EXPECT_EQ(runs_.get(run.id).value().state, CellRunState::kInterrupted);
  const CellRunKind kinds[] = {CellRunKind::kIncremental};
  EXPECT_FALSE(runs_.last(kinds, true).value().has_value());
  EXPECT_EQ(runs_.last(kinds, false).value()->id, run.id);
}

TEST_F(CellTest, ListsPageByPage) {
  for (const auto kind : {CellRunKind::kFull, CellRunKind::kExpire, CellRunKind::kVerify}) add(kind);
  const auto first = runs_.list(std::nullopt, 2).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].kind, CellRunKind::kVerify);
  const auto rest = runs_.list(first[1].id, 2).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].kind, CellRunKind::kFull);
}

TEST_F(CellTest, TheWorstOfAMinuteStays) {
  const Timestamp minute = Timestamp::parse("2026-01-01T10:00:00Z").value();
  const LagMinute one{minute, 2000, 10}, other{minute, 1000, 400};
  ASSERT_OK(catalog_.add_lag({&one, 1}));
  ASSERT_OK(catalog_.add_lag({&other, 1}));
  EXPECT_EQ(catalog_.worst_lag(minute).value(), (LagMinute{minute, 2000, 400}));
  EXPECT_FALSE(catalog_.worst_lag({minute.unix_us + 1}).value().has_value());
  ASSERT_OK(catalog_.remove_lag_before({minute.unix_us + 1}));
  EXPECT_FALSE(catalog_.worst_lag(minute).value().has_value());
}

TEST_F(CellTest, APlanThatWasLeftIsRemembered) {
  const TenantId tenant = new_tenant();
  const Timestamp before = Timestamp::now();
  const auto of_tenant = [&](Timestamp from) {
    std::vector<Plan> plans;
    const auto all = catalog_.plans_since(from).value();
    for (const auto& [id, plan] : all)
      if (id == tenant) plans.push_back(plan);
    std::sort(plans.begin(), plans.end());
    return plans;
  };
  const auto at_first = of_tenant(before);
  ASSERT_EQ(at_first.size(), 1u);
  ASSERT_OK(superuser()->execute("UPDATE oa.tenants SET plan = 'scale' WHERE id = $1",
                                 {Parameter::of(tenant)}));
  ASSERT_OK(superuser()->execute("UPDATE oa.tenants SET plan = 'starter' WHERE id = $1",
                                 {Parameter::of(tenant)}));
  const auto since = of_tenant({before.unix_us - 1'000'000});
  EXPECT_NE(std::find(since.begin(), since.end(), Plan::kScale), since.end());
  EXPECT_EQ(of_tenant({Timestamp::now().unix_us + 60'000'000}),
            std::vector<Plan>{Plan::kStarter});
}

TEST_F(CellTest, VersionsOfRowsThatADatasetLeaves) {
  const TenantId tenant = new_tenant();
  auto tx = begin(tenant);
  User user;
  user.id = UserId::random();
  Workspace workspace;
  workspace.id = WorkspaceId::random();
  Dataset dataset;
  dataset.id = DatasetId::random();
  dataset.workspace_id = workspace.id;
  dataset.created_by = user.id;
  dataset.versions.resize(1);
  dataset.rows = RowsObject{"o", "v1"};
  ASSERT_OK(Users(tx).put({&user, 1}));
  ASSERT_OK(Workspaces(tx).put({&workspace, 1}));
  ASSERT_OK(Datasets(tx).put({&dataset, 1}));
  RowVersions versions(tx);
  EXPECT_EQ(versions.named().value(),
            (std::vector<std::pair<std::string, std::string>>{{"o", "v1"}}));
  EXPECT_TRUE(versions.left().value().empty());
  ASSERT_OK(Datasets(tx).put({&dataset, 1}));  // as it was
  EXPECT_TRUE(versions.left().value().empty());
  dataset.rows->object_version = "v2";
  ASSERT_OK(Datasets(tx).put({&dataset, 1}));
  auto left = versions.left().value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].object_version, "v1");
  ASSERT_OK(Datasets(tx).remove(dataset.id));
  left = versions.left().value();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[1].object_version, "v2");
  ASSERT_OK(versions.forget(left[0]));
  EXPECT_EQ(versions.left().value().size(), 1u);
  ASSERT_OK(tx.commit());
}

TEST_F(CellTest, AServerWithoutAReceiverSaysSo) {
  const auto state = catalog_.server_state("nobody", "none").value();
  EXPECT_GT(state.lsn, 0u);
  EXPECT_GT(state.size_bytes, 1'000'000u);
  EXPECT_FALSE(state.receiver.has_value());
  EXPECT_FALSE(state.slot.has_value());
  EXPECT_FALSE(state.archiver.on);
}

}  // namespace
}  // namespace oa::catalog
