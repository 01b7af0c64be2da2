// Drills as operators see them: whose, which step, and the tenant that is kept to be looked at.
#include "documents.h"
#include "drill_rounds.h"
#include "oa/drill/drill.h"
#include "operator_routes.h"
#include "paging.h"

namespace oa::api {
namespace {

constexpr std::size_t kBody = 16 << 10;

Result<http::Response> list_drills(const OperatorCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<Uuid> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, Uuid::parse(*page.after));
  }
  OA_ASSIGN(auto rows, catalog::Drills(call.instance.database()).list(after, page.limit + 1));
  std::optional<std::string> next;
  if (rows.size() > page.limit) {
    rows.pop_back();
    next = rows.back().id.str();
  }
  json::array data;
  for (const auto& row : rows) data.push_back(drill::to_json(row));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> get_drill(const OperatorCall& call) {
  const auto id = Uuid::parse(call.arrived.path.find("drill_id")->second);
  if (!id.ok())
    return make_error(ErrorCode::kNotFound, "drill", "there is no drill of this id");
  OA_ASSIGN(const auto row, catalog::Drills(call.instance.database()).get(*id));
  return json_response(200, drill::to_json(row));
}

Result<http::Response> start_drill(const OperatorCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const auto tenant = reader.optional_id<TenantId>("tenant_id");
  const bool cell = reader.find("cell") != nullptr && reader.boolean("cell");
  if (cell == tenant.has_value()) reader.fail("tenant_id", "is given, or cell is true; one of them");
  OA_TRY(reader.finish());
  if (cell) {
    OA_TRY(drill::check_cell(call.instance));
  } else {
    OA_TRY(call.instance.database().find_tenant(tenant->str()));
    OA_TRY(drill::check_consent(call.instance, *tenant));
  }
  if (call.drills == nullptr)
    return make_error(ErrorCode::kConflict, "drill.run", "this service does no drills");
  OA_TRY(call.drills->ask({tenant}));
  return json_response(202, cell ? json::object{{"cell", true}}
                                 : json::object{{"tenant_id", tenant->str()}});
}

constexpr OperatorRoute kRoutes[] = {
    {"listDrills", "GET", "/v1/operator/drills", list_drills},
    {"startDrill", "POST", "/v1/operator/drills", start_drill, kBody},
    {"getDrill", "GET", "/v1/operator/drills/{drill_id}", get_drill},
};

}  // namespace

std::span<const OperatorRoute> drill_routes() { return kRoutes; }

}  // namespace oa::api
