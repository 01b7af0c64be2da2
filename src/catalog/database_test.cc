#include "oa/catalog/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "embedded_sql.h"
#include "oa/catalog/repositories.h"
#include "row_reader.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

// An empty database of its own in the shared cluster.
class FreshDatabase {
 public:
  FreshDatabase() : settings_(cluster()) {
    settings_.database = fmt::format("fresh_{}", ++made_);
    superuser()
        ->script(fmt::format("CREATE DATABASE {} OWNER oa_owner", settings_.database))
        .value();
  }
  ~FreshDatabase() {
    superuser()->script(fmt::format("DROP DATABASE {} WITH (FORCE)", settings_.database)).value();
  }
  const ConnectionSettings& settings() const { return settings_; }

 private:
  static inline int made_ = 0;
  ConnectionSettings settings_;
};

std::int64_t applied(const ConnectionSettings& settings) {
  const auto connection = Connection::open(settings, settings.owner_role).value();
  const Rows rows = connection->query("SELECT count(*) FROM oa.schema_migrations").value();
  return RowReader(rows, 0).bigint();
}

void change_ledger(const ConnectionSettings& settings, const char* sql) {
  ASSERT_OK(Connection::open(settings, settings.owner_role).value()->script(sql));
}

TEST(Migrate, TwiceIsOnce) {
  const FreshDatabase fresh;
  ASSERT_OK(Database::migrate(fresh.settings()));
  ASSERT_OK(Database::migrate(fresh.settings()));
  EXPECT_EQ(applied(fresh.settings()), static_cast<std::int64_t>(migrations().size()));
}

TEST(Migrate, AnOlderDatabaseIsToldAndBroughtUpToDate) {
  const FreshDatabase fresh;
  EXPECT_TRUE(Database::is_older(fresh.settings()).value());
  ASSERT_OK(Database::migrate_up_to(fresh.settings(), Database::newest_migration() - 1));
  EXPECT_TRUE(Database::is_older(fresh.settings()).value());
  ASSERT_OK(Database::migrate(fresh.settings()));
  EXPECT_FALSE(Database::is_older(fresh.settings()).value());
}

TEST(Migrate, ConcurrentProcessesTakeTurns) {
  const FreshDatabase fresh;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(
        fork_child([&] { return Database::migrate(fresh.settings()).ok() ? 0 : 1; }));
  }
  for (const pid_t child : children) EXPECT_EQ(exit_status(child), 0);
  EXPECT_EQ(applied(fresh.settings()), static_cast<std::int64_t>(migrations().size()));
}

TEST(Migrate, AChangedMigrationIsRefused) {
  const FreshDatabase fresh;
  ASSERT_OK(Database::migrate(fresh.settings()));
  change_ledger(fresh.settings(),
                "UPDATE oa.schema_migrations SET sha256 = repeat('0', 64) WHERE number = 1");
  const Status status = Database::migrate(fresh.settings());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
}

TEST(Migrate, ANewerDatabaseIsRefused) {
  const FreshDatabase fresh;
  ASSERT_OK(Database::migrate(fresh.settings()));
  change_ledger(fresh.settings(),
                "INSERT INTO oa.schema_migrations (number, name, sha256) VALUES (9999, 'x', 'y')");
  const Status status = Database::migrate(fresh.settings());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(Database::is_older(fresh.settings()).error().code, ErrorCode::kUnsupported);
}

TEST(Database, NothingAnswers) {
  ConnectionSettings settings = cluster();
  settings.host = "/nonexistent";
  EXPECT_EQ(Database::open(settings).error().code, ErrorCode::kDatabaseUnavailable);
  EXPECT_EQ(Database::migrate(settings).error().code, ErrorCode::kDatabaseUnavailable);
  settings = cluster();
  settings.service_role = "nobody_known";
  EXPECT_EQ(Database::open(settings).error().code, ErrorCode::kDatabaseUnavailable);
}

TEST(Database, ARoleAboveRowLevelSecurityIsRefused) {
  ConnectionSettings settings = cluster();
  settings.service_role = "postgres";
  const auto opened = Database::open(settings);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kPermissionDenied);
}

TEST(Database, Tenants) {
  const TenantId id = TenantId::random();
  const Tenant tenant{id, "Łódź \"Ltd\" " + id.str(), Plan::kScale, {1234567}};
  ASSERT_OK(database().create_tenant(tenant));
  EXPECT_EQ(database().find_tenant(id.str()).value(), tenant);
  EXPECT_EQ(database().find_tenant(tenant.name).value(), tenant);
  const auto all = database().list_tenants().value();
  EXPECT_NE(std::find(all.begin(), all.end(), tenant), all.end());
  EXPECT_EQ(database().create_tenant(tenant).error().code, ErrorCode::kAlreadyExists);
  Tenant same_name = tenant;
  same_name.id = TenantId::random();
  EXPECT_EQ(database().create_tenant(same_name).error().code, ErrorCode::kAlreadyExists);
  Tenant named_like_id{TenantId::random(), id.str(), Plan::kStarter, {}};
  ASSERT_OK(database().create_tenant(named_like_id));
  EXPECT_EQ(database().find_tenant(id.str()).value(), tenant);
  EXPECT_EQ(database().find_tenant("").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(database().find_tenant("no such tenant").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(database().find_tenant(std::string("a\0b", 3)).error().code, ErrorCode::kNotFound);
  Tenant bad{TenantId::random(), std::string("a\0b", 3), Plan::kStarter, {}};
  EXPECT_EQ(database().create_tenant(bad).error().code, ErrorCode::kInvalidArgument);
}

TEST(Database, TenantsPageById) {
  std::vector<TenantId> added;
  for (int i = 0; i < 5; ++i) {
    added.push_back(TenantId::random());
    ASSERT_OK(database().create_tenant({added.back(), added.back().str(), Plan::kStarter, {}}));
  }
  std::vector<TenantId> seen;
  std::optional<TenantId> after;
  for (;;) {
    const auto page = database().list_tenants(after, 2).value();
    EXPECT_LE(page.size(), 2U);
    if (page.empty()) break;
    for (const auto& tenant : page) seen.push_back(tenant.id);
    after = seen.back();
  }
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  for (const auto& id : added) EXPECT_EQ(std::ranges::count(seen, id), 1);
}

TEST(Database, APlanIsChangedAndTheChainTellsIt) {
  const TenantId id = TenantId::random();
  ASSERT_OK(database().create_tenant({id, id.str(), Plan::kStarter, {}}));
  EXPECT_EQ(database().set_plan(id, Plan::kScale, "trace").value().plan, Plan::kScale);
  EXPECT_EQ(database().find_tenant(id.str()).value().plan, Plan::kScale);
  ASSERT_OK(database().set_plan(id, Plan::kGrowth, "trace"));
  auto transaction = database().begin(id).value();
  std::vector<AuditEvent> events;
  ASSERT_OK(Audit(transaction).for_each([&](const AuditEvent& event) {
    events.push_back(event);
    return Status();
  }));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].action, "tenant.plan.change");
  EXPECT_EQ(events[0].actor_type, "operator");
  EXPECT_EQ(events[0].resource_id, id.str());
  EXPECT_EQ(events[0].detail.str(), R"({"from":"starter","to":"scale"})");
  EXPECT_EQ(events[1].detail.str(), R"({"from":"scale","to":"growth"})");
  EXPECT_EQ(database().set_plan(TenantId::random(), Plan::kScale, "").error().code,
            ErrorCode::kNotFound);
}

User user(const std::string& name) {
  User out;
  out.id = UserId::random();
  out.email = name + "@example.com";
  return out;
}

Status add_user(TenantId tenant, const std::string& name) {
  OA_ASSIGN(auto tx, database().begin(tenant));
  const User added = user(name);
  OA_TRY(Users(tx).put({&added, 1}));
  return tx.commit();
}

TEST(Transaction, ASnapshotDoesNotSeeWhatComesLater) {
  const TenantId tenant = new_tenant();
  ASSERT_OK(add_user(tenant, "first"));
  TenantTransaction snapshot = begin(tenant, Isolation::kSnapshot);
  ASSERT_OK(add_user(tenant, "second"));
  EXPECT_EQ(Users(snapshot).list().value().size(), 1u);
  TenantTransaction later = begin(tenant);
  EXPECT_EQ(Users(later).list().value().size(), 2u);
  EXPECT_GT(later.started_at(), snapshot.started_at());
  const User refused = user("third");
  EXPECT_FALSE(Users(snapshot).put({&refused, 1}).ok());
}

TEST(Transaction, DroppedIsRolledBackAndCommittedIsKept) {
  const TenantId tenant = new_tenant();
  {
    TenantTransaction dropped = begin(tenant);
    const User lost = user("lost");
    ASSERT_OK(Users(dropped).put({&lost, 1}));
  }
  ASSERT_OK(add_user(tenant, "kept"));
  TenantTransaction tx = begin(tenant);
  const auto users = Users(tx).list().value();
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0].email, "kept@example.com");
}

TEST(Transaction, ACommitAfterAFailedStatementIsAnError) {
  const TenantId tenant = new_tenant();
  TenantTransaction tx = begin(tenant);
  const User kept = user("kept");
  ASSERT_OK(Users(tx).put({&kept, 1}));
  User same = kept;
  same.id = UserId::random();
  ASSERT_FALSE(Users(tx).put({&same, 1}).ok());
  EXPECT_EQ(tx.commit().error().code, ErrorCode::kDatabase);
  TenantTransaction after = begin(tenant);
  EXPECT_TRUE(Users(after).list().value().empty());
}

TEST(Transaction, TheRestoreLockIsForOneAtATimePerTenant) {
  const TenantId tenant = new_tenant();
  auto holder = std::make_unique<TenantTransaction>(begin(tenant));
  ASSERT_OK(holder->lock_tenant_for_restore());
  TenantTransaction elsewhere = begin(new_tenant());
  ASSERT_OK(elsewhere.lock_tenant_for_restore());
  TenantTransaction waiting = begin(tenant);
  ASSERT_OK(waiting.connection().script("SET LOCAL lock_timeout = '50ms'"));
  EXPECT_EQ(waiting.lock_tenant_for_restore().error().code, ErrorCode::kBusy);
  TenantTransaction next = begin(tenant);
  Status got;
  std::thread waiter([&] { got = next.lock_tenant_for_restore(); });
  holder.reset();
  waiter.join();
  EXPECT_TRUE(got.ok());
}

TEST(Transaction, AConnectionThatWasLeftIsAsANewOne) {
  const TenantId a = new_tenant(), b = new_tenant();
  const auto database = Database::open(cluster()).value();
  Workspace workspace{WorkspaceId::random(), "left open", {}, {}};
  {
    auto tx = database->begin(a).value();
    ASSERT_OK(Workspaces(tx).put({&workspace, 1}));
    ASSERT_OK(tx.connection().script("SET SESSION statement_timeout = 1"));
    EXPECT_TRUE(tx.try_queue_for_restore().value());
  }
  auto next = database->begin(b).value();
  EXPECT_TRUE(Workspaces(next).list().value().empty());
  const Rows timeout =
      next.connection().query("SELECT current_setting('statement_timeout')").value();
  EXPECT_EQ(RowReader(timeout, 0).text(), "0");
  auto first = database->begin(a).value();
  EXPECT_TRUE(Workspaces(first).list().value().empty()) << "what was not committed is gone";
  auto other = database->begin(a).value();
  EXPECT_TRUE(other.try_queue_for_restore().value()) << "and so are its locks";
}

TEST(Transaction, AConnectionThatDiedWhileItWaitedIsReplaced) {
  const TenantId tenant = new_tenant();
  const auto database = Database::open(cluster()).value();
  std::int64_t pid = 0;
  {
    auto tx = database->begin(tenant).value();
    const Rows rows = tx.connection().query("SELECT pg_backend_pid()::bigint").value();
    pid = RowReader(rows, 0).bigint();
  }
  ASSERT_OK(superuser()->execute("SELECT pg_terminate_backend($1::text::int, 5000)",
                                 {Parameter::of(std::to_string(pid))}));
  auto tx = database->begin(tenant).value();
  EXPECT_TRUE(Workspaces(tx).list().ok());
}

TEST(Transaction, ALostConnectionIsSaidSo) {
  TenantTransaction tx = begin(new_tenant());
  const Rows rows = tx.connection().query("SELECT pg_backend_pid()::bigint").value();
  ASSERT_OK(superuser()->execute("SELECT pg_terminate_backend($1::text::int, 5000)",
                                 {Parameter::of(std::to_string(RowReader(rows, 0).bigint()))}));
  const auto users = Users(tx).list();
  ASSERT_FALSE(users.ok());
  EXPECT_EQ(users.error().code, ErrorCode::kDatabaseUnavailable);
}

}  // namespace
}  // namespace oa::catalog
