// Tenants, as the operator sees them: that they are there and what their plan is.
#include "documents.h"
#include "operator_routes.h"
#include "paging.h"

namespace oa::api {
namespace {

constexpr std::size_t kBody = 16 << 10;

json::object tenant_document(const catalog::Tenant& tenant) {
  return {{"id", tenant.id.str()},
          {"name", tenant.name},
          {"plan", catalog::to_text(tenant.plan)},
          {"created_at", tenant.created_at.rfc3339()}};
}

catalog::Plan read_plan(ObjectReader& reader) {
  const auto plan = catalog::parse_text<catalog::Plan>(reader.text("plan"));
  if (plan.ok()) return *plan;
  reader.fail("plan", "is starter, growth or scale");
  return catalog::Plan::kStarter;
}

Result<http::Response> list_tenants(const OperatorCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<TenantId> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_id<TenantId>(*page.after));
  }
  OA_ASSIGN(auto tenants, call.instance.database().list_tenants(after, page.limit + 1));
  std::optional<std::string> next;
  if (tenants.size() > page.limit) {
    tenants.pop_back();
    next = tenants.back().id.str();
  }
  json::array data;
  for (const auto& tenant : tenants) data.push_back(tenant_document(tenant));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> create_tenant(const OperatorCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const auto name = reader.text("name");
  const auto plan = read_plan(reader);
  OA_TRY(reader.finish());
  OA_ASSIGN(const auto made, call.instance.provision_tenant(name, plan));
  return json_response(201, tenant_document(made));
}

Result<http::Response> change_tenant(const OperatorCall& call) {
  OA_ASSIGN(const auto id, call.arrived.id<TenantId>("tenant_id"));
  ObjectReader reader(*call.arrived.body, "body");
  const auto plan = read_plan(reader);
  OA_TRY(reader.finish());
  OA_ASSIGN(const auto changed,
            call.instance.database().set_plan(id, plan, call.arrived.trace_id));
  return json_response(200, tenant_document(changed));
}

constexpr OperatorRoute kRoutes[] = {
    {"listTenants", "GET", "/v1/operator/tenants", list_tenants},
    {"createTenant", "POST", "/v1/operator/tenants", create_tenant, kBody},
    {"changeTenant", "PATCH", "/v1/operator/tenants/{tenant_id}", change_tenant, kBody},
};

}  // namespace

std::span<const OperatorRoute> tenant_routes() { return kRoutes; }

}  // namespace oa::api
