// Continuous backup, as the operator sees it: the state of the cell, its runs.
#include "cell_watch.h"
#include "documents.h"
#include "oa/continuity/status_json.h"
#include "oa/catalog/cell.h"
#include "operator_routes.h"
#include "paging.h"

namespace oa::api {
namespace {

constexpr std::size_t kBody = 16 << 10;

Result<http::Response> get_cell(const OperatorCall& call) {
  OA_ASSIGN(const auto status, call.cell.status());
  return json_response(200, continuity::to_json(status));
}

Result<http::Response> list_runs(const OperatorCall& call) {
  const Timestamp now = Timestamp::now();
  OA_ASSIGN(const auto page, page_request(call.arrived, now));
  std::optional<CellRunId> after;
  if (page.after.has_value()) {
    OA_ASSIGN(after, parse_id<CellRunId>(*page.after));
  }
  catalog::CellRuns runs(call.instance.database());
  OA_ASSIGN(auto listed, runs.list(after, page.limit + 1));
  std::optional<std::string> next;
  if (listed.size() > page.limit) {
    listed.pop_back();
    next = listed.back().id.str();
  }
  json::array data;
  for (const auto& run : listed) data.push_back(continuity::to_json(run));
  return json_response(200, page_document(call.arrived, page, std::move(data), next, now));
}

Result<http::Response> get_run(const OperatorCall& call) {
  OA_ASSIGN(const auto id, call.arrived.id<CellRunId>("run_id"));
  OA_ASSIGN(const auto run, catalog::CellRuns(call.instance.database()).get(id));
  return json_response(200, continuity::to_json(run));
}

Result<http::Response> start_run(const OperatorCall& call) {
  ObjectReader reader(*call.arrived.body, "body");
  const auto kind = catalog::parse_text<catalog::CellRunKind>(reader.text("kind"));
  if (!kind.ok() || *kind == catalog::CellRunKind::kRecovery)
    reader.fail("kind", "is full, differential, incremental, expire, verify or restore-check");
  OA_TRY(reader.finish());
  if (call.instance.cell() == nullptr) {
    return make_error(ErrorCode::kConflict, "cell.run", "nothing is backed up continuously here")
        .with_hint("`oa-backup up` begins it");
  }
  catalog::CellRuns runs(call.instance.database());
  OA_ASSIGN(const auto run, runs.add(*kind, catalog::CellRunOrigin::kOperator));
  call.cell.wake();
  return json_response(202, continuity::to_json(run));
}

Result<http::Response> cancel_run(const OperatorCall& call) {
  OA_ASSIGN(const auto id, call.arrived.id<CellRunId>("run_id"));
  catalog::CellRuns runs(call.instance.database());
  OA_TRY(runs.request_cancel(id));
  OA_ASSIGN(const auto run, runs.get(id));
  return json_response(200, continuity::to_json(run));
}

constexpr OperatorRoute kRoutes[] = {
    {"getCell", "GET", "/v1/operator/cell", get_cell},
    {"listRuns", "GET", "/v1/operator/cell/runs", list_runs},
    {"startRun", "POST", "/v1/operator/cell/runs", start_run, kBody},
    {"getRun", "GET", "/v1/operator/cell/runs/{run_id}", get_run},
    {"cancelRun", "POST", "/v1/operator/cell/runs/{run_id}/cancel", cancel_run},
};

}  // namespace

std::span<const OperatorRoute> continuity_routes() { return kRoutes; }

}  // namespace oa::api
