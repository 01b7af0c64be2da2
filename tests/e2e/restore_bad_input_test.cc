// What must not be restored, or not by these people, or not any more.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <thread>

#include "connection.h"
#include "oa/privacy/erased_user.h"
#include "oa/archive/entry_paths.h"
#include "oa/archive/writer.h"
#include "oa/crypto/uuid5.h"
#include "restore_fixture.h"
#include "restore_model.h"

namespace oa {
namespace {

using restore::Action;
using restore::AssetKind;
using testkit::must;
using testkit::TenantState;

class RestoreBadInput : public testkit::RestoreTest {
 protected:
  Bytes archive_bytes() { return must(read_all(*archive_.source, 1 << 26)); }
  std::string sql(const char* statement) {
    auto transaction = must(world_->database().begin(tenant_.tenant.id));
    const auto rows = must(transaction.connection().script(statement));
    must(transaction.commit());
    return rows.count() == 0 ? "" : PQgetvalue(rows.get(), 0, 0);
  }
};

TEST_F(RestoreBadInput, HalfAnUploadIsRefusedWhereverItEnds) {
  const Bytes whole = archive_bytes();
  const archive::TrustPolicy trust{tenant_.keys, false};
  for (const std::size_t share : {0, 1, 10, 50, 90, 99}) {
    const MemorySource half(Bytes(
        whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * share / 100)));
    const auto opened = archive::ArchiveReader::open(half, trust);
    ASSERT_FALSE(opened.ok()) << share;
    EXPECT_TRUE(std::string_view(error_info(opened.error().code).name).starts_with("archive/"))
        << share;
  }
}

TEST_F(RestoreBadInput, ADamagedDocumentIsRefusedBeforeAnythingIsPlanned) {
  Bytes damaged = archive_bytes();
  damaged[64] ^= 1;  // in the first content frame
  const MemorySource source(std::move(damaged));
  const auto reader = must(archive::ArchiveReader::open(source, {tenant_.keys, false}));
  const TenantState before = state();
  const auto prepared = restore::prepare_restore(world_->engine(tenant_), *reader,
                                                 testkit::everything_back(), no_progress());
  ASSERT_FALSE(prepared.ok());
  EXPECT_TRUE(std::string_view(error_info(prepared.error().code).name).starts_with("archive/"))
      << prepared.error().message;
  EXPECT_EQ(differences(before, state()), "");
}

TEST_F(RestoreBadInput, AnArchiveOfAnotherTenantIsNotTrusted) {
  const auto other = world_->make_tenant();
  const MemorySource source(archive_bytes());
  const auto opened = archive::ArchiveReader::open(source, {other.keys, false});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kArchiveUntrustedSigner);
  EXPECT_FALSE(restore::open_stored_archive(world_->objects(), other.tenant.id, record_,
                                            {tenant_.keys, false})
                   .ok());
}

TEST_F(RestoreBadInput, AStrangersArchiveIsNotTrusted) {
  const SigningKey stranger = SigningKey::generate();
  const auto record = must(backup::create_archive(world_->database(), world_->objects(), stranger,
                                                  tenant_.tenant.id, {}, no_progress()));
  const auto opened = restore::open_stored_archive(world_->objects(), tenant_.tenant.id, record,
                                                   {tenant_.keys, false});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kArchiveUntrustedSigner);
}

TEST_F(RestoreBadInput, APlanApprovedTwiceIsAppliedOnce) {
  auto request = testkit::everything_back();
  request.mode = restore::Mode::kFork;
  const auto prepared = plan(request);
  const auto first = must(world_->apply(tenant_, prepared));
  const TenantState after = state();
  const auto second = must(world_->apply(tenant_, prepared));
  EXPECT_EQ(second.applied_at, first.applied_at);
  EXPECT_EQ(differences(after, state()), "");
  const auto saved = restore::save_plan(world_->engine(tenant_), prepared,
                                        JsonText::of(json::object{{"kind", "stored"}}));
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().code, ErrorCode::kConflict);
}

TEST_F(RestoreBadInput, AnApprovalIsOfOnePlan) {
  delete_overview();
  const auto prepared = plan(overview_back());
  const auto other = plan(testkit::everything_back());
  const TenantState before = state();
  for (const std::string& hash :
       {std::string(), std::string("00"), restore::plan_hash(other.plan)}) {
    const auto applied =
        restore::apply_plan(world_->engine(tenant_), prepared, {hash, {}}, no_progress());
    ASSERT_FALSE(applied.ok()) << hash;
    EXPECT_EQ(applied.error().code, ErrorCode::kPreconditionFailed);
    EXPECT_EQ(differences(before, state()), "");
  }
}

TEST_F(RestoreBadInput, WhatChangedSinceThePlanIsNamed) {
  TenantState damaged = archived_;
  damaged.reports.at(sample_.overview).name = "renamed";
  damaged.reports.erase(sample_.elsewhere);
  const auto expect_named = [&](const TenantState& meanwhile, const Uuid& asset) {
    world_->set_state(tenant_, damaged);
    const auto prepared = plan(testkit::everything_back());
    world_->set_state(tenant_, meanwhile);
    EXPECT_NE(refused(prepared, ErrorCode::kPreconditionFailed).find(asset.str()),
              std::string::npos);
    // The same when the saved plan is looked at again.
    const auto again =
        restore::reopen_plan(world_->engine(tenant_), world_->record(tenant_, prepared.plan.id),
                             archive_.reader.get(), no_progress());
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, ErrorCode::kPreconditionFailed);
    EXPECT_NE(again.error().message.find(asset.str()), std::string::npos) << again.error().message;
  };
  TenantState deleted = damaged;
  deleted.reports.erase(sample_.overview);
  expect_named(deleted, sample_.overview.uuid());
  TenantState changed = damaged;
  changed.reports.at(sample_.overview).name = "renamed again";
  expect_named(changed, sample_.overview.uuid());
  TenantState created = damaged;
  created.reports[sample_.elsewhere] = archived_.reports.at(sample_.elsewhere);
  expect_named(created, sample_.elsewhere.uuid());
  TenantState remodelled = damaged;
  remodelled.datasets.at(sample_.plain).model_yaml += "# edited\n";
  expect_named(remodelled, sample_.plain.uuid());
  TenantState moved = damaged;
  moved.workspaces.at(sample_.second).name = "renamed";
  expect_named(moved, sample_.second.uuid());
  TenantState refreshed = damaged;
  testkit::give_rows(*world_, tenant_, refreshed, sample_.orders, "id,region,amount\n1,x,2.5\n");
  expect_named(refreshed, sample_.orders.uuid());
}

TEST_F(RestoreBadInput, WorkElsewhereInTheTenantDoesNotDisturbAPlan) {
  delete_overview();
  const auto prepared = plan(overview_back());
  TenantState meanwhile = state();
  meanwhile.reports.at(sample_.elsewhere).layout = JsonText::of(json::object{{"edited", true}});
  world_->set_state(tenant_, meanwhile);
  must(world_->apply(tenant_, prepared));
  meanwhile.reports[sample_.overview] = archived_.reports.at(sample_.overview);
  EXPECT_EQ(differences(meanwhile, state()), "");
}

TEST_F(RestoreBadInput, WhatIsNotInTheArchiveIsNamed) {
  const Uuid nothing = Uuid::random();
  const auto prepared =
      restore::prepare_restore(world_->engine(tenant_), *archive_.reader,
                               testkit::one_back(AssetKind::kReport, nothing), no_progress());
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, ErrorCode::kNotFound);
  EXPECT_NE(prepared.error().message.find(nothing.str()), std::string::npos);
}

// 200,000 reports over ten datasets, of which half are here and differ.
struct Many {
  explicit Many(std::size_t reports) {
    contents.archive_id = ArchiveId::random();
    live.tenant_id = contents.tenant_id = TenantId::random();
    const WorkspaceId home = WorkspaceId::random();
    contents.workspaces[home] = {home, "Sales", {}, {}};
    live.workspaces = contents.workspaces;
    contents.selected.insert({AssetKind::kWorkspace, home.uuid()});
    for (std::size_t n = 0; n < reports; ++n) {
      const ReportId id(uuid5(home.uuid(), std::to_string(n)));
      contents.selected.insert({AssetKind::kReport, id.uuid()});
      auto& brief = contents.reports[id];
      brief.workspace = home;
      brief.name = "report number " + std::to_string(n);
      brief.digest[0] = static_cast<std::uint8_t>(n);
      if (n % 2 == 0) continue;
      live.reports[id] = brief;
      live.reports[id].digest[1] = 1;
      live.report_names[home].emplace(brief.name, id.uuid());
    }
    contents.documents = std::make_shared<Documents>();
    live.plan = catalog::Plan::kScale;
  }
  class Documents final : public restore::Documents {
   public:
    Status reports(const std::set<ReportId>& ids, Progress&,
                   const Visit<catalog::Report>&) const override {
      EXPECT_TRUE(ids.empty()) << "nothing in the documents changes";
      return {};
    }
    Status alerts(const std::set<AlertId>& ids, Progress&,
                  const Visit<catalog::Alert>&) const override {
      EXPECT_TRUE(ids.empty()) << "nothing in the documents changes";
      return {};
    }
  };
  restore::Contents contents;
  restore::LiveState live;
};

// Resident memory of this process, in bytes.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

TEST(RestoreLimits, APlanOfTwoHundredThousandAssetsTakesBoundedMemory) {
  const auto many = std::make_unique<Many>(restore::kMaxSelectedAssets - 1);
  restore::Request request;
  request.id = RestoreId::random();
  request.selection.everything = true;
  const std::uint64_t before = resident_bytes();
  const auto plan = must(restore::make_plan(many->contents, many->live, request));
  const std::uint64_t after = resident_bytes();
  EXPECT_EQ(plan.items.size(), restore::kMaxSelectedAssets);
  auto counts = restore::count_actions(plan);
  EXPECT_EQ(counts[Action::kOverwrite], (restore::kMaxSelectedAssets - 1) / 2);
  EXPECT_EQ(counts[Action::kCreate], restore::kMaxSelectedAssets / 2);
  EXPECT_EQ(restore::plan_hash(plan).size(), 64u);
  EXPECT_LT(after - std::min(before, after), std::uint64_t{256} << 20);
}

// By how much the count of written assets grew at most at once.
class LargestStep final : public Progress {
 public:
  void begin(std::string_view step, std::uint64_t, std::string_view) override {
    writing_ = step == "writing";
    last_ = 0;
  }
  void update(std::uint64_t done) override {
    if (writing_) largest_ = std::max(largest_, done - last_);
    last_ = done;
  }
  std::uint64_t largest() const { return largest_; }

 private:
  bool writing_ = false;
  std::uint64_t last_ = 0, largest_ = 0;
};

TEST_F(RestoreBadInput, LargeDocumentsAreWrittenAFewAtATime) {
  TenantState large = archived_;
  auto& visuals = large.reports.at(sample_.elsewhere).visuals;
  const std::string filler(std::size_t{1000} << 10, 'x');
  visuals.resize(1);
  visuals.front().options = JsonText::of(boost::json::object{{"note", filler}});
  for (int n = 0; n < 5; ++n) {
    visuals.push_back(visuals.front());
    visuals.back().id = VisualId::random();
  }
  for (int n = 0; n < 8; ++n) {
    catalog::Report another = large.reports.at(sample_.elsewhere);
    another.id = ReportId::random();
    for (auto& visual : another.visuals) visual.id = VisualId::random();
    large.reports[another.id] = another;
  }
  world_->set_state(tenant_, large);
  const auto archive = world_->open(tenant_, world_->archive(tenant_, false));
  TenantState without = archived_;
  without.reports.clear();
  world_->set_state(tenant_, without);
  LargestStep progress;
  auto request = testkit::everything_back();
  must(world_->apply(tenant_, world_->plan(tenant_, archive, request), progress));
  EXPECT_EQ(differences(large, state()), "");
  EXPECT_LE(progress.largest(), 4u);  // three of 6 MB each and a small one
}

TEST_F(RestoreBadInput, MoreAssetsThanTheLimitAreRefused) {
  // An archive of that many alerts, which nobody decodes.
  const WorkspaceId home = WorkspaceId::random();
  std::set<std::string> paths;
  for (std::size_t n = 0; n < restore::kMaxSelectedAssets; ++n)
    paths.insert(archive::alert_path(home, AlertId(uuid5(home.uuid(), std::to_string(n)))));
  MemorySink sink;
  archive::WriterOptions options;
  options.archive_id = ArchiveId::random();
  auto writer = must(archive::ArchiveWriter::create(options, tenant_.signer, sink));
  for (const auto& path : paths) must(writer->add(path, {'{', '}'}));
  catalog::WorkspaceDocument document;
  document.workspace = {home, "Sales", {}, {}};
  const std::string text = catalog::to_portable(document);
  must(writer->add(archive::workspace_path(home), Bytes(text.begin(), text.end())));
  archive::ManifestInput input;
  input.tenant_id = tenant_.tenant.id;
  input.tenant = catalog::to_portable(catalog::TenantDocument{"t", catalog::Plan::kGrowth, {}, {}});
  must(writer->finish(input));
  const MemorySource source(sink.take());
  const auto reader = must(archive::ArchiveReader::open(source, {tenant_.keys, false}));
  const auto prepared = restore::prepare_restore(world_->engine(tenant_), *reader,
                                                 testkit::everything_back(), no_progress());
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, ErrorCode::kLimitExceeded) << prepared.error().message;
  EXPECT_FALSE(prepared.error().hint.empty());
}

TEST_F(RestoreBadInput, APlansQuotaIsKept) {
  const auto small = world_->make_tenant(catalog::Plan::kStarter);
  const auto sample = testkit::make_sample(*world_, small, 10);
  const auto archive = world_->open(small, world_->archive(small, true));
  TenantState full = world_->state(small);
  catalog::Alert alert = full.alerts.at(sample.watch);
  const std::size_t assets =
      full.workspaces.size() + full.datasets.size() + full.reports.size() + full.alerts.size();
  for (std::size_t n = assets; n < catalog::quota_of(catalog::Plan::kStarter).assets; ++n) {
    alert.id = AlertId::random();
    full.alerts[alert.id] = alert;
  }
  world_->set_state(small, full);
  auto request = testkit::one_back(AssetKind::kReport, sample.overview.uuid());
  must(world_->apply(small, world_->plan(small, archive, request)));  // identical
  request.id = RestoreId::random();
  request.mode = restore::Mode::kFork;
  const auto prepared = world_->plan(small, archive, request);
  EXPECT_GT(prepared.plan.usage_after.assets, prepared.plan.quota.assets);
  EXPECT_EQ(restore::check_applicable(prepared.plan).error().code, ErrorCode::kQuotaExceeded);
  const auto applied = world_->apply(small, prepared);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, ErrorCode::kQuotaExceeded);
  EXPECT_FALSE(applied.error().hint.empty());
  EXPECT_EQ(differences(full, world_->state(small)), "");
}

// As after its plan was made smaller.
TEST_F(RestoreBadInput, ATenantAboveItsQuotaCanStillOverwrite) {
  const auto small = world_->make_tenant(catalog::Plan::kStarter);
  const auto sample = testkit::make_sample(*world_, small, 10);
  const auto archive = world_->open(small, world_->archive(small, true));
  TenantState full = world_->state(small);
  const TenantState archived = full;
  catalog::Alert alert = full.alerts.at(sample.watch);
  for (std::size_t n = 0; n < catalog::quota_of(catalog::Plan::kStarter).assets; ++n) {
    alert.id = AlertId::random();
    full.alerts[alert.id] = alert;
  }
  full.reports.at(sample.overview).name = "renamed";
  full.reports.erase(sample.elsewhere);
  world_->set_state(small, full);
  const auto overwrite =
      world_->plan(small, archive, testkit::one_back(AssetKind::kReport, sample.overview.uuid()));
  EXPECT_GT(overwrite.plan.usage_after.assets, overwrite.plan.quota.assets);
  must(world_->apply(small, overwrite));
  full.reports[sample.overview] = archived.reports.at(sample.overview);
  EXPECT_EQ(differences(full, world_->state(small)), "");
  const auto create =
      world_->plan(small, archive, testkit::one_back(AssetKind::kReport, sample.elsewhere.uuid()));
  const auto applied = world_->apply(small, create);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, ErrorCode::kQuotaExceeded);
  EXPECT_EQ(differences(full, world_->state(small)), "");
}

TEST_F(RestoreBadInput, NoCredentialComesFromAnArchive) {
  {
    auto transaction = must(world_->database().begin(tenant_.tenant.id));
    for (const auto user : {sample_.viewer, sample_.author})
      must(catalog::Users(transaction).set_password_hash(user, "$argon2id$made-up"));
    must(transaction.connection().execute(
        "INSERT INTO sessions (id, user_id, token_hash, created_at, expires_at) "
        "VALUES (gen_random_uuid(), $1, 'session', now(), now() + interval '1 day')",
        {catalog::Parameter::of(sample_.viewer)}));
    must(transaction.connection().execute(
        "INSERT INTO tokens (id, user_id, name, token_hash, scopes, created_at) "
        "VALUES (gen_random_uuid(), $1, 'token', 'token', '{}', now())",
        {catalog::Parameter::of(sample_.viewer)}));
    must(transaction.commit());
  }
  const auto archive = world_->open(tenant_, world_->archive(tenant_, true));
  const std::string bytes = [&] {
    const Bytes all = must(read_all(*archive.source, 1 << 26));
    return std::string(all.begin(), all.end());
  }();
  EXPECT_EQ(bytes.find("argon2id"), std::string::npos);
  TenantState without = archived_;
  without.users.erase(sample_.viewer);
  without.teams.clear();
  without.reports.clear();
  without.datasets.erase(sample_.plain);
  for (auto& [id, workspace] : without.workspaces) workspace.roles.clear();
  world_->set_state(tenant_, without);
  const auto prepared = world_->plan(tenant_, archive, testkit::everything_back());
  EXPECT_EQ(prepared.plan.credentials, std::vector<std::string>{"warehouse"});
  must(world_->apply(tenant_, prepared));
  const auto viewer = state().users.at(sample_.viewer);
  EXPECT_FALSE(viewer.active);
  EXPECT_EQ(sql("SELECT count(*) FROM users WHERE password_hash IS NOT NULL"), "1");
  EXPECT_EQ(sql("SELECT email FROM users WHERE password_hash IS NOT NULL"), "author@demo.example");
  EXPECT_EQ(sql("SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM tokens)"), "0");
  EXPECT_EQ(sql("SELECT count(*) FROM secrets"), "0");
}

// Knows who was erased, as the ledger does.
class Erased final : public restore::ErasedPeople {
 public:
  explicit Erased(std::set<UserId> people) : people_(std::move(people)) {}
  Result<std::vector<privacy::PersonValues>> among(
      TenantId, const std::map<UserId, catalog::User>& archived) const override {
    std::vector<privacy::PersonValues> found;
    for (const auto& [id, user] : archived) {
      if (people_.contains(id)) found.push_back(privacy::values_of(user, "redacted-0"));
    }
    return found;
  }

 private:
  const std::set<UserId> people_;
};

TEST_F(RestoreBadInput, WhoWasErasedStaysErased) {
  TenantState without = archived_;
  without.users.erase(sample_.viewer);
  without.users.erase(sample_.author);
  without.teams.clear();
  without.alerts.clear();
  without.reports.clear();
  without.datasets.clear();
  without.rows.clear();
  for (auto& [id, workspace] : without.workspaces) workspace.roles.clear();
  world_->set_state(tenant_, without);
  const Erased erased({sample_.viewer, sample_.author});
  auto engine = world_->engine(tenant_);
  engine.erased = &erased;
  const auto prepared = must(restore::prepare_restore(engine, *archive_.reader,
                                                      testkit::everything_back(), no_progress()));
  must(restore::save_plan(engine, prepared, JsonText::of(json::object{{"kind", "stored"}})));
  must(restore::apply_plan(engine, prepared, {restore::plan_hash(prepared.plan), {}},
                           no_progress()));
  const TenantState after = state();
  // Their reports need an author; who it was is not said.
  const auto author = after.users.at(after.reports.at(sample_.overview).created_by);
  EXPECT_FALSE(author.active);
  EXPECT_EQ(author, privacy::erased_user(author.id, author.created_at));
  for (const auto& [id, user] : after.users) {
    EXPECT_EQ(user.email.find("author@"), std::string::npos);
    EXPECT_EQ(user.email.find("viewer@"), std::string::npos);
  }
  for (const auto& [id, workspace] : after.workspaces) {
    for (const auto& grant : workspace.roles)
      EXPECT_NE(grant.principal, sample_.viewer.uuid()) << "an erased person has a role";
  }
  for (const auto& [id, team] : after.teams)
    EXPECT_EQ(std::count(team.members.begin(), team.members.end(), sample_.viewer), 0);
}

TEST_F(RestoreBadInput, ATenantKnowsNothingOfAnothersRestores) {
  const auto other = world_->make_tenant();
  const TenantState other_state = world_->state(other);
  delete_overview();
  const auto prepared = plan(overview_back());
  const auto engine = world_->engine(other);
  const auto stolen =
      restore::apply_plan(engine, prepared, {restore::plan_hash(prepared.plan), {}}, no_progress());
  EXPECT_FALSE(stolen.ok());
  must(world_->apply(tenant_, prepared));
  const TenantState after = state();
  {
    auto snapshot = must(world_->database().begin(other.tenant.id, catalog::Isolation::kSnapshot));
    EXPECT_EQ(catalog::Restores(snapshot).get(prepared.plan.id).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(must(catalog::Restores(snapshot).list(10)).empty());
    EXPECT_TRUE(
        must(catalog::Restores(snapshot).items(prepared.plan.id, std::nullopt, 10)).empty());
  }
  restore::UndoRequest undo;
  undo.id = RestoreId::random();
  undo.undoes = prepared.plan.id;
  EXPECT_EQ(restore::prepare_undo(engine, undo, no_progress()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(differences(other_state, world_->state(other)), "");
  EXPECT_EQ(differences(after, state()), "");
}

TEST_F(RestoreBadInput, OnlyWhatWasAppliedAndNotUndoneCanBeUndone) {
  delete_overview();
  const TenantState without = state();
  const auto prepared = plan(overview_back());
  const auto code_of_undo = [&](RestoreId id) {
    restore::UndoRequest undo;
    undo.id = RestoreId::random();
    undo.undoes = id;
    const auto planned = restore::prepare_undo(world_->engine(tenant_), undo, no_progress());
    return planned.ok() ? ErrorCode::kInternal : planned.error().code;
  };
  EXPECT_EQ(code_of_undo(RestoreId::random()), ErrorCode::kNotFound);
  EXPECT_EQ(code_of_undo(prepared.plan.id), ErrorCode::kConflict);
  must(world_->apply(tenant_, prepared));
  world_->undo(tenant_, prepared.plan.id);
  EXPECT_EQ(code_of_undo(prepared.plan.id), ErrorCode::kConflict);
  EXPECT_EQ(differences(without, state()), "");
}

TEST_F(RestoreBadInput, AnOldUndoArchiveIsGone) {
  TenantState renamed = archived_;
  renamed.reports.at(sample_.overview).name = "renamed";
  world_->set_state(tenant_, renamed);
  const auto prepared = plan(overview_back());
  must(world_->apply(tenant_, prepared));
  const Timestamp later{Timestamp::now().unix_us +
                        std::int64_t{restore::kUndoDays + 1} * 86'400'000'000};
  EXPECT_EQ(must(restore::sweep(world_->engine(tenant_), Timestamp::now())).undo_archives, 0u);
  EXPECT_EQ(must(restore::sweep(world_->engine(tenant_), later)).undo_archives, 1u);
  restore::UndoRequest undo;
  undo.id = RestoreId::random();
  undo.undoes = prepared.plan.id;
  EXPECT_EQ(restore::prepare_undo(world_->engine(tenant_), undo, no_progress()).error().code,
            ErrorCode::kGone);
  EXPECT_EQ(differences(archived_, state()), "");
}

}  // namespace
}  // namespace oa
