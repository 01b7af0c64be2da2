// Who may restore what, who comes back with it, and what stays when a restore is taken back.
#include "restore_fixture.h"

namespace oa {
namespace {

using catalog::PrincipalKind;
using catalog::Role;
using restore::Action;
using restore::AssetKind;
using testkit::must;
using testkit::TenantState;

class RestoreRights : public testkit::RestoreTest {
 protected:
  // A new active person with one role in one workspace, of `state`.
  static UserId add_person(TenantState& state, const std::string& name,
                           std::optional<std::pair<WorkspaceId, Role>> role) {
    catalog::User user;
    user.id = UserId::random();
    user.email = name + "@demo.example";
    user.created_at = Timestamp::now();
    state.users[user.id] = user;
    if (!role.has_value()) return user.id;
    auto& roles = state.workspaces.at(role->first).roles;
    roles.push_back({PrincipalKind::kUser, user.id.uuid(), role->second});
    std::sort(roles.begin(), roles.end());
    return user.id;
  }
  // Both reports and a role deleted, both workspaces renamed.
  TenantState damaged() const {
    TenantState state = archived_;
    state.reports.clear();
    for (auto& [id, workspace] : state.workspaces) {
      workspace.name += " renamed";
      std::erase_if(workspace.roles,
                    [&](const auto& grant) { return grant.principal == sample_.viewer.uuid(); });
    }
    return state;
  }
  restore::PreparedRestore plan_everything_as(UserId user) {
    auto request = testkit::everything_back();
    request.requested_by = user;
    request.leave_out_blocked = true;
    return plan(request);
  }
  Action workspace_action(const restore::PreparedRestore& prepared, WorkspaceId id) {
    return item_of(prepared, AssetKind::kWorkspace, id.uuid()).action;
  }
  Action report_action(const restore::PreparedRestore& prepared, ReportId id) {
    return item_of(prepared, AssetKind::kReport, id.uuid()).action;
  }
};

TEST_F(RestoreRights, AnEditorRestoresWhatIsInTheirWorkspaceButNoRoles) {
  TenantState state = damaged();
  const UserId editor = add_person(state, "editor", std::pair(sample_.first, Role::kEditor));
  world_->set_state(tenant_, state);
  const auto prepared = plan_everything_as(editor);
  EXPECT_EQ(workspace_action(prepared, sample_.first), Action::kBlocked);
  EXPECT_EQ(workspace_action(prepared, sample_.second), Action::kBlocked);
  EXPECT_EQ(report_action(prepared, sample_.elsewhere), Action::kBlocked);
  must(world_->apply(tenant_, prepared));
  TenantState expected = state;
  expected.reports[sample_.overview] = archived_.reports.at(sample_.overview);
  EXPECT_EQ(differences(expected, this->state()), "");
}

TEST_F(RestoreRights, AnAdminOfOneWorkspaceRestoresThatOne) {
  TenantState state = damaged();
  const UserId admin = add_person(state, "admin", std::pair(sample_.first, Role::kAdmin));
  world_->set_state(tenant_, state);
  const auto prepared = plan_everything_as(admin);
  EXPECT_EQ(workspace_action(prepared, sample_.first), Action::kOverwrite);
  EXPECT_EQ(report_action(prepared, sample_.overview), Action::kCreate);
  EXPECT_EQ(workspace_action(prepared, sample_.second), Action::kBlocked);
  EXPECT_EQ(report_action(prepared, sample_.elsewhere), Action::kBlocked);
  must(world_->apply(tenant_, prepared));
  TenantState expected = state;
  expected.workspaces[sample_.first] = archived_.workspaces.at(sample_.first);
  expected.reports[sample_.overview] = archived_.reports.at(sample_.overview);
  EXPECT_EQ(differences(expected, this->state()), "");
}

TEST_F(RestoreRights, AViewerRestoresNothing) {
  TenantState state = damaged();
  const UserId viewer = add_person(state, "looker", std::pair(sample_.first, Role::kViewer));
  world_->set_state(tenant_, state);
  const auto prepared = plan_everything_as(viewer);
  for (const auto& item : prepared.plan.items) EXPECT_FALSE(writes(item)) << item.reason;
  auto request = overview_back();
  request.requested_by = viewer;
  refused(plan(request), ErrorCode::kConflict);
}

TEST_F(RestoreRights, OnlyAnOwnerMakesWorkspaces) {
  TenantState state = archived_;
  const UserId admin = add_person(state, "admin", std::pair(sample_.first, Role::kAdmin));
  state.reports.erase(sample_.elsewhere);
  state.workspaces.erase(sample_.second);
  world_->set_state(tenant_, state);
  const auto prepared = plan_everything_as(admin);
  EXPECT_EQ(workspace_action(prepared, sample_.second), Action::kBlocked);
  EXPECT_EQ(report_action(prepared, sample_.elsewhere), Action::kBlocked);
  auto request = testkit::one_back(AssetKind::kWorkspace, sample_.first.uuid());
  request.mode = restore::Mode::kFork;
  request.requested_by = admin;
  EXPECT_EQ(workspace_action(plan(request), sample_.first), Action::kBlocked);
  request.id = RestoreId::random();
  request.requested_by = sample_.owner;
  EXPECT_EQ(workspace_action(plan(request), sample_.first), Action::kFork);
  auto owners = testkit::everything_back();
  owners.requested_by = sample_.owner;
  must(world_->apply(tenant_, plan(owners)));
  EXPECT_TRUE(this->state().workspaces.contains(sample_.second));
}

TEST_F(RestoreRights, WhoIsNoActiveUserHereRestoresNothing) {
  TenantState state = archived_;
  state.users.at(sample_.owner).active = false;
  world_->set_state(tenant_, state);
  for (const UserId user : {sample_.owner, UserId::random()}) {
    auto request = testkit::everything_back();
    request.requested_by = user;
    const auto prepared =
        restore::prepare_restore(world_->engine(tenant_), *archive_.reader, request, no_progress());
    ASSERT_FALSE(prepared.ok());
    EXPECT_EQ(prepared.error().code, ErrorCode::kPermissionDenied);
  }
}

TEST_F(RestoreRights, NobodyApprovesWhatTheyCouldNotRestore) {
  TenantState state = damaged();
  const UserId editor = add_person(state, "editor", std::pair(sample_.first, Role::kEditor));
  const UserId gone = add_person(state, "gone", std::pair(sample_.first, Role::kAdmin));
  state.users.at(gone).active = false;
  world_->set_state(tenant_, state);
  auto request = testkit::everything_back();
  request.requested_by = sample_.owner;
  const auto prepared = plan(request);
  for (const UserId user : {editor, gone, UserId::random()}) {
    const auto applied =
        restore::apply_plan(world_->engine(tenant_), prepared,
                            {restore::plan_hash(prepared.plan), user}, no_progress());
    ASSERT_FALSE(applied.ok());
    EXPECT_EQ(applied.error().code, ErrorCode::kPermissionDenied) << applied.error().message;
    EXPECT_EQ(differences(state, this->state()), "");
  }
  must(restore::apply_plan(world_->engine(tenant_), prepared,
                           {restore::plan_hash(prepared.plan), sample_.owner}, no_progress()));
  EXPECT_EQ(world_->record(tenant_, request.id).approved_by, sample_.owner);
}

TEST_F(RestoreRights, AnUndoNeedsTheSameRights) {
  TenantState state = damaged();
  const UserId editor = add_person(state, "editor", std::pair(sample_.first, Role::kEditor));
  world_->set_state(tenant_, state);
  const auto prepared = plan(testkit::everything_back());
  must(world_->apply(tenant_, prepared));
  // The restore took the editor's role, which the archive does not know.
  TenantState restored = this->state();
  restored.workspaces.at(sample_.first) = state.workspaces.at(sample_.first);
  world_->set_state(tenant_, restored);
  restore::UndoRequest undo;
  undo.id = RestoreId::random();
  undo.undoes = prepared.plan.id;
  undo.requested_by = editor;
  undo.discard_edits = true;
  refused(world_->plan_undo(tenant_, undo), ErrorCode::kConflict);
}

TEST_F(RestoreRights, WhatIsMadeSinceKeepsWhatItNeeds) {
  TenantState without = archived_;
  without.alerts.clear();
  without.reports.clear();
  without.rows.clear();
  without.datasets.clear();
  without.workspaces.erase(sample_.first);
  world_->set_state(tenant_, without);
  const auto prepared = plan(testkit::everything_back());
  must(world_->apply(tenant_, prepared));
  TenantState since = state();
  catalog::Report report = archived_.reports.at(sample_.overview);
  report.id = ReportId::random();
  report.name = "made since";
  report.workspace_id = sample_.first;
  report.visuals.erase(report.visuals.begin());
  const DatasetId needed = report.visuals.front().dataset_id;
  report.visuals.front().id = VisualId::random();
  since.reports[report.id] = report;
  world_->set_state(tenant_, since);
  world_->undo(tenant_, prepared.plan.id);
  TenantState expected = without;
  expected.reports[report.id] = report;
  expected.datasets[needed] = archived_.datasets.at(needed);
  if (archived_.rows.contains(needed)) expected.rows[needed] = archived_.rows.at(needed);
  expected.workspaces[sample_.first] = archived_.workspaces.at(sample_.first);
  EXPECT_EQ(differences(expected, state()), "");
}

TEST_F(RestoreRights, APlaceholderGoesWithTheUndoUnlessItWasGivenSomething) {
  TenantState without = archived_;
  without.users.erase(sample_.viewer);
  without.teams.clear();
  for (auto& [id, workspace] : without.workspaces) workspace.roles.clear();
  world_->set_state(tenant_, without);
  const auto prepared = plan(testkit::everything_back());
  must(world_->apply(tenant_, prepared));
  EXPECT_FALSE(state().users.at(sample_.viewer).active);
  EXPECT_TRUE(state().teams.contains(sample_.team));
  world_->undo(tenant_, prepared.plan.id);
  EXPECT_EQ(differences(without, state()), "");

  const auto again = plan(testkit::everything_back());
  must(world_->apply(tenant_, again));
  TenantState since = state();
  since.reports.at(sample_.elsewhere).created_by = sample_.viewer;
  world_->set_state(tenant_, since);
  restore::UndoRequest undo;
  undo.id = RestoreId::random();
  undo.undoes = again.plan.id;
  undo.discard_edits = true;
  must(world_->apply(tenant_, world_->plan_undo(tenant_, undo)));
  const TenantState after = state();
  EXPECT_TRUE(after.users.contains(sample_.viewer)) << "it made a report since";
  EXPECT_EQ(after.reports.at(sample_.elsewhere).created_by, sample_.viewer);
}

}  // namespace
}  // namespace oa
