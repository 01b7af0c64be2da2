// That no tenant reaches another's rows, asked of Postgres itself for every table there is.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "oa/catalog/jobs.h"
#include "oa/catalog/object_keys.h"
#include "oa/catalog/repositories.h"
#include "oa/catalog/tenant_rows.h"
#include "oa/catalog/uploads.h"
#include "row_reader.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

struct Table {
  std::string name;
  std::string tenant_column;
  std::string other_columns;  // those an INSERT can give
};

std::vector<Table> tables() {
  const auto admin = superuser();
  const Rows rows =
      admin
          ->query(
              "SELECT c.relname::text, CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' "
              "END, "
              "coalesce(string_agg(quote_ident(a.attname), ', ') FILTER (WHERE a.attname <> "
              "  CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END), '') "
              "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
              "a.attisdropped "
              "  AND a.attgenerated = '' "
              "WHERE c.relnamespace = 'oa'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', "
              "'f') "
              "  AND c.relname NOT IN ('schema_migrations', 'sign_in_attempts', "
              "  'operator_answers', 'cell_runs', 'cell_lag', 'durability_records', 'replication_state', 'drills') "
              "GROUP BY c.relname ORDER BY c.relname")
          .value();
  std::vector<Table> all;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    all.push_back({row.text(), row.text(), row.text()});
  }
  return all;
}

// A tenant with a row in every table.
TenantId full_tenant() {
  const TenantId tenant = new_tenant();
  TenantTransaction tx = begin(tenant);
  User user;
  user.id = UserId::random();
  Team team;
  team.id = TeamId::random();
  team.members = {user.id};
  Workspace workspace;
  workspace.id = WorkspaceId::random();
  workspace.roles = {{PrincipalKind::kUser, user.id.uuid(), Role::kAdmin}};
  Dataset dataset;
  dataset.id = DatasetId::random();
  dataset.workspace_id = workspace.id;
  dataset.created_by = user.id;
  dataset.versions.resize(1);
  Report report;
  report.id = ReportId::random();
  report.workspace_id = workspace.id;
  report.created_by = user.id;
  report.visuals.resize(1);
  report.visuals[0].dataset_id = dataset.id;
  report.grants = {{PrincipalKind::kUser, user.id.uuid(), Role::kViewer}};
  Alert alert;
  alert.id = AlertId::random();
  alert.workspace_id = workspace.id;
  alert.dataset_id = dataset.id;
  alert.created_by = user.id;
  ArchiveRecord archive;
  archive.id = ArchiveId::random();
  RestoreRecord restore;
  restore.id = RestoreId::random();
  Job job;
  job.id = JobId::random();
  const NewAuditEvent event;
  DatasetSource source;
  source.dataset_id = dataset.id;
  AlertEvaluation evaluation;
  evaluation.alert_id = alert.id;
  Users(tx).put({&user, 1}).value();
  Teams(tx).put({&team, 1}).value();
  Workspaces(tx).put({&workspace, 1}).value();
  Datasets(tx).put({&dataset, 1}).value();
  Reports(tx).put({&report, 1}).value();
  Alerts(tx).put({&alert, 1}).value();
  DatasetSources(tx).put(source).value();
  AlertHistory(tx).append({&evaluation, 1}).value();
  Secrets(tx).put({SecretId::random(), "s", SecretKind::kPostgres, {1}, {}, {}, {}}).value();
  SigningKeys(tx).rotate_to({"key", {1}, {}, std::nullopt}).value();
  AcceptedSigners(tx)
      .accept({"key", std::string(64, '0'), "note", user.id, {}, std::nullopt})
      .value();
  Archives(tx).add(archive).value();
  Restores(tx).put(restore).value();
  Restores(tx)
      .add_items(restore.id,
                 [](const Restores::AddItem& add) {
                   return add({0, "report", {}, {}, "create", "r", {}});
                 })
      .value();
  Jobs(tx).add(job).value();
  BackupSchedules(tx).put({}).value();
  IdempotentAnswers(tx).claim(user.id, "a key", {}).value();
  ObjectKeys(tx).put({"rows", "o", "v"}, {"key", {1}}).value();
  Audit(tx).append({&event, 1}).value();
  tx.connection()
      .execute("INSERT INTO audit_checkpoints (sequence, hash, made_at, statement, signature) "
               "SELECT sequence, hash, ts, '{}', '' FROM audit_events")
      .value();
  const UploadPart part{0, 1, "v"};
  Uploads(tx).add({UploadId::random(), user.id, "f", 1, 0, {}, {}}).value();
  const UploadId upload = Uploads(tx).list().value().front().id;
  Uploads(tx).append(upload, 0, 0, {&part, 1}, {}).value();
  tx.connection()
      .script(fmt::format("INSERT INTO sessions (id, user_id, token_hash, created_at, expires_at) "
                          "VALUES (gen_random_uuid(), '{0}', 'x', now(), now());"
                          "INSERT INTO tokens (id, user_id, name, token_hash, scopes, created_at) "
                          "VALUES (gen_random_uuid(), '{0}', 't', 'x', '{{}}', now())",
                          user.id.str()))
      .value();
  tx.connection()
      .script("INSERT INTO row_versions_left (object_name, object_version, left_at) "
              "VALUES ('o', 'v', now());"
              "INSERT INTO object_checks (class, object_name, object_version, size_bytes, "
              "first_seen_at, state) VALUES ('rows', 'o', 'v', 1, now(), 'unverified');"
              "INSERT INTO drill_consents (takes_part, changed_at) VALUES (true, now());"
              "INSERT INTO privacy_settings (archives, cooling_off_days) VALUES ('list', 0);"
              "INSERT INTO personal_exports (id, user_id, requested_at) "
              "VALUES (gen_random_uuid(), gen_random_uuid(), now());"
              "INSERT INTO erasures (id, user_id, state, requested_at, execute_at) "
              "VALUES (gen_random_uuid(), gen_random_uuid(), 'scheduled', now(), now() + interval '1 day');"
              "INSERT INTO erasure_ledger (number, user_id, erased_at, address, hash, applied_at) "
              "VALUES ((random() * 1e15)::bigint + 1, gen_random_uuid(), now(), "
              "sha256('a'), sha256('h'), now())")
      .value();
  tx.commit().value();
  superuser()
      ->execute("UPDATE oa.tenants SET plan = CASE plan WHEN 'scale' THEN 'growth' ELSE 'scale' END "
                "WHERE id = $1",
                {Parameter::of(tenant)})
      .value();
  return tenant;
}

std::int64_t number(Connection& connection, const std::string& sql) {
  const Rows rows = connection.query(sql.c_str()).value();
  return RowReader(rows, 0).bigint();
}

class Isolation : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    a_ = full_tenant();
    b_ = full_tenant();
  }
  // All rows of B, as text, whatever row-level security says.
  static std::string rows_of_b() {
    std::string all;
    const auto admin = superuser();
    for (const auto& table : tables()) {
      const std::string sql = fmt::format(
          "SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM oa.{} t "
          "WHERE {} = '{}'",
          table.name, table.tenant_column, b_.str());
      const Rows rows = admin->query(sql.c_str()).value();
      all += table.name + RowReader(rows, 0).text() + "\n";
    }
    return all;
  }
  static inline TenantId a_, b_;
};

TEST_F(Isolation, EveryTableHasForcedRowLevelSecurityWithBothChecks) {
  const auto admin = superuser();
  const auto all = tables();
  EXPECT_GE(all.size(), 22u);
  for (const auto& table : all) {
    EXPECT_EQ(
        number(*admin, fmt::format("SELECT count(*) FROM pg_class WHERE oid = 'oa.{}'::regclass "
                                   "AND relrowsecurity AND relforcerowsecurity AND relkind = 'r'",
                                   table.name)),
        1)
        << table.name;
    EXPECT_EQ(
        number(*admin,
               fmt::format("SELECT count(*) FROM pg_policies WHERE schemaname = 'oa' AND "
                           "tablename = '{}' AND permissive = 'PERMISSIVE' AND cmd = 'ALL' AND "
                           "qual IS NOT NULL AND with_check IS NOT NULL AND "
                           "roles = '{{oa_service}}' AND qual = with_check AND "
                           "qual = '({} = current_tenant())'",
                           table.name, table.tenant_column)),
        1)
        << table.name;
    EXPECT_EQ(
        number(*admin, fmt::format("SELECT count(*) FROM pg_policies WHERE schemaname = 'oa' AND "
                                   "tablename = '{}' AND policyname <> 'removal'",
                                   table.name)),
        table.name == "tenants" || table.name == "jobs" || table.name == "restores" ||
                table.name == "plan_changes" || table.name == "audit_events" ||
                table.name == "audit_checkpoints" || table.name == "erasures" ||
                table.name == "erasure_ledger" || table.name == "drill_consents"
            ? 2
            : 1)
        << table.name;
  }
}

TEST_F(Isolation, EveryKeyAndReferenceCarriesTheTenant) {
  const auto admin = superuser();
  // Constraints of ours whose columns lack the tenant; tenants itself has only its own id.
  EXPECT_EQ(
      number(
          *admin,
          "SELECT count(*) FROM pg_constraint c WHERE connamespace = 'oa'::regnamespace AND "
          "contype IN ('p', 'u', 'f') "
          "AND conrelid NOT IN ('oa.tenants'::regclass, 'oa.schema_migrations'::regclass, "
          "'oa.sign_in_attempts'::regclass, 'oa.operator_answers'::regclass, "
          "'oa.cell_runs'::regclass, 'oa.cell_lag'::regclass, "
          "'oa.durability_records'::regclass, 'oa.replication_state'::regclass, "
          "'oa.erasure_ledger'::regclass, 'oa.drills'::regclass) AND NOT EXISTS "
          "(SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) "
          " AND a.attname = 'tenant_id')"),
      0);
  EXPECT_EQ(
      number(*admin,
             "SELECT count(*) FROM pg_constraint c WHERE connamespace = 'oa'::regnamespace AND "
             "contype = 'f' "
             "AND confrelid <> 'oa.tenants'::regclass AND NOT EXISTS (SELECT FROM pg_attribute a "
             "WHERE a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey) AND a.attname = "
             "'tenant_id')"),
      0);
}

TEST_F(Isolation, TheServiceSeesItsTenantOnly) {
  TenantTransaction tx = begin(a_);
  for (const auto& table : tables()) {
    EXPECT_GT(number(tx.connection(), fmt::format("SELECT count(*) FROM {}", table.name)), 0)
        << table.name;
    EXPECT_EQ(number(tx.connection(), fmt::format("SELECT count(*) FROM {} WHERE {} <> '{}'",
                                                  table.name, table.tenant_column, a_.str())),
              0)
        << table.name;
  }
}

TEST_F(Isolation, WithoutATenantNothingIsSeenOrWritten) {
  const auto service = Connection::open(cluster(), "oa_service").value();
  for (const char* setting : {"SELECT 1", "SELECT set_config('oa.tenant_id', '', false)"}) {
    ASSERT_OK(service->script(setting));
    for (const auto& table : tables()) {
      EXPECT_EQ(number(*service, fmt::format("SELECT count(*) FROM {}", table.name)), 0)
          << table.name;
    }
    EXPECT_FALSE(
        service
            ->script(
                "INSERT INTO teams (id, name, created_at) VALUES (gen_random_uuid(), 't', now())")
            .ok());
  }
}

TEST_F(Isolation, NoRowOfAnotherTenantCanBeWritten) {
  const std::string before = rows_of_b();
  for (const auto& table : tables()) {
    const auto attempt = [&](const std::string& sql) {
      TenantTransaction tx = begin(a_);
      auto done = tx.connection().script(sql);
      if (done.ok()) {
        EXPECT_EQ(done->affected(), 0u) << sql;
      } else {
        EXPECT_EQ(done.error().code, ErrorCode::kPermissionDenied)
            << sql << " " << done.error().cause;
      }
      if (done.ok()) {
        EXPECT_TRUE(tx.commit().ok());
      }
    };
    const auto& column = table.tenant_column;
    const std::string others = table.other_columns.empty() ? "" : ", " + table.other_columns;
    attempt(fmt::format("DELETE FROM {} WHERE {} = '{}'", table.name, column, b_.str()));
    attempt(fmt::format("UPDATE {} SET {} = {} WHERE {} = '{}'", table.name, column, column, column,
                        b_.str()));
    TenantTransaction tx = begin(a_);
    const auto inserted = tx.connection().script(
        fmt::format("INSERT INTO {} ({}{}) SELECT '{}'{} FROM {}", table.name, column, others,
                    b_.str(), others, table.name));
    ASSERT_FALSE(inserted.ok()) << table.name;
    EXPECT_EQ(inserted.error().code, ErrorCode::kPermissionDenied)
        << table.name << " " << inserted.error().cause;
    TenantTransaction moving = begin(a_);
    const auto moved = moving.connection().script(
        fmt::format("UPDATE {} SET {} = '{}'", table.name, column, b_.str()));
    ASSERT_FALSE(moved.ok()) << table.name;
    EXPECT_EQ(moved.error().code, ErrorCode::kPermissionDenied)
        << table.name << " " << moved.error().cause;
  }
  EXPECT_EQ(rows_of_b(), before);
}

TEST_F(Isolation, TheServiceCannotRaiseItself) {
  for (const char* sql : {"SET ROLE postgres",
                          "SET ROLE oa_owner",
                          "SET ROLE oa_operator",
                          "SET SESSION AUTHORIZATION oa_owner",
                          "ALTER ROLE oa_service BYPASSRLS",
                          "ALTER TABLE oa.users DISABLE ROW LEVEL SECURITY",
                          "DROP POLICY own_tenant ON oa.users",
                          "CREATE TABLE oa.mine (x int)",
                          "CREATE TEMP TABLE mine (x int)",
                          "COPY oa.users TO PROGRAM 'cat'",
                          "TRUNCATE oa.users",
                          "SELECT * FROM oa.schema_migrations",
                          "SELECT pg_read_file('/etc/passwd')",
                          "UPDATE oa.audit_events SET action = 'x'",
                          "UPDATE oa.audit_events SET personal = '{}'",
                          "DELETE FROM oa.erasure_ledger",
                          "UPDATE oa.erasure_ledger SET number = 0",
                          "DELETE FROM oa.drill_consents",
                          "SELECT * FROM oa.drills",
                          "DELETE FROM oa.erasures",
                          "DELETE FROM oa.personal_exports",
                          "DELETE FROM oa.audit_events",
                          "DELETE FROM oa.audit_heads",
                          "DELETE FROM oa.signing_keys",
                          "DELETE FROM oa.accepted_signers",
                          "UPDATE oa.accepted_signers SET public_key = 'x'",
                          "DELETE FROM oa.alert_evaluations",
                          "UPDATE oa.alert_evaluations SET outcome = 'ok'",
                          "UPDATE oa.tenants SET plan = 'scale'"}) {
    TenantTransaction tx = begin(a_);
    const auto done = tx.connection().script(sql);
    ASSERT_FALSE(done.ok()) << sql;
    EXPECT_EQ(done.error().code, ErrorCode::kPermissionDenied) << sql << " " << done.error().cause;
  }
}

TEST_F(Isolation, ATenantsRowsGoWithItsKeyAndNobodyElses) {
  const TenantId gone = full_tenant();
  const std::string before = rows_of_b();
  {
    TenantTransaction tx = begin(gone);
    EXPECT_EQ(tx.connection().script("SELECT oa.remove_tenant_rows(oa.current_tenant())").error().code,
              ErrorCode::kPermissionDenied);
  }
  {
    TenantTransaction tx = begin(gone);
    EXPECT_GT(count_tenant_rows(tx)->size(), 20u);
  }
  EXPECT_GT(*remove_tenant_rows(database(), gone), 20u);
  TenantTransaction tx = begin(gone);
  EXPECT_EQ(*count_tenant_rows(tx), (std::map<std::string, std::uint64_t>{{"tenants", 1}}));
  for (const auto& table : tables()) {
    const std::string sql = fmt::format("SELECT count(*) FROM oa.{} WHERE {} = '{}'", table.name,
                                        table.tenant_column, gone.str());
    // The numbers of the ledger have no gaps.
    const bool stays = table.name == "tenants" || table.name == "erasure_ledger";
    EXPECT_EQ(number(*superuser(), sql), stays ? 1 : 0) << table.name;
  }
  EXPECT_EQ(rows_of_b(), before);
}

TEST_F(Isolation, OnlyPlansThatWereNotAppliedCanBeDeleted) {
  RestoreRecord applied, planned;
  applied.id = RestoreId::random();
  applied.state = RestoreState::kApplied;
  applied.applied_at = Timestamp::now();
  planned.id = RestoreId::random();
  TenantTransaction tx = begin(a_);
  Restores(tx).put(applied).value();
  Restores(tx).put(planned).value();
  tx.connection().script("DELETE FROM oa.restores").value();
  EXPECT_TRUE(Restores(tx).get(applied.id).ok());
  EXPECT_FALSE(Restores(tx).get(planned.id).ok());
}

TEST_F(Isolation, SwitchingRowSecurityOffOnlyGivesErrors) {
  for (const auto& table : tables()) {
    TenantTransaction tx = begin(a_);
    ASSERT_OK(tx.connection().script("SET LOCAL row_security = off"));
    EXPECT_FALSE(tx.connection().script("SELECT * FROM " + table.name).ok()) << table.name;
  }
}

TEST_F(Isolation, TheOwnerIsBoundToo) {
  const auto owner = Connection::open(cluster(), "oa_owner").value();
  ASSERT_OK(
      owner->execute("SELECT set_config('oa.tenant_id', $1, false)", {Parameter::of(a_.str())}));
  for (const auto& table : tables()) {
    EXPECT_EQ(number(*owner, fmt::format("SELECT count(*) FROM oa.{}", table.name)), 0)
        << table.name;
  }
}

TEST_F(Isolation, TheOperatorKnowsTenantsAndNothingElse) {
  const auto service_operator = Connection::open(cluster(), "oa_operator").value();
  ASSERT_OK(service_operator->execute("SELECT set_config('oa.tenant_id', $1, false)",
                                      {Parameter::of(a_.str())}));
  for (const auto& table : tables()) {
    const auto read = service_operator->script("SELECT * FROM " + table.name);
    EXPECT_EQ(read.ok(), table.name == "tenants" || table.name == "plan_changes" ||
                             table.name == "erasure_ledger")
        << table.name;
    EXPECT_FALSE(service_operator->script("DELETE FROM " + table.name).ok()) << table.name;
    EXPECT_FALSE(
        service_operator
            ->script(fmt::format("UPDATE {0} SET {1} = {1}", table.name, table.tenant_column))
            .ok())
        << table.name;
  }
}

TEST_F(Isolation, TheOperatorSeesWhenJobsRunAndNotWhatTheyAre) {
  const auto service_operator = Connection::open(cluster(), "oa_operator").value();
  ASSERT_OK(service_operator->script(
      "SELECT tenant_id, id, kind, state, cancel_requested, attempt, revision, created_at, "
      "created_by, run_after, taken_at, started_at, lease, leased_until FROM jobs"));
  for (const char* column : {"request", "result", "failure_code", "failure_message", "failure_hint",
                             "step", "done", "total", "unit", "trace_id"}) {
    const auto read = service_operator->script(fmt::format("SELECT {} FROM jobs", column));
    ASSERT_FALSE(read.ok()) << column;
    EXPECT_EQ(read.error().code, ErrorCode::kPermissionDenied) << column;
  }
  for (const char* column : {"tenant_id", "id", "kind", "request", "result", "failure_code",
                             "cancel_requested", "created_by"}) {
    EXPECT_FALSE(service_operator->script(fmt::format("UPDATE jobs SET {0} = {0}", column)).ok())
        << column;
  }
  EXPECT_FALSE(
      service_operator->script("INSERT INTO jobs (id, kind) VALUES (gen_random_uuid(), 'x')").ok());
}

TEST_F(Isolation, AttemptsToSignInAndAnswersToTheOperatorAreTheOperatorsAlone) {
  const auto admin = superuser();
  EXPECT_EQ(number(*admin,
                   "SELECT count(*) FROM pg_class WHERE oid IN ('oa.sign_in_attempts'::regclass, "
                   "'oa.operator_answers'::regclass) AND relrowsecurity AND relforcerowsecurity"),
            2);
  for (const char* sql :
       {"SELECT key FROM operator_answers", "DELETE FROM operator_answers",
        "UPDATE operator_answers SET status = 0", "SELECT key FROM sign_in_attempts", "DELETE FROM sign_in_attempts",
        "UPDATE sign_in_attempts SET attempts = 0",
        "INSERT INTO sign_in_attempts (key, attempts, forget_at) VALUES ('x', 1, now())"}) {
    TenantTransaction tx = begin(a_);
    const auto done = tx.connection().script(sql);
    ASSERT_FALSE(done.ok()) << sql;
    EXPECT_EQ(done.error().code, ErrorCode::kPermissionDenied) << sql;
  }
}

// The receiver of the write-ahead log may replicate and nothing else, pgBackRest may read settings.
TEST_F(Isolation, OfOurRolesNoneIsAboveTheOthers) {
  const auto admin = superuser();
  EXPECT_EQ(number(*admin,
                   "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'oa\\_%' AND NOT (rolsuper OR "
                   "rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication <> (rolname = "
                   "'oa_replication'))"),
            5);
  EXPECT_EQ(number(*admin,
                   "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
                   "WHERE r.rolname LIKE 'oa\\_%' AND (r.rolname, m.roleid::regrole::text) NOT IN "
                   "(('oa_backup', 'pg_read_all_settings'), ('oa_operator', 'pg_read_all_stats'))"),
            0);
  EXPECT_EQ(number(*admin,
                   "SELECT count(*) FROM pg_tables t CROSS JOIN (VALUES ('oa_replication'), "
                   "('oa_backup')) r(name) WHERE schemaname = 'oa' AND has_table_privilege(r.name, "
                   "format('oa.%I', tablename), 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"),
            0);
  EXPECT_EQ(
      number(*admin,
             "SELECT count(*) FROM pg_tables WHERE schemaname = 'oa' AND tableowner <> 'oa_owner'"),
      0);
}

}  // namespace
}  // namespace oa::catalog
