// What is stored, as the operator sees it: the bucket's state, how much was verified, what is damaged.
#include "documents.h"
#include "operator_routes.h"

namespace oa::api {
namespace {

Result<http::Response> get_storage(const OperatorCall& call) {
  OA_ASSIGN(const auto status, call.storage.status());
  return json_response(200, durability::to_json(status));
}

Result<http::Response> check_storage(const OperatorCall& call) {
  OA_TRY(call.storage.check_now());
  return get_storage(call);
}

constexpr OperatorRoute kRoutes[] = {
    {"getStorage", "GET", "/v1/operator/storage", get_storage},
    {"checkStorage", "POST", "/v1/operator/storage/check", check_storage},
};

}  // namespace

std::span<const OperatorRoute> storage_routes() { return kRoutes; }

}  // namespace oa::api
