// Restores that lose their place in the queue, rows that cannot be read any more, and undos where
// the tenant went on since: nothing dangles, nobody gains, chains of undos stay in order.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "connection.h"
#include "oa/base/bytes.h"
#include "oa/crypto/hash.h"
#include "restore_fixture.h"

namespace oa {
namespace {

using catalog::PrincipalKind;
using catalog::RestoreState;
using catalog::Role;
using restore::Action;
using restore::AssetKind;
using testkit::must;
using testkit::TenantState;

class RestoreUndo : public testkit::RestoreTest {
 protected:
  void SetUp() override {
    RestoreTest::SetUp();
    before_ = archived_;
  }
  // `before_` as the tenant's state, and `request` applied to it.
  RestoreId restored(const restore::Request& request) {
    world_->set_state(tenant_, before_);
    must(world_->apply(tenant_, plan(request)));
    return request.id;
  }
  static restore::Request back(std::initializer_list<restore::AssetRef> assets) {
    restore::Request request;
    request.id = RestoreId::random();
    request.selection.assets = assets;
    return request;
  }
  static restore::UndoRequest undo_of(RestoreId restore) {
    restore::UndoRequest undo;
    undo.id = RestoreId::random();
    undo.undoes = restore;
    return undo;
  }
  RestoreId undone(RestoreId restore) {
    const auto undo = undo_of(restore);
    must(world_->apply(tenant_, world_->plan_undo(tenant_, undo)));
    return undo.id;
  }
  RestoreState state_of(RestoreId id) { return world_->record(tenant_, id).state; }
  static bool mentions(const std::string& text, std::string_view what) {
    return text.find(what) != std::string::npos;
  }
  // A dataset as `plain` is, in the state before the restore.
  DatasetId add_dataset() {
    catalog::Dataset dataset = archived_.datasets.at(sample_.plain);
    dataset.id = DatasetId::random();
    dataset.name = "another";
    before_.datasets[dataset.id] = dataset;
    return dataset.id;
  }
  UserId add_editor(WorkspaceId workspace) {
    catalog::User user;
    user.id = UserId::random();
    user.email = "editor@demo.example";
    user.created_at = Timestamp::now();
    before_.users[user.id] = user;
    auto& roles = before_.workspaces.at(workspace).roles;
    roles.push_back({PrincipalKind::kUser, user.id.uuid(), Role::kEditor});
    std::sort(roles.begin(), roles.end());
    return user.id;
  }
  // The undo is refused because of `asset`; taking back the rest gives `rest`.
  void expect_rest_taken_back(RestoreId restore, const restore::AssetRef& asset,
                              const std::string& why, const TenantState& rest) {
    auto undo = undo_of(restore);
    const auto whole = world_->plan_undo(tenant_, undo);
    const auto& item = item_of(whole, asset.kind, asset.id);
    EXPECT_EQ(item.action, Action::kBlocked);
    EXPECT_TRUE(mentions(item.reason, why)) << item.reason;
    EXPECT_TRUE(mentions(refused(whole, ErrorCode::kConflict), why));
    undo.id = RestoreId::random();
    undo.leave_out_blocked = true;
    must(world_->apply(tenant_, world_->plan_undo(tenant_, undo)));
    EXPECT_EQ(differences(rest, state()), "");
  }

  TenantState before_;  // what a restore finds
};

// When a step begins, the connection that holds the tenant's place in the queue ends, and somebody
// sweeps.
class LosePlaceAt final : public Progress {
 public:
  LosePlaceAt(std::string_view step, testkit::RestoreWorld& world,
              const testkit::WorldTenant& tenant)
      : step_(step), world_(world), tenant_(tenant) {}
  void begin(std::string_view step, std::uint64_t, std::string_view) override {
    if (step != step_) return;
    terminate_holder();
    swept_ = must(restore::sweep(world_.engine(tenant_), Timestamp::now())).restores;
  }
  void update(std::uint64_t) override {}
  std::size_t swept() const { return swept_; }

 private:
  void terminate_holder() {
    const auto digest = Sha256::of(as_bytes("oa-restore-queue:v1:" + tenant_.tenant.id.str()));
    const auto low = read_le<std::uint32_t>(ByteView(digest).first(4));
    const auto high = read_le<std::uint32_t>(ByteView(digest).subspan(4, 4));
    auto transaction = must(world_.database().begin(tenant_.tenant.id));
    const auto ended = must(transaction.connection().script(fmt::format(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND "
        "classid = {} AND objid = {} AND objsubid = 1 AND granted",
        high, low)));
    ASSERT_EQ(ended.count(), 1) << "nobody has the place";
    ASSERT_STREQ(PQgetvalue(ended.get(), 0, 0), "t");
  }

  const std::string_view step_;
  testkit::RestoreWorld& world_;
  const testkit::WorldTenant& tenant_;
  std::size_t swept_ = 0;
};

TEST_F(RestoreUndo, ARestoreThatLostItsPlaceChangesNothing) {
  testkit::give_rows(*world_, tenant_, before_, sample_.orders, "id,region,amount\n1,x,2.5\n");
  before_.reports.erase(sample_.overview);
  world_->set_state(tenant_, before_);
  for (const char* step : {"staging rows", "writing"}) {
    const auto request = testkit::everything_back();
    const auto prepared = plan(request);
    const auto objects = world_->unnamed_objects(tenant_);
    LosePlaceAt progress(step, *world_, tenant_);
    const auto applied = world_->apply(tenant_, prepared, progress);
    EXPECT_EQ(progress.swept(), 1u) << step;
    ASSERT_FALSE(applied.ok()) << step;
    EXPECT_TRUE(applied.error().code == ErrorCode::kConflict ||
                applied.error().code == ErrorCode::kDatabaseUnavailable)
        << step << ": " << applied.error().message;
    EXPECT_EQ(differences(before_, state()), "") << step;
    EXPECT_EQ(state_of(request.id), RestoreState::kPlanned) << step;
    EXPECT_EQ(world_->unnamed_objects(tenant_), objects) << step;
    EXPECT_EQ(world_->lost_objects(tenant_), std::set<std::string>{}) << step;
    must(world_->apply(tenant_, prepared));
    EXPECT_EQ(differences(archived_, state()), "") << step;
    world_->undo(tenant_, request.id);
    EXPECT_EQ(differences(before_, state()), "") << step;
  }
}

class RestoreUndoRows : public RestoreUndo {
 protected:
  // The file of the rows of `orders`, as the tenant has them now.
  std::filesystem::path rows_file() {
    auto snapshot =
        must(world_->database().begin(tenant_.tenant.id, catalog::Isolation::kSnapshot));
    const auto rows = must(catalog::Datasets(snapshot).get(sample_.orders)).rows;
    const std::filesystem::path store =
        world_->data_folder() + "/objects/" + tenant_.tenant.id.str();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(store)) {
      if (entry.path().filename() == rows->object_version &&
          mentions(entry.path().string(), rows->object_name))
        return entry.path();
    }
    throw std::runtime_error("no file of these rows");
  }
  static void flip_byte_at(const std::filesystem::path& path, std::streamoff offset) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
    ASSERT_TRUE(file.flush().good());
  }
  static void flip_byte(const std::filesystem::path& path) {
    flip_byte_at(path, static_cast<std::streamoff>(std::filesystem::file_size(path) / 2));
  }
  // What the tenant's last audit event tells.
  std::string last_event() {
    auto snapshot =
        must(world_->database().begin(tenant_.tenant.id, catalog::Isolation::kSnapshot));
    std::string detail;
    must(catalog::Audit(snapshot).for_each([&](const AuditEvent& event) -> Status {
      detail = event.detail.str();
      return {};
    }));
    return detail;
  }
  void expect_overwritten(const std::function<void(const std::filesystem::path&)>& damage) {
    damage(rows_file());
    EXPECT_THROW(state(), std::runtime_error);
    const auto prepared = plan(testkit::one_back(AssetKind::kDataset, sample_.orders.uuid()));
    EXPECT_EQ(item_of(prepared, AssetKind::kDataset, sample_.orders.uuid()).rows,
              restore::RowsAction::kRestore);
    const auto applied = must(world_->apply(tenant_, prepared));
    EXPECT_EQ(restore::rows_not_kept(applied), 1u);
    EXPECT_EQ(applied.summary.str(), R"({"overwrite":1,"rows_not_kept":1})");
    EXPECT_TRUE(mentions(last_event(), R"("rows_not_kept":1)")) << last_event();
    EXPECT_EQ(differences(archived_, state()), "");
    // What was there cannot come back; all else does.
    must(world_->apply(tenant_, world_->plan_undo(tenant_, undo_of(prepared.plan.id))));
    EXPECT_EQ(state_of(prepared.plan.id), RestoreState::kUndone);
    EXPECT_EQ(state().datasets.at(sample_.orders).model_yaml,
              before_.datasets.at(sample_.orders).model_yaml);
  }
};

TEST_F(RestoreUndoRows, DamagedRowsAreOverwritten) { expect_overwritten(flip_byte); }

// The sealed form's header: magic, lengths, prefix of the nonce, key id, wrapped key.
TEST_F(RestoreUndoRows, RowsWithADamagedHeaderAreOverwritten) {
  constexpr std::streamoff kKeyId = 8 + 4 + 7;
  const auto wrapped_key =
      static_cast<std::streamoff>(kKeyId + ("local:" + tenant_.tenant.id.str() + ":1").size());
  for (const std::streamoff offset : {std::streamoff{0}, std::streamoff{8}, std::streamoff{12},
                                      kKeyId, wrapped_key - 1, wrapped_key, wrapped_key + 20}) {
    SCOPED_TRACE(offset);
    world_->set_state(tenant_, before_);
    expect_overwritten([&](const auto& path) { flip_byte_at(path, offset); });
  }
}

TEST_F(RestoreUndoRows, LostRowsAreOverwritten) {
  expect_overwritten([](const auto& path) { ASSERT_TRUE(std::filesystem::remove(path)); });
}

TEST_F(RestoreUndoRows, DamagedRowsOfOtherSizeAreOverwritten) {
  before_.datasets.at(sample_.orders).model_yaml += "# edited\n";
  testkit::give_rows(*world_, tenant_, before_, sample_.orders, "id,region,amount\n1,x,2.5\n");
  world_->set_state(tenant_, before_);
  expect_overwritten(flip_byte);
}

// Rows that cannot be read just now may be there again later: nothing is written over them.
TEST_F(RestoreUndoRows, RowsThatDoNotAnswerAreNotGivenUp) {
  before_.datasets.at(sample_.orders).model_yaml += "# edited\n";
  testkit::give_rows(*world_, tenant_, before_, sample_.orders, "id,region,amount\n1,x,2.5\n");
  world_->set_state(tenant_, before_);
  const auto file = rows_file();
  const std::filesystem::path aside = file.string() + ".aside";
  std::filesystem::rename(file, aside);
  std::filesystem::create_symlink(file, file);  // ELOOP at every open
  const auto prepared = plan(testkit::one_back(AssetKind::kDataset, sample_.orders.uuid()));
  const auto objects = world_->unnamed_objects(tenant_);
  const auto applied = world_->apply(tenant_, prepared);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, ErrorCode::kIo) << applied.error().message;
  EXPECT_EQ(world_->record(tenant_, prepared.plan.id).last_failure, "storage/io");
  EXPECT_EQ(world_->unnamed_objects(tenant_), objects);
  std::filesystem::remove(file);
  std::filesystem::rename(aside, file);
  EXPECT_EQ(differences(before_, state()), "");
  EXPECT_EQ(restore::rows_not_kept(must(world_->apply(tenant_, prepared))), 0u);
  world_->undo(tenant_, prepared.plan.id);
  EXPECT_EQ(differences(before_, state()), "");
}

// The restore leaves the rows where they are, so the undo archive has none.
TEST_F(RestoreUndoRows, AModelDoesNotComeBackOverOtherColumns) {
  before_.datasets.at(sample_.orders).model_yaml += "# edited\n";
  world_->set_state(tenant_, before_);
  const auto without_rows = world_->open(tenant_, world_->archive(tenant_, false));
  TenantState edited = before_;
  edited.datasets.at(sample_.orders).model_yaml += "# edited again\n";
  world_->set_state(tenant_, edited);
  const auto prepared = world_->plan(tenant_, without_rows,
                                     testkit::one_back(AssetKind::kDataset, sample_.orders.uuid()));
  must(world_->apply(tenant_, prepared));
  EXPECT_EQ(differences(before_, state()), "");

  TenantState since = before_;
  testkit::give_rows(*world_, tenant_, since, sample_.orders, "id,place,price\n1,x,2.5\n");
  world_->set_state(tenant_, since);
  auto undo = undo_of(prepared.plan.id);
  undo.discard_edits = true;
  EXPECT_TRUE(mentions(refused(world_->plan_undo(tenant_, undo), ErrorCode::kConflict), "columns"));

  // Other rows of the same columns are not in the way.
  since = before_;
  testkit::give_rows(*world_, tenant_, since, sample_.orders,
                     "id,region,amount\n1,x,2.5\n2,y,3.5\n");
  world_->set_state(tenant_, since);
  undo.id = RestoreId::random();
  must(world_->apply(tenant_, world_->plan_undo(tenant_, undo)));
  EXPECT_EQ(state().datasets.at(sample_.orders).model_yaml,
            edited.datasets.at(sample_.orders).model_yaml);
  EXPECT_EQ(state().rows.at(sample_.orders), since.rows.at(sample_.orders));
}

TEST_F(RestoreUndo, AnAlertWhoseFormerDatasetIsGoneStays) {
  const DatasetId former = add_dataset();
  before_.alerts.at(sample_.watch).dataset_id = former;
  before_.reports.at(sample_.elsewhere).name = "renamed";
  const RestoreId id = restored(back(
      {{AssetKind::kAlert, sample_.watch.uuid()}, {AssetKind::kReport, sample_.elsewhere.uuid()}}));
  TenantState since = state();
  since.datasets.erase(former);
  world_->set_state(tenant_, since);
  since.reports[sample_.elsewhere] = before_.reports.at(sample_.elsewhere);
  expect_rest_taken_back(id, {AssetKind::kAlert, sample_.watch.uuid()}, former.str(), since);
}

TEST_F(RestoreUndo, AReportWhoseFormerDatasetIsGoneStays) {
  const DatasetId former = add_dataset();
  before_.reports.at(sample_.elsewhere).visuals.front().dataset_id = former;
  before_.alerts.at(sample_.watch).name = "renamed";
  const RestoreId id = restored(back(
      {{AssetKind::kAlert, sample_.watch.uuid()}, {AssetKind::kReport, sample_.elsewhere.uuid()}}));
  TenantState since = state();
  since.datasets.erase(former);
  world_->set_state(tenant_, since);
  since.alerts[sample_.watch] = before_.alerts.at(sample_.watch);
  expect_rest_taken_back(id, {AssetKind::kReport, sample_.elsewhere.uuid()}, former.str(), since);
}

TEST_F(RestoreUndo, AReportWhoseFormerWorkspaceIsGoneStays) {
  const WorkspaceId former = WorkspaceId::random();
  before_.workspaces[former] = before_.workspaces.at(sample_.second);
  before_.workspaces[former].id = former;
  before_.workspaces[former].name = "Third";
  before_.reports.at(sample_.elsewhere).workspace_id = former;
  before_.alerts.at(sample_.watch).name = "renamed";
  const RestoreId id = restored(back(
      {{AssetKind::kAlert, sample_.watch.uuid()}, {AssetKind::kReport, sample_.elsewhere.uuid()}}));
  EXPECT_EQ(state().reports.at(sample_.elsewhere).workspace_id, sample_.second);
  TenantState since = state();
  since.workspaces.erase(former);
  world_->set_state(tenant_, since);
  since.alerts[sample_.watch] = before_.alerts.at(sample_.watch);
  expect_rest_taken_back(id, {AssetKind::kReport, sample_.elsewhere.uuid()}, former.str(), since);
}

TEST_F(RestoreUndo, UndosOfUndosStayInOrder) {
  before_.reports.at(sample_.overview).name = "renamed";
  before_.alerts.erase(sample_.watch);
  const RestoreId restore = restored(testkit::everything_back());
  const RestoreId first = undone(restore);
  const RestoreId second = undone(first);
  EXPECT_EQ(differences(archived_, state()), "");
  const RestoreId third = undone(second);
  EXPECT_EQ(state_of(restore), RestoreState::kUndone);
  EXPECT_EQ(world_->record(tenant_, restore).undone_by, first);
  EXPECT_EQ(state_of(first), RestoreState::kApplied);
  EXPECT_EQ(state_of(second), RestoreState::kUndone);
  EXPECT_EQ(state_of(third), RestoreState::kApplied);
  EXPECT_EQ(differences(before_, state()), "");
  const auto again =
      restore::prepare_undo(world_->engine(tenant_), undo_of(restore), no_progress());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);

  const RestoreId fourth = undone(third);
  EXPECT_EQ(state_of(restore), RestoreState::kApplied);
  EXPECT_EQ(world_->record(tenant_, restore).undone_by, std::nullopt);
  EXPECT_EQ(state_of(first), RestoreState::kUndone);
  EXPECT_EQ(state_of(second), RestoreState::kApplied);
  EXPECT_EQ(state_of(third), RestoreState::kUndone);
  EXPECT_EQ(state_of(fourth), RestoreState::kApplied);
  EXPECT_EQ(differences(archived_, state()), "");
}

TEST_F(RestoreUndo, WhatAnotherUndoTookBackIsNotTakenBackTwice) {
  before_.reports.at(sample_.overview).name = "renamed";
  const RestoreId restore = restored(overview_back());
  const RestoreId first = undone(restore);
  const RestoreId second = undone(first);
  const auto early = world_->plan_undo(tenant_, undo_of(second));
  const RestoreId another = undone(restore);
  EXPECT_EQ(world_->record(tenant_, restore).undone_by, another);
  const auto late = restore::prepare_undo(world_->engine(tenant_), undo_of(second), no_progress());
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kConflict) << late.error().message;
  EXPECT_FALSE(late.error().hint.empty());
  const auto applied = world_->apply(tenant_, early);
  ASSERT_FALSE(applied.ok()) << "planned before that";
  EXPECT_TRUE(applied.error().code == ErrorCode::kConflict ||
              applied.error().code == ErrorCode::kPreconditionFailed)
      << applied.error().message;
  EXPECT_EQ(differences(before_, state()), "");
  // Taking the other one back puts everything in order again.
  undone(another);
  EXPECT_EQ(state_of(restore), RestoreState::kApplied);
  EXPECT_EQ(differences(archived_, state()), "");
  undone(second);
  EXPECT_EQ(state_of(restore), RestoreState::kUndone);
  EXPECT_EQ(differences(before_, state()), "");
}

TEST_F(RestoreUndo, NobodyTakesAReportOutOfAWorkspaceThatIsNotTheirs) {
  before_.reports.at(sample_.overview).workspace_id = sample_.second;
  const UserId editor = add_editor(sample_.second);
  const RestoreId id = restored(overview_back());
  EXPECT_EQ(state().reports.at(sample_.overview).workspace_id, sample_.first);
  auto undo = undo_of(id);
  undo.requested_by = editor;
  EXPECT_TRUE(mentions(refused(world_->plan_undo(tenant_, undo), ErrorCode::kConflict),
                       "needs the Editor role"));
  world_->undo(tenant_, id);
  EXPECT_EQ(differences(before_, state()), "");
}

TEST_F(RestoreUndo, AnEditorsUndoChangesNoShares) {
  before_.reports.at(sample_.overview).grants = {
      {PrincipalKind::kUser, sample_.viewer.uuid(), Role::kEditor}};
  before_.reports.at(sample_.elsewhere).name = "renamed";
  const UserId editor = add_editor(sample_.first);
  auto request = back({{AssetKind::kReport, sample_.overview.uuid()}});
  request.with_roles = true;
  const RestoreId id = restored(request);
  EXPECT_TRUE(state().reports.at(sample_.overview).grants.empty());
  auto undo = undo_of(id);
  undo.requested_by = editor;
  EXPECT_TRUE(mentions(refused(world_->plan_undo(tenant_, undo), ErrorCode::kConflict),
                       "needs the Admin role"));
  world_->undo(tenant_, id);
  EXPECT_EQ(differences(before_, state()), "");
}

TEST_F(RestoreUndo, AnEditorsUndoThatChangesNoSharesIsAllowed) {
  before_.reports.at(sample_.overview).name = "renamed";
  const UserId editor = add_editor(sample_.first);
  auto undo = undo_of(restored(overview_back()));
  undo.requested_by = editor;
  must(world_->apply(tenant_, world_->plan_undo(tenant_, undo)));
  EXPECT_EQ(differences(before_, state()), "");
}

class RestoreUndoTeams : public RestoreUndo {
 protected:
  // The archived team is gone; two others have its name.
  RestoreId restored_among_two() {
    before_.teams.clear();
    for (int n = 0; n < 2; ++n) {
      const TeamId id = TeamId::random();
      before_.teams[id] = {id, archived_.teams.at(sample_.team).name, {}, Timestamp::now()};
    }
    for (auto& [id, workspace] : before_.workspaces) {
      std::erase_if(workspace.roles,
                    [](const auto& grant) { return grant.kind == PrincipalKind::kTeam; });
    }
    return restored(testkit::everything_back());
  }
};

TEST_F(RestoreUndoTeams, ATeamAmongTwoOfItsNameIsMadeAnew) {
  const RestoreId id = restored_among_two();
  TenantState expected = archived_;
  expected.teams.insert(before_.teams.begin(), before_.teams.end());
  EXPECT_EQ(differences(expected, state()), "");
  world_->undo(tenant_, id);
  EXPECT_EQ(differences(before_, state()), "");
}

TEST_F(RestoreUndoTeams, ATeamThatWasChangedSinceStays) {
  const auto changes = {
      std::function([](catalog::Team& team) { team.name = "Analysts of the north"; }),
      std::function([this](catalog::Team& team) {
        team.members.push_back(sample_.author);
        std::sort(team.members.begin(), team.members.end());
      })};
  for (const auto& change : changes) {
    const RestoreId id = restored_among_two();
    TenantState since = state();
    change(since.teams.at(sample_.team));
    world_->set_state(tenant_, since);
    world_->undo(tenant_, id);
    TenantState expected = before_;
    expected.teams[sample_.team] = since.teams.at(sample_.team);
    EXPECT_EQ(differences(expected, state()), "");
  }
}

TEST_F(RestoreUndo, ALongNameOfAForkEndsWithAWholeCharacter) {
  for (const std::string character : {"é", "€", "😀"}) {
    std::string name = character.size() == 4 ? "ab" : "";  // 510 bytes
    while (name.size() < 510) name += character;
    ASSERT_EQ(name.size(), 510u);
    before_ = archived_;
    before_.reports.at(sample_.overview).name = name;
    world_->set_state(tenant_, before_);
    const auto archive = world_->open(tenant_, world_->archive(tenant_, true));
    std::set<std::string> names{name};
    for (const char* suffix : {" (restored)", " (restored 2)"}) {
      auto request = overview_back();
      request.mode = restore::Mode::kFork;
      const auto prepared = world_->plan(tenant_, archive, request);
      const auto& item = item_of(prepared, AssetKind::kReport, sample_.overview.uuid());
      must(world_->apply(tenant_, prepared));
      const std::string fork = state().reports.at(ReportId(item.target_id)).name;
      EXPECT_LE(fork.size(), kMaxNameBytes);
      EXPECT_GT(fork.size() + character.size(), kMaxNameBytes) << "cut too short";
      EXPECT_TRUE(is_utf8(fork));
      EXPECT_TRUE(fork.ends_with(suffix)) << fork;
      EXPECT_TRUE(names.insert(fork).second) << fork;
    }
  }
}

TEST_F(RestoreUndo, AnEditorRestoresAnUnchangedWorkspace) {
  const UserId editor = add_editor(sample_.first);
  world_->set_state(tenant_, before_);
  for (const bool with_roles : {false, true}) {
    auto request = testkit::one_back(AssetKind::kWorkspace, sample_.first.uuid());
    request.with_roles = with_roles;
    request.requested_by = editor;
    const auto prepared = plan(request);
    EXPECT_GE(prepared.plan.items.size(), 5u);
    for (const auto& item : prepared.plan.items)
      EXPECT_EQ(item.action, Action::kIdentical) << item.name << ": " << item.reason;
    must(world_->apply(tenant_, prepared));
    EXPECT_EQ(differences(before_, state()), "");
  }
}

}  // namespace
}  // namespace oa
