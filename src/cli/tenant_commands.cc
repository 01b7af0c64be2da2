#include <fmt/format.h>

#include <boost/json.hpp>

#include "commands.h"
#include "encryption_commands.h"
#include "oa/catalog/repositories.h"
#include "oa/demo/main_job.h"

namespace oa::cli {
namespace {

json::object to_json(const catalog::Tenant& tenant) {
  return {{"id", tenant.id.str()},
          {"name", tenant.name},
          {"plan", catalog::to_text(tenant.plan)},
          {"created_at", tenant.created_at.rfc3339()}};
}

// Tells the walk of the main job: numbered steps for people, a list of steps for scripts.
class StepNarrator final : public demo::Narrator {
 public:
  explicit StepNarrator(const Context& context) : context_(context) {}
  void step(std::string_view title) override {
    ++number_;
    context_.output.line("");
    context_.output.line(fmt::format("{}. {}", number_, title));
    steps_.push_back(json::object{{"step", number_}, {"title", title}, {"facts", json::object{}}});
  }
  void fact(std::string_view name, std::string_view value) override {
    context_.output.line(fmt::format("   {:<26} {}", name, value));
    std::fflush(stdout);
    steps_.back().as_object()["facts"].as_object()[name] = value;
  }
  json::array take() { return std::move(steps_); }

 private:
  const Context& context_;
  int number_ = 0;
  json::array steps_;
};

}  // namespace

Status run_demo(const Context& context, const DemoOptions& options) {
  StepNarrator narrator(context);
  narrator.step("The embedded default: private Postgres, key store, sealed object store");
  OA_ASSIGN(const auto instance, open_instance(context.options, true));
  narrator.fact("data folder", instance->data_folder());
  narrator.fact("Postgres' folder", instance::describe(instance->volume()));
  demo::Size size;
  size.order_rows = options.rows;
  OA_TRY(demo::run_main_job(*instance, size, narrator, context.progress));
  context.output.document(json::object{{"steps", narrator.take()}});
  return {};
}

Status run_tenant_create(const Context& context, const TenantOptions& options) {
  OA_ASSIGN(const auto plan, catalog::parse_text<catalog::Plan>(options.plan));
  OA_ASSIGN(const auto instance, open_instance(context.options, true));
  OA_ASSIGN(const auto tenant, instance->provision_tenant(options.name, plan));
  context.output.document(to_json(tenant));
  context.output.line(
      fmt::format("tenant {} made on plan {}: {}", tenant.name, options.plan, tenant.id.str()));
  return {};
}

Status run_tenant_list(const Context& context) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenants, instance->database().list_tenants());
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& tenant : tenants) {
    items.push_back(to_json(tenant));
    rows.push_back({tenant.id.str(), tenant.name, std::string(catalog::to_text(tenant.plan)),
                    tenant.created_at.rfc3339()});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "name", "plan", "created"}, rows,
                       "no tenants yet; make one with `oa-backup tenant create NAME`");
  return {};
}

Status run_tenant_set_plan(const Context& context, const TenantOptions& options) {
  OA_ASSIGN(const auto plan, catalog::parse_text<catalog::Plan>(options.plan));
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto found, instance->database().find_tenant(options.name));
  OA_ASSIGN(const auto tenant, instance->database().set_plan(found.id, plan, ""));
  context.output.document(to_json(tenant));
  context.output.line(fmt::format("tenant {} is on plan {} now", tenant.name, options.plan));
  return {};
}

Status run_tenant_show(const Context& context, const TenantOptions& options) {
  OA_ASSIGN(const auto instance, open_instance(context.options, false));
  OA_ASSIGN(const auto tenant, instance->database().find_tenant(options.name));
  OA_ASSIGN(auto transaction, instance->database().begin(tenant.id, catalog::Isolation::kSnapshot));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const char* kind, const Uuid& id, WorkspaceId workspace,
                       const std::string& name) {
    items.push_back(json::object{
        {"kind", kind}, {"id", id.str()}, {"workspace_id", workspace.str()}, {"name", name}});
    rows.push_back({kind, id.str(), name});
  };
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(transaction).list());
  for (const auto& workspace : workspaces) {
    add("workspace", workspace.id.uuid(), workspace.id, workspace.name);
    OA_ASSIGN(const auto datasets, catalog::Datasets(transaction).list(workspace.id));
    for (const auto& dataset : datasets)
      add("dataset", dataset.id.uuid(), workspace.id, dataset.name);
    OA_ASSIGN(const auto reports, catalog::Reports(transaction).names(workspace.id));
    for (const auto& [id, name] : reports) add("report", id.uuid(), workspace.id, name);
    OA_ASSIGN(const auto alerts, catalog::Alerts(transaction).names(workspace.id));
    for (const auto& [id, name] : alerts) add("alert", id.uuid(), workspace.id, name);
  }
  auto document = to_json(tenant);
  document["assets"] = std::move(items);
  document["key"] = describe_key(tenant, instance->keys().describe(tenant.id));
  context.output.document(document);
  context.output.table({"kind", "id", "name"}, rows, "the tenant has no workspace yet");
  return {};
}

}  // namespace oa::cli
