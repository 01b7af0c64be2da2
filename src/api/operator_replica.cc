// The object store's replica, as the operator sees it.
#include "documents.h"
#include "oa/durability/replication.h"
#include "operator_routes.h"

namespace oa::api {
namespace {

Result<http::Response> get_replica(const OperatorCall& call) {
  if (call.instance.replica() == nullptr) {
    return make_error(ErrorCode::kNotFound, "storage.replica", "the object store has no replica")
        .with_hint("name one in the deployment file: objects.replica");
  }
  OA_ASSIGN(const auto state, durability::read_replication(call.instance.database()));
  return json_response(200, durability::to_json(state, Timestamp::now()));
}

constexpr OperatorRoute kRoutes[] = {
    {"getReplica", "GET", "/v1/operator/storage/replica", get_replica},
};

}  // namespace

std::span<const OperatorRoute> replica_routes() { return kRoutes; }

}  // namespace oa::api
