#include "oa/demo/demo_tenant.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "demo_reports.h"
#include "oa/analytics/importer.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/kdf.h"

namespace oa::demo {
namespace {

using catalog::PrincipalKind;
using catalog::Role;

constexpr std::size_t kUsers = 12;
constexpr std::size_t kTeams = 3;

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

Result<DemoDataset> import_table(instance::Instance& instance, TenantId tenant, Table table,
                                 WorkspaceId workspace, UserId creator, Progress& progress) {
  DemoDataset dataset{std::move(table), {}};
  auto& record = dataset.record;
  record.id = DatasetId::random();
  record.workspace_id = workspace;
  record.name = dataset.table.name;
  record.model_yaml = dataset.table.model_yaml;
  if (record.model_yaml.find("ref: warehouse") != std::string::npos)
    record.source_ref = "warehouse";
  const MemorySource csv(Bytes(dataset.table.csv.begin(), dataset.table.csv.end()));
  const ObjectKey key{tenant, RetentionClass::kRows, record.id.str() + "/rows.parquet"};
  OA_ASSIGN(const auto imported, analytics::import_csv(instance.objects(), csv, key, {}, progress));
  dataset.table.csv.clear();
  record.state = catalog::DatasetState::kReady;
  record.row_count = imported.rows.row_count;
  record.size_bytes = imported.parquet_bytes;
  record.rows = catalog::RowsObject{key.name, imported.version.value};
  record.created_by = creator;
  record.created_at = record.updated_at = Timestamp::now();
  record.last_refresh_at = record.created_at;
  record.versions.push_back({1, imported.rows.columns, record.created_at});
  return dataset;
}

std::vector<catalog::NewAuditEvent> demo_audit(const People& people,
                                               const std::vector<catalog::Report>& reports,
                                               const Size& size, const Canaries& canaries,
                                               Timestamp now) {
  constexpr const char* kActions[] = {
      "auth.login.success",      "report.view",         "report.view", "report.update",
      "dataset.refresh.success", "sharing.grant.create"};
  constexpr std::int64_t kStepUs = 47'000'000;
  std::vector<catalog::NewAuditEvent> events;
  events.reserve(size.audit_events);
  for (std::uint64_t i = 0; i < size.audit_events; ++i) {
    const auto& user = people.users[i % people.users.size()];
    catalog::NewAuditEvent event;
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

Status add_secret(instance::Instance& instance, catalog::TenantTransaction& transaction,
                  const Canaries& canaries, Timestamp now) {
  catalog::SealedSecret secret;
  secret.id = SecretId::random();
  secret.name = "warehouse";
  secret.kind = catalog::SecretKind::kPostgres;
  secret.created_at = now;
  const std::string password = canaries.secret.empty() ? Uuid::random().str() : canaries.secret;
  const std::string text =
      canonical_json(json::object{{"host", "warehouse.demo.example"}, {"password", password}});
  OA_ASSIGN(secret.sealed, seal_value(instance.keys(), transaction.tenant(), KeyPurpose::kSecrets,
                                      secret.id.str(), as_bytes(text)));
  return catalog::Secrets(transaction).put(secret);
}

}  // namespace

Result<catalog::Tenant> make_demo_tenant(instance::Instance& instance, const std::string& name,
                                         const Size& size, const Canaries& canaries,
                                         Progress& progress) {
  OA_ASSIGN(const auto tenant, instance.provision_tenant(name, catalog::Plan::kGrowth));
  const Timestamp now = Timestamp::now();
  const People people = demo_people(canaries, now);
  const auto workspaces = demo_workspaces(people, now);
  std::vector<DemoDataset> datasets;
  for (auto& table : demo_tables(size.order_rows, canaries.row)) {
    const std::size_t w = table.workspace;
    OA_ASSIGN(auto dataset, import_table(instance, tenant.id, std::move(table), workspaces[w].id,
                                         people.users[w + 1].id, progress));
    datasets.push_back(std::move(dataset));
  }
  std::vector<catalog::Dataset> records;
  for (const auto& dataset : datasets) records.push_back(dataset.record);
  const auto reports = demo_reports(datasets, now);

  progress.begin("writing the tenant", size.audit_events, "events");
  OA_ASSIGN(auto transaction, instance.database().begin(tenant.id));
  OA_TRY(catalog::Users(transaction).put(people.users));
  OA_TRY(catalog::Teams(transaction).put(people.teams));
  OA_TRY(catalog::Workspaces(transaction).put(workspaces));
  OA_TRY(catalog::Datasets(transaction).put(records));
  OA_TRY(catalog::Reports(transaction).put(reports));
  OA_TRY(catalog::Alerts(transaction).put(demo_alerts(datasets, now)));
  OA_TRY(add_secret(instance, transaction, canaries, now));
  const std::string password = canaries.password.empty() ? Uuid::random().str() : canaries.password;
  OA_ASSIGN(const std::string password_hash,
            hash_password(SecretBytes::copy_of(as_bytes(password))));
  OA_TRY(catalog::Users(transaction).set_password_hash(people.users[0].id, password_hash));
  catalog::NewAuditEvent made;
  made.ts = now;
  made.actor_type = "operator";
  made.action = kDemoAction;
  made.resource_type = "tenant";
  made.resource_id = tenant.id.str();
  OA_TRY(catalog::Audit(transaction).append({&made, 1}));
  OA_TRY(catalog::Audit(transaction).append(demo_audit(people, reports, size, canaries, now)));
  OA_TRY(transaction.commit());
  progress.update(size.audit_events);
  return tenant;
}

}  // namespace oa::demo
