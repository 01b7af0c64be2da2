// Recovery drills: whether a tenant takes part and what came of it; the trust report, for everybody.
#include "documents.h"
#include "oa/drill/drill.h"
#include "operation.h"
#include "trust_watch.h"

namespace oa::api {
namespace {

constexpr std::size_t kBody = 16 << 10, kShown = 20;

// Of its own archives: when, and what came of it. Steps and recovery tenants are the operators'.
Result<json::array> drills_of(TenantCall& call) {
  OA_ASSIGN(const auto rows, call.in_tenant([](instance::Instance& instance, TenantId tenant) {
    return catalog::Drills(instance.database()).of_tenant(tenant, kShown);
  }));
  json::array drills;
  for (const auto& row : rows) {
    const auto whole = drill::to_json(row);
    drills.push_back(json::object{{"id", whole.at("id")},
                                  {"state", whole.at("state")},
                                  {"started_at", whole.at("started_at")},
                                  {"finished_at", whole.at("finished_at")},
                                  {"recovery_seconds", whole.at("recovery_seconds")},
                                  {"record", whole.at("record")}});
  }
  return drills;
}

Result<http::Response> answer_with(TenantCall& call) {
  OA_ASSIGN(auto drills, drills_of(call));
  OA_ASSIGN(auto snapshot, call.snapshot());
  OA_ASSIGN(const auto consent, catalog::DrillConsents(snapshot).get());
  People people(snapshot);
  return json_response(200, json::object{{"takes_part", consent.takes_part},
                                         {"changed_at", moment_or_null(consent.changed_at)},
                                         {"changed_by", people.person(consent.changed_by)},
                                         {"drills", std::move(drills)}});
}

Result<http::Response> get_drills(TenantCall& call) { return answer_with(call); }

Result<http::Response> set_drills(TenantCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const bool takes_part = reader.boolean("takes_part");
  OA_TRY(reader.finish());
  OA_TRY(call.in_tenant([&](instance::Instance& instance, TenantId tenant) {
    return drill::set_consent(instance, tenant, takes_part, call.who.user, call.trace_id());
  }));
  return answer_with(call);
}

Result<http::Response> get_report(PublicCall& call) {
  OA_ASSIGN(auto report, call.trust().report());
  auto response = json_response(200, std::move(report));
  response.headers.emplace_back("Cache-Control", "public, max-age=60");
  return response;
}

using enum accounts::Scope;
constexpr Operation kOperations[] = {
    {"getDrills", "GET", "/v1/backup/drills", TenantHandler(get_drills), Right::kOwner, kBackup},
    {"setDrills", "PUT", "/v1/backup/drills", TenantHandler(set_drills), Right::kOwner, kBackup,
     kBody},
    {"getTrustReport", "GET", "/trust/report.json", PublicHandler(get_report)},
};

}  // namespace

std::span<const Operation> drill_operations() { return kOperations; }

}  // namespace oa::api
