#include "oa/demo/demo_tenant.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "demo_reports.h"
#include "oa/analytics/importer.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/kdf.h"
#include "oa/datasets/datasets.h"
#include "oa/datasets/secrets.h"

namespace oa::demo {
namespace {

using catalog::PrincipalKind;
using catalog::Role;

constexpr std::size_t kUsers = 12;
constexpr std::size_t kTeams = 3;
constexpr char kWarehouse[] = "warehouse";

struct People {
  std::vector<catalog::User> users;
  std::vector<catalog::Team> teams;
};

People demo_people(const Canaries& canaries, Timestamp now) {
  People people;
  const std::string domain = canaries.email_domain.empty() ? "demo.example" : canaries.email_domain;
  constexpr const char* kRegions[] = {"North", "South", "East", "West"};
  for (std::size_t i = 0; i < kUsers; ++i) {
    catalog::User user;
    user.id = UserId::random();
    user.email = fmt::format("user{:02}@{}", i + 1, domain);
    user.first_name = "Demo";
    user.last_name = fmt::format("User {:02}", i + 1);
    user.attributes =
        JsonText::of(json::object{{"region", kRegions[i % 4]}, {"cost_centre", 4100 + i}});
    user.active = i + 1 < kUsers;  // the last one has left the company
    user.owner = i == 0;
    user.created_at = now;
    people.users.push_back(std::move(user));
  }
  constexpr const char* kNames[kTeams] = {"Sales analysts", "Operations", "Board"};
  for (std::size_t t = 0; t < kTeams; ++t) {
    catalog::Team team;
    team.id = TeamId::random();
    team.name = kNames[t];
    for (std::size_t i = t; i + 2 < kUsers; i += kTeams) team.members.push_back(people.users[i].id);
    std::sort(team.members.begin(), team.members.end());
    team.created_at = now;
    people.teams.push_back(std::move(team));
  }
  return people;
}

std::vector<catalog::Workspace> demo_workspaces(const People& people, Timestamp now) {
  std::vector<catalog::Workspace> workspaces;
  constexpr const char* kNames[] = {"Sales", "Operations"};
  for (std::size_t w = 0; w < std::size(kNames); ++w) {
    catalog::Workspace workspace{WorkspaceId::random(), kNames[w], now, {}};
    workspace.roles.push_back({PrincipalKind::kUser, people.users[w + 1].id.uuid(), Role::kAdmin});
    workspace.roles.push_back({PrincipalKind::kUser, people.users[w + 3].id.uuid(), Role::kEditor});
    workspace.roles.push_back({PrincipalKind::kTeam, people.teams[w].id.uuid(), Role::kEditor});
    workspace.roles.push_back({PrincipalKind::kTeam, people.teams[2].id.uuid(), Role::kViewer});
    std::sort(workspace.roles.begin(), workspace.roles.end());
    workspaces.push_back(std::move(workspace));
  }
  return workspaces;
}

// From a file, as a person would; its original is kept, so that it can be refreshed.
Result<catalog::Dataset> import_table(instance::Instance& instance, TenantId tenant,
                                      const Table& table, WorkspaceId workspace, UserId creator,
                                      Progress& progress) {
  datasets::DatasetService service({instance.database(), instance.objects(), instance.keys(), {}},
                                   tenant);
  analytics::RejectedRows rejected;
  return service.import_file({workspace, table.name, creator, table.model_yaml},
                             MemorySource(Bytes(table.csv.begin(), table.csv.end())), {}, rejected,
                             {"operator", {}, "", {}}, progress);
}

// What a refresh from the warehouse would have left. There is no such server, so that the demo
// shows what is left to do when credentials do not come back from an archive.
Result<catalog::Dataset> warehouse_table(instance::Instance& instance, TenantId tenant,
                                         const Table& table, WorkspaceId workspace, UserId creator,
                                         Progress& progress) {
  catalog::Dataset record;
  record.id = DatasetId::random();
  record.workspace_id = workspace;
  record.name = table.name;
  record.model_yaml = table.model_yaml;
  record.source_ref = kWarehouse;
  const ObjectKey key{tenant, RetentionClass::kRows, record.id.str() + "/rows.parquet"};
  OA_ASSIGN(const auto imported,
            analytics::import_csv(instance.objects(),
                                  MemorySource(Bytes(table.csv.begin(), table.csv.end())), key, {},
                                  progress));
  record.state = catalog::DatasetState::kReady;
  record.row_count = imported.rows.row_count;
  record.size_bytes = imported.parquet_bytes;
  record.rows = catalog::RowsObject{key.name, imported.version.value};
  record.created_by = creator;
  record.created_at = record.updated_at = Timestamp::now();
  record.last_refresh_at = record.created_at;
  record.versions.push_back({1, imported.rows.columns, record.created_at});
  OA_ASSIGN(auto transaction, instance.database().begin(tenant));
  OA_TRY(catalog::Datasets(transaction).put({&record, 1}));
  OA_TRY(transaction.commit());
  return record;
}

std::vector<NewAuditEvent> demo_audit(const People& people,
                                               const std::vector<catalog::Report>& reports,
                                               const Size& size, const Canaries& canaries,
                                               Timestamp now) {
  constexpr const char* kActions[] = {
      "auth.login.success",      "report.view",         "report.view", "report.update",
      "dataset.refresh.success", "sharing.grant.create"};
  constexpr std::int64_t kStepUs = 47'000'000;
  std::vector<NewAuditEvent> events;
  events.reserve(size.audit_events);
  for (std::uint64_t i = 0; i < size.audit_events; ++i) {
    const auto& user = people.users[i % people.users.size()];
    NewAuditEvent event;
    event.ts = Timestamp{now.unix_us - static_cast<std::int64_t>(size.audit_events - i) * kStepUs};
    event.actor_type = "user";
    event.actor_id = user.id.uuid();
    event.action = kActions[i % std::size(kActions)];
    event.resource_type = "report";
    event.resource_id = reports[i % reports.size()].id.str();
    event.detail = JsonText::of(json::object{{"n", i}});
    event.trace_id = fmt::format("{:016x}", i * 0x9E3779B97F4A7C15ULL);
    event.personal = {{"actor.email", user.email},
                      {"actor.ip", fmt::format("192.0.2.{}", i % 250 + 1)}};
    if (i == size.audit_events / 2 && !canaries.audit.empty())
      event.personal["detail.note"] = canaries.audit;
    events.push_back(std::move(event));
  }
  return events;
}

Status add_secret(instance::Instance& instance, TenantId tenant, const Canaries& canaries) {
  const std::string password = canaries.secret.empty() ? Uuid::random().str() : canaries.secret;
  const std::string payload = canonical_json(json::object{{"host", "warehouse.demo.example"},
                                                          {"database", "shop"},
                                                          {"user", "reader"},
                                                          {"password", password}});
  datasets::SecretStore store(instance.database(), instance.keys(), tenant);
  OA_TRY(store.put(kWarehouse, catalog::SecretKind::kPostgres,
                   SecretBytes::copy_of(as_bytes(payload)), {"operator", {}, "", {}}));
  return {};
}

// Marks the tenant as the demo's own before anything else is in it.
Status add_people(instance::Instance& instance, TenantId tenant, const People& people,
                  const std::vector<catalog::Workspace>& workspaces, const Canaries& canaries,
                  Timestamp now) {
  OA_ASSIGN(auto transaction, instance.database().begin(tenant));
  NewAuditEvent made;
  made.ts = now;
  made.actor_type = "operator";
  made.action = kDemoAction;
  made.resource_type = "tenant";
  made.resource_id = tenant.str();
  OA_TRY(catalog::Audit(transaction).append({&made, 1}));
  OA_TRY(catalog::Users(transaction).put(people.users));
  OA_TRY(catalog::Teams(transaction).put(people.teams));
  OA_TRY(catalog::Workspaces(transaction).put(workspaces));
  const std::string password = canaries.password.empty() ? Uuid::random().str() : canaries.password;
  OA_ASSIGN(const std::string password_hash,
            hash_password(SecretBytes::copy_of(as_bytes(password))));
  OA_TRY(catalog::Users(transaction).set_password_hash(people.users[0].id, password_hash));
  return transaction.commit();
}

Result<std::vector<DemoDataset>> add_datasets(instance::Instance& instance, TenantId tenant,
                                              const People& people,
                                              const std::vector<catalog::Workspace>& workspaces,
                                              const Size& size, const Canaries& canaries,
                                              Progress& progress) {
  std::vector<DemoDataset> datasets;
  for (auto& table : demo_tables(size.order_rows, canaries.row)) {
    const std::size_t w = table.workspace;
    const bool from_warehouse = table.model_yaml.find("ref: warehouse") != std::string::npos;
    OA_ASSIGN(auto record,
              (from_warehouse ? warehouse_table : import_table)(
                  instance, tenant, table, workspaces[w].id, people.users[w + 1].id, progress));
    table.csv.clear();
    datasets.push_back({std::move(table), std::move(record)});
  }
  return datasets;
}

}  // namespace

Result<catalog::Tenant> make_demo_tenant(instance::Instance& instance, const std::string& name,
                                         const Size& size, const Canaries& canaries,
                                         Progress& progress) {
  OA_ASSIGN(const auto tenant, instance.provision_tenant(name, catalog::Plan::kGrowth));
  const Timestamp now = Timestamp::now();
  const People people = demo_people(canaries, now);
  const auto workspaces = demo_workspaces(people, now);
  OA_TRY(add_people(instance, tenant.id, people, workspaces, canaries, now));
  OA_TRY(add_secret(instance, tenant.id, canaries));
  OA_ASSIGN(const auto datasets,
            add_datasets(instance, tenant.id, people, workspaces, size, canaries, progress));
  auto reports = demo_reports(datasets, now);
  // One of Sales with people of Operations, one of Operations with somebody of Sales.
  reports[0].grants = {{PrincipalKind::kUser, people.users[4].id.uuid(), Role::kEditor},
                       {PrincipalKind::kTeam, people.teams[1].id.uuid(), Role::kViewer}};
  reports[2].grants = {{PrincipalKind::kUser, people.users[3].id.uuid(), Role::kViewer}};

  progress.begin("writing the tenant", size.audit_events, "events");
  OA_ASSIGN(auto transaction, instance.database().begin(tenant.id));
  OA_TRY(catalog::Reports(transaction).put(reports));
  OA_TRY(catalog::Alerts(transaction).put(demo_alerts(datasets, now)));
  OA_TRY(catalog::Audit(transaction).append(demo_audit(people, reports, size, canaries, now)));
  OA_TRY(transaction.commit());
  progress.update(size.audit_events);
  return tenant;
}

Result<std::vector<catalog::User>> people_to_try(instance::Instance& instance, TenantId tenant) {
  OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(snapshot).list());
  OA_ASSIGN(const auto teams, catalog::Teams(snapshot).list());
  OA_ASSIGN(auto users, catalog::Users(snapshot).list());
  std::map<UserId, Role> highest;
  const auto hold = [&](UserId user, Role role) {
    auto [found, added] = highest.try_emplace(user, role);
    if (!added) found->second = std::max(found->second, role);
  };
  for (const auto& workspace : workspaces) {
    for (const auto& grant : workspace.roles) {
      if (grant.kind == PrincipalKind::kUser) hold(UserId(grant.principal), grant.role);
      for (const auto& team : teams)
        if (team.id.uuid() == grant.principal)
          for (const auto& member : team.members) hold(member, grant.role);
    }
  }
  std::sort(users.begin(), users.end(), [](const auto& a, const auto& b) { return a.email < b.email; });
  std::vector<catalog::User> chosen;
  const auto choose = [&](const auto& fits) {
    const auto found = std::find_if(users.begin(), users.end(), [&](const catalog::User& user) {
      return user.active && fits(user);
    });
    if (found != users.end()) chosen.push_back(*found);
  };
  choose([](const catalog::User& user) { return user.owner; });
  for (const Role role : {Role::kAdmin, Role::kViewer})
    choose([&](const catalog::User& user) {
      const auto found = highest.find(user.id);
      return !user.owner && found != highest.end() && found->second == role;
    });
  return chosen;
}

}  // namespace oa::demo
