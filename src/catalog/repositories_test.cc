#include "oa/catalog/repositories.h"

#include <algorithm>
#include <set>

#include "random_records.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

#define RC_OK(expression)                                                                      \
  do {                                                                                         \
    const auto& oa_status = (expression);                                                      \
    if (!oa_status.ok()) RC_FAIL(oa_status.error().message + " | " + oa_status.error().cause); \
  } while (false)

void put(TenantTransaction& tx, const RandomContent& content) {
  RC_OK(Users(tx).put(content.users));
  RC_OK(Teams(tx).put(content.teams));
  RC_OK(Workspaces(tx).put(content.workspaces));
  RC_OK(Datasets(tx).put(content.datasets));
  RC_OK(Reports(tx).put(content.reports));
  RC_OK(Alerts(tx).put(content.alerts));
}

template <class Record>
void append(std::vector<Record>& all, Result<std::vector<Record>> part) {
  RC_OK(part);
  for (auto& record : *part) all.push_back(std::move(record));
}

void expect_stored(TenantTransaction& tx, const RandomContent& content) {
  RC_ASSERT(Users(tx).list().value() == content.users);
  RC_ASSERT(Teams(tx).list().value() == content.teams);
  RC_ASSERT(Workspaces(tx).list().value() == content.workspaces);
  RandomContent stored;
  for (const auto& workspace : content.workspaces) {
    append(stored.datasets, Datasets(tx).list(workspace.id));
    append(stored.reports, Reports(tx).list(workspace.id, std::nullopt, 100));
    append(stored.alerts, Alerts(tx).list(workspace.id, std::nullopt, 100));
  }
  RC_ASSERT(stored.datasets.size() == content.datasets.size());
  RC_ASSERT(stored.reports.size() == content.reports.size());
  RC_ASSERT(stored.alerts.size() == content.alerts.size());
  for (const auto& workspace : content.workspaces)
    RC_ASSERT(Workspaces(tx).get(workspace.id).value() == workspace);
  for (const auto& dataset : content.datasets)
    RC_ASSERT(Datasets(tx).get(dataset.id).value() == dataset);
  for (const auto& report : content.reports)
    RC_ASSERT(Reports(tx).get(report.id).value() == report);
  for (const auto& alert : content.alerts) RC_ASSERT(Alerts(tx).get(alert.id).value() == alert);
}

TEST(Repositories, EveryRecordComesBackAsItWasPut) {
  const TenantId tenant = new_tenant();
  EXPECT_TRUE(rc::check("put, then list and get", [&] {
    const RandomContent content = random_content();
    TenantTransaction tx = begin(tenant);
    put(tx, content);
    expect_stored(tx, content);
  }));
}

TEST(Repositories, PutReplacesAllOfTheOldRecord) {
  const TenantId tenant = new_tenant();
  EXPECT_TRUE(rc::check("put twice", [&] {
    const RandomContent old = random_content();
    RandomContent changed = old;  // the same people and datasets, so that references hold
    const RandomContent other = random_content();
    for (auto& report : changed.reports)
      report.visuals.clear(), report.bookmarks.clear(),
          report.name = random_text(5),
          report.grants = {{PrincipalKind::kUser, old.users[0].id.uuid(), Role::kViewer}};
    for (auto& team : changed.teams) team.members = {old.users[0].id};
    for (auto& workspace : changed.workspaces)
      workspace.roles = {{PrincipalKind::kUser, old.users[0].id.uuid(), Role::kAdmin}};
    for (auto& dataset : changed.datasets) {
      dataset.versions = other.datasets[0].versions;
      dataset.rows.reset();
      dataset.last_refresh_at.reset();
      dataset.source_ref.reset();
    }
    for (auto& user : changed.users) user.attributes = random_json(), user.active = !user.active;
    for (auto& alert : changed.alerts)
      alert.condition = random_json(), alert.enabled = !alert.enabled;
    TenantTransaction tx = begin(tenant);
    put(tx, old);
    put(tx, changed);
    expect_stored(tx, changed);
    // No report shows a dataset any more, so each can go unless an alert watches it.
    for (const auto& alert : changed.alerts) RC_OK(Alerts(tx).remove(alert.id));
    for (const auto& dataset : changed.datasets) RC_OK(Datasets(tx).remove(dataset.id));
  }));
}

struct Small {
  User user;
  Workspace workspace;
  Dataset dataset;
  Report report;
  Alert alert;
};

Small small_content() {
  Small out;
  out.user.id = UserId::random();
  out.user.email = out.user.id.str() + "@example.com";
  out.workspace.id = WorkspaceId::random();
  out.workspace.name = "Sales";
  out.dataset.id = DatasetId::random();
  out.dataset.workspace_id = out.workspace.id;
  out.dataset.created_by = out.user.id;
  out.report.id = ReportId::random();
  out.report.workspace_id = out.workspace.id;
  out.report.created_by = out.user.id;
  out.report.visuals.resize(1);
  out.report.visuals[0].id = VisualId::random();
  out.report.visuals[0].dataset_id = out.dataset.id;
  out.alert.id = AlertId::random();
  out.alert.workspace_id = out.workspace.id;
  out.alert.dataset_id = out.dataset.id;
  out.alert.created_by = out.user.id;
  return out;
}

void put_small(TenantTransaction& tx, const Small& content) {
  ASSERT_OK(Users(tx).put({&content.user, 1}));
  ASSERT_OK(Workspaces(tx).put({&content.workspace, 1}));
  ASSERT_OK(Datasets(tx).put({&content.dataset, 1}));
  ASSERT_OK(Reports(tx).put({&content.report, 1}));
  ASSERT_OK(Alerts(tx).put({&content.alert, 1}));
}

TEST(Repositories, ListsPageByIdAcrossBatches) {
  const Small content = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  ASSERT_OK(Reports(tx).remove(content.report.id));
  std::vector<Report> reports(12'000, content.report);  // more than one batch of the writer
  for (auto& report : reports) report.id = ReportId::random();
  ASSERT_OK(Reports(tx).put(reports));
  std::set<ReportId> wanted, seen;
  for (const auto& report : reports) wanted.insert(report.id);
  std::optional<ReportId> after;
  while (true) {
    const auto page = Reports(tx).list(content.workspace.id, after, 5000).value();
    if (page.empty()) break;
    for (const auto& report : page) {
      EXPECT_TRUE(!after.has_value() || *after < report.id);
      after = report.id;
      seen.insert(report.id);
    }
  }
  EXPECT_EQ(seen, wanted);
}

TEST(Repositories, RecordsAreVisitedOneByOneInTheOrderOfIds) {
  const Small content = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  std::vector<Report> reports(20, content.report);
  std::vector<Alert> alerts(20, content.alert);
  std::vector<ReportId> report_ids{ReportId::random()};  // one that is not there
  std::vector<AlertId> alert_ids{AlertId::random()};
  for (auto& report : reports) report_ids.push_back(report.id = ReportId::random());
  for (auto& alert : alerts) alert_ids.push_back(alert.id = AlertId::random());
  ASSERT_OK(Reports(tx).put(reports));
  ASSERT_OK(Alerts(tx).put(alerts));
  std::ranges::sort(reports, {}, &Report::id);
  std::ranges::sort(alerts, {}, &Alert::id);
  std::vector<Report> found, of_workspace;
  std::vector<Alert> found_alerts;
  const auto into = [](auto& records) {
    return [&](const auto& record) -> Status {
      records.push_back(record);
      return {};
    };
  };
  ASSERT_OK(Reports(tx).for_each(report_ids, into(found)));
  ASSERT_OK(Alerts(tx).for_each(alert_ids, into(found_alerts)));
  EXPECT_EQ(found, reports);
  EXPECT_EQ(found_alerts, alerts);
  ASSERT_OK(Reports(tx).remove(content.report.id));
  ASSERT_OK(Reports(tx).for_each(content.workspace.id, into(of_workspace)));
  EXPECT_EQ(of_workspace, reports);

  // An error ends the walk, and the transaction goes on.
  int visited = 0;
  const auto stopped = Alerts(tx).for_each(content.workspace.id, [&](const Alert&) -> Status {
    if (++visited < 3) return {};
    return make_error(ErrorCode::kCancelled, "test", "enough");
  });
  EXPECT_EQ(code_of(stopped), ErrorCode::kCancelled);
  EXPECT_EQ(visited, 3);
  EXPECT_EQ(Alerts(tx).list(content.workspace.id, std::nullopt, 100).value().size(), 21u);
  // So is what the server says.
  EXPECT_FALSE(tx.connection().script("SELECT 1/0").ok());
  EXPECT_EQ(code_of(Reports(tx).for_each(report_ids, into(found))), ErrorCode::kDatabase);
}

TEST(Repositories, WhomAReportIsSharedWith) {
  Small content = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  Team team;
  team.id = TeamId::random();
  team.members = {content.user.id};
  ASSERT_OK(Teams(tx).put({&team, 1}));
  const RoleGrant to_user{PrincipalKind::kUser, content.user.id.uuid(), Role::kEditor},
      to_team{PrincipalKind::kTeam, team.id.uuid(), Role::kViewer};
  std::vector<Report> reports(1200, content.report);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    reports[i].id = ReportId::random();
    if (i % 3 == 1) reports[i].grants = {to_team};
    if (i % 3 == 2) reports[i].grants = {to_user, to_team};
  }
  EXPECT_TRUE(Reports(tx).grantees(content.workspace.id).value().users.empty());
  ASSERT_OK(Reports(tx).put(reports));
  reports.push_back(content.report);
  std::sort(reports.begin(), reports.end(), [](auto& a, auto& b) { return a.id < b.id; });
  EXPECT_EQ(Reports(tx).list(content.workspace.id, std::nullopt, 2000).value(), reports);
  const auto grantees = Reports(tx).grantees(content.workspace.id).value();
  EXPECT_EQ(grantees.users, std::set{content.user.id});
  EXPECT_EQ(grantees.teams, std::set{team.id});
  EXPECT_TRUE(Reports(tx).grantees(WorkspaceId::random()).value().teams.empty());

  content.report.grants = {to_user};
  ASSERT_OK(Reports(tx).put({&content.report, 1}));
  content.report.grants[0].role = Role::kViewer;
  ASSERT_OK(Reports(tx).put({&content.report, 1}));
  EXPECT_EQ(Reports(tx).lock(content.report.id).value(), content.report);
  EXPECT_EQ(code_of(Reports(tx).lock(ReportId::random())), ErrorCode::kNotFound);
  for (const auto& wrong :
       {std::vector{to_user, to_user}, std::vector{to_team, to_user},
        std::vector{RoleGrant{PrincipalKind::kUser, content.user.id.uuid(), Role::kAdmin}}}) {
    content.report.grants = wrong;
    EXPECT_EQ(code_of(Reports(tx).put({&content.report, 1})), ErrorCode::kInvalidArgument);
  }
  ASSERT_OK(Reports(tx).remove(content.report.id));
}

TEST(Repositories, RemovalsKeepReferencesHonest) {
  const Small content = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  EXPECT_EQ(code_of(Datasets(tx).remove(content.dataset.id)), ErrorCode::kConflict);
  ASSERT_OK(Reports(tx).remove(content.report.id));
  EXPECT_EQ(code_of(Datasets(tx).remove(content.dataset.id)), ErrorCode::kConflict);
  ASSERT_OK(Alerts(tx).remove(content.alert.id));
  ASSERT_OK(Datasets(tx).remove(content.dataset.id));
  EXPECT_EQ(code_of(Datasets(tx).remove(content.dataset.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Datasets(tx).get(content.dataset.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Reports(tx).get(content.report.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Reports(tx).remove(content.report.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Alerts(tx).get(content.alert.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Alerts(tx).remove(content.alert.id)), ErrorCode::kNotFound);
}

TEST(Repositories, AWorkspaceGoesWithEverythingInIt) {
  const Small gone = small_content(), kept = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, gone);
  put_small(tx, kept);
  ASSERT_OK(Workspaces(tx).remove(gone.workspace.id));
  EXPECT_EQ(code_of(Workspaces(tx).get(gone.workspace.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Reports(tx).get(gone.report.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Workspaces(tx).remove(gone.workspace.id)), ErrorCode::kNotFound);
  EXPECT_EQ(Reports(tx).get(kept.report.id).value(), kept.report);
  EXPECT_EQ(Users(tx).list().value().size(), 2u);
}

TEST(Repositories, ReferencesMustBeThere) {
  const Small content = small_content();
  const TenantId tenant = new_tenant();
  const auto refused = [&](const std::function<Status(TenantTransaction&)>& write) {
    TenantTransaction tx = begin(tenant);
    put_small(tx, content);
    const Status status = write(tx);
    EXPECT_EQ(code_of(status), ErrorCode::kInvalidArgument);
    EXPECT_FALSE(tx.commit().ok());
  };
  refused([&](TenantTransaction& tx) {
    Report report = content.report;
    report.visuals[0].dataset_id = DatasetId::random();
    return Reports(tx).put({&report, 1});
  });
  refused([&](TenantTransaction& tx) {
    Dataset dataset = content.dataset;
    dataset.workspace_id = WorkspaceId::random();
    return Datasets(tx).put({&dataset, 1});
  });
  refused([&](TenantTransaction& tx) {
    Workspace workspace = content.workspace;
    workspace.roles = {{PrincipalKind::kTeam, content.user.id.uuid(), Role::kViewer}};
    return Workspaces(tx).put({&workspace, 1});
  });
  refused([&](TenantTransaction& tx) {
    Report report = content.report;
    report.grants = {{PrincipalKind::kTeam, content.user.id.uuid(), Role::kViewer}};
    return Reports(tx).put({&report, 1});
  });
  refused([&](TenantTransaction& tx) {
    const std::vector<Report> twice = {content.report, content.report};
    return Reports(tx).put(twice);
  });
}

TEST(Repositories, ReferencesNeverCrossTenants) {
  const Small theirs = small_content();
  TenantTransaction other = begin(new_tenant());
  put_small(other, theirs);
  ASSERT_OK(other.commit());
  const auto refused = [](const std::function<void(Report&)>& edit) {
    TenantTransaction tx = begin(new_tenant());
    Small ours = small_content();
    put_small(tx, ours);
    edit(ours.report);
    EXPECT_EQ(code_of(Reports(tx).put({&ours.report, 1})), ErrorCode::kInvalidArgument);
  };
  refused([&](Report& report) { report.visuals[0].dataset_id = theirs.dataset.id; });
  refused([&](Report& report) {
    report.grants = {{PrincipalKind::kUser, theirs.user.id.uuid(), Role::kViewer}};
  });
}

TEST(Repositories, WhatCannotBeKeptIsRefusedByNameAndNotByValue) {
  TenantTransaction tx = begin(new_tenant());
  Small content = small_content();
  content.user.first_name = std::string("private\0name", 12);
  const Status with_nul = Users(tx).put({&content.user, 1});
  EXPECT_EQ(code_of(with_nul), ErrorCode::kInvalidArgument);
  EXPECT_NE(with_nul.error().message.find("first_name"), std::string::npos);
  EXPECT_EQ(with_nul.error().message.find("private"), std::string::npos);
  content.user.first_name = "\xc3\x28";
  EXPECT_EQ(code_of(Users(tx).put({&content.user, 1})), ErrorCode::kInvalidArgument);
  content.user.first_name = std::string(600, 'x');
  EXPECT_EQ(code_of(Users(tx).put({&content.user, 1})), ErrorCode::kInvalidArgument);
  content.dataset.row_count = ~std::uint64_t{0};
  EXPECT_EQ(code_of(Datasets(tx).put({&content.dataset, 1})), ErrorCode::kInvalidArgument);
  content.report.grants.assign(1001, {PrincipalKind::kUser, content.user.id.uuid(), Role::kViewer});
  EXPECT_EQ(code_of(Reports(tx).put({&content.report, 1})), ErrorCode::kInvalidArgument);
  content.report.grants.clear();
  content.report.created_at.unix_us = INT64_MAX;
  EXPECT_EQ(code_of(Reports(tx).put({&content.report, 1})), ErrorCode::kInvalidArgument);
}

TEST(Repositories, AnEmailsKeyHasNoCaseOfAsciiLetters) {
  EXPECT_EQ(email_key("Ada.AZ@Example.COM"), "ada.az@example.com");
  EXPECT_EQ(email_key("É@[`{@example.com"), "É@[`{@example.com");
  EXPECT_TRUE(same_email("Ada@Example.com", "ada@example.COM"));
  EXPECT_FALSE(same_email("ada@example.com", "ada@example.co"));
}

TEST(Repositories, EmailsAreUniqueWithoutCase) {
  const TenantId tenant = new_tenant();
  User first, second;
  first.id = UserId::random();
  first.email = "Ada@Example.com";
  second.id = UserId::random();
  second.email = "ada@example.COM";
  {
    TenantTransaction tx = begin(tenant);
    ASSERT_OK(Users(tx).put({&first, 1}));
    const Status status = Users(tx).put({&second, 1});
    ASSERT_EQ(code_of(status), ErrorCode::kConflict);
    EXPECT_NE(status.error().cause.find("users_email"), std::string::npos);
    EXPECT_EQ((status.error().message + status.error().cause).find("xample"), std::string::npos);
  }
  TenantTransaction other = begin(new_tenant());
  ASSERT_OK(Users(other).put({&second, 1}));
}

TEST(Repositories, PutLeavesPasswordsAlone) {
  const TenantId tenant = new_tenant();
  Small content = small_content();
  TenantTransaction tx = begin(tenant);
  put_small(tx, content);
  ASSERT_OK(Users(tx).set_password_hash(content.user.id, "$argon2id$v=19$hash"));
  content.user.first_name = "Ada";
  ASSERT_OK(Users(tx).put({&content.user, 1}));
  EXPECT_EQ(code_of(Users(tx).set_password_hash(UserId::random(), "x")), ErrorCode::kNotFound);
  ASSERT_OK(tx.commit());
  const Rows rows =
      superuser()
          ->query("SELECT FROM oa.users WHERE id = $1 AND password_hash LIKE '$argon2id$%'",
                  {Parameter::of(content.user.id)})
          .value();
  EXPECT_EQ(rows.count(), 1);
}

TEST(Repositories, SecretsAndSigningKeys) {
  TenantTransaction tx = begin(new_tenant());
  SealedSecret secret{
      SecretId::random(), "warehouse", SecretKind::kCloudKey, {0, 1, 255}, {1000}, {}, {}};
  ASSERT_OK(Secrets(tx).put(secret));
  secret.sealed = {};
  ASSERT_OK(Secrets(tx).put(secret));
  const auto secrets = Secrets(tx).list().value();
  ASSERT_EQ(secrets.size(), 1u);
  EXPECT_EQ(secrets[0].name, "warehouse");
  EXPECT_EQ(secrets[0].kind, SecretKind::kCloudKey);
  EXPECT_EQ(secrets[0].sealed, Bytes());
  EXPECT_FALSE(secrets[0].rotated_at.has_value());
  secret.rotated_at = Timestamp{2000};
  secret.expires_at = Timestamp{3000};
  ASSERT_OK(Secrets(tx).put(secret));
  for (const auto& got : {Secrets(tx).get("warehouse"), Secrets(tx).lock("warehouse")}) {
    ASSERT_OK(got);
    EXPECT_EQ(got.value().id, secret.id);
    EXPECT_EQ(got.value().rotated_at, Timestamp{2000});
    EXPECT_EQ(got.value().expires_at, Timestamp{3000});
  }
  EXPECT_EQ(code_of(Secrets(tx).get("Warehouse")), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Secrets(tx).lock("")), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Secrets(tx).get(std::string(600, 'x'))), ErrorCode::kInvalidArgument);
  ASSERT_OK(Secrets(tx).remove(secret.id));
  EXPECT_EQ(code_of(Secrets(tx).remove(secret.id)), ErrorCode::kNotFound);
  ASSERT_OK(SigningKeys(tx).rotate_to({"key one", {1}, {1000}, std::nullopt}));
  ASSERT_OK(SigningKeys(tx).rotate_to({"key two", {2}, {2000}, std::nullopt}));
  const auto keys = SigningKeys(tx).list().value();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].public_key, "key one");
  EXPECT_EQ(keys[0].retired_at, Timestamp{2000});
  EXPECT_EQ(keys[1].sealed_seed, Bytes{2});
  EXPECT_FALSE(keys[1].retired_at.has_value());
  EXPECT_EQ(code_of(SigningKeys(tx).rotate_to({"key one", {3}, {3000}, std::nullopt})),
            ErrorCode::kConflict);
}

TEST(Repositories, ASecretKnowsTheDatasetsThatNameIt) {
  Small content = small_content();
  content.dataset.source_ref = "warehouse";
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  EXPECT_EQ(Secrets(tx).uses("warehouse").value(), 1u);
  EXPECT_EQ(Secrets(tx).uses("ware").value(), 0u);
}

TEST(Repositories, ADatasetsSourceOutlivesTheDataset) {
  Small content = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  DatasetSource source;
  source.dataset_id = content.dataset.id;
  EXPECT_EQ(DatasetSources(tx).get(content.dataset.id).value(), source);
  source.original =
      KeptOriginal{"o", "v", JsonText::parse(R"({"format":"csv"})").value(), 9, {}, {50}};
  source.original->digest[63] = 7;
  source.last_failure = RefreshFailure{"import/rejected", "line 3 has 2 cells"};
  source.last_attempt_at = Timestamp{60};
  ASSERT_OK(DatasetSources(tx).put(source));
  content.dataset.name = "another";
  ASSERT_OK(Datasets(tx).put({&content.dataset, 1}));
  EXPECT_EQ(DatasetSources(tx).get(content.dataset.id).value(), source);
  EXPECT_EQ(DatasetSources(tx).uploaded_before({50}, 10).value().size(), 0u);
  EXPECT_EQ(DatasetSources(tx).uploaded_before({51}, 10).value(), std::vector{source});
  EXPECT_EQ(DatasetSources(tx).uploaded_before({51}, 0).value().size(), 0u);
  source.original.reset();
  source.last_failure.reset();
  ASSERT_OK(DatasetSources(tx).put(source));
  EXPECT_EQ(DatasetSources(tx).get(content.dataset.id).value(), source);
  source.last_failure = RefreshFailure{"x", std::string(5000, 'x')};
  EXPECT_EQ(code_of(DatasetSources(tx).put(source)), ErrorCode::kInvalidArgument);
  ASSERT_OK(Reports(tx).remove(content.report.id));
  ASSERT_OK(Alerts(tx).remove(content.alert.id));
  ASSERT_OK(Datasets(tx).remove(content.dataset.id));
  source.last_failure.reset();
  EXPECT_EQ(DatasetSources(tx).get(content.dataset.id).value(), source)
      << "so that a dataset that comes back can be refreshed";
}

TEST(Repositories, AStateChangesAlone) {
  const Small content = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  ASSERT_OK(Datasets(tx).set_state(content.dataset.id, DatasetState::kPaused));
  Dataset expected = content.dataset;
  expected.state = DatasetState::kPaused;
  EXPECT_EQ(Datasets(tx).lock(content.dataset.id).value(), expected);
  EXPECT_EQ(code_of(Datasets(tx).set_state(DatasetId::random(), DatasetState::kReady)),
            ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Datasets(tx).lock(DatasetId::random())), ErrorCode::kNotFound);
}

TEST(Repositories, OneTransactionAtATimeRefreshesADataset) {
  const TenantId tenant = new_tenant();
  const DatasetId id = DatasetId::random();
  auto first = std::make_unique<TenantTransaction>(begin(tenant));
  EXPECT_TRUE(Datasets(*first).try_lock_refresh(id).value());
  TenantTransaction second = begin(tenant);
  EXPECT_FALSE(Datasets(second).try_lock_refresh(id).value());
  EXPECT_TRUE(Datasets(second).try_lock_refresh(DatasetId::random()).value());
  TenantTransaction other_tenant = begin(new_tenant());
  EXPECT_TRUE(Datasets(other_tenant).try_lock_refresh(id).value());
  ASSERT_OK(first->commit());
  EXPECT_TRUE(Datasets(second).try_lock_refresh(id).value());
}

TEST(Repositories, AnAlertsHistoryIsNewestFirstAndGoesWithIt) {
  const Small content = small_content();
  TenantTransaction tx = begin(new_tenant());
  put_small(tx, content);
  std::vector<AlertEvaluation> evaluations(3);
  for (std::size_t i = 0; i < evaluations.size(); ++i) {
    evaluations[i].alert_id = content.alert.id;
    evaluations[i].evaluated_at = Timestamp{static_cast<std::int64_t>(i + 1)};
  }
  evaluations[1].outcome = AlertOutcome::kFiring;
  evaluations[1].value = -0.1;
  evaluations[1].reference = 1e300;
  evaluations[2].outcome = AlertOutcome::kNoData;
  evaluations[2].detail = JsonText::parse(R"({"why":"empty"})").value();
  ASSERT_OK(AlertHistory(tx).append(evaluations));
  const auto listed = AlertHistory(tx).list(content.alert.id, 10).value();
  EXPECT_EQ(listed, (std::vector{evaluations[2], evaluations[1], evaluations[0]}));
  EXPECT_EQ(AlertHistory(tx).list(content.alert.id, 1).value(), std::vector{evaluations[2]});
  ASSERT_OK(Alerts(tx).remove(content.alert.id));
  EXPECT_TRUE(AlertHistory(tx).list(content.alert.id, 10).value().empty());
  EXPECT_EQ(code_of(AlertHistory(tx).append(evaluations)), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace oa::catalog
