// The table of the operators' API: method and path of each route, what handles it. Described in
// docs/operations.md.
#pragma once

#include <span>

#include "call.h"
#include "cell_watch.h"
#include "storage_watch.h"

namespace oa::api {

class DrillRounds;

/// A request that carried the operators' credential, and whose route was found.
struct OperatorCall {
  instance::Instance& instance;
  CellWatch& cell;
  StorageWatch& storage;
  DrillRounds* drills;  // null where none are done
  const Arrived& arrived;
};

struct OperatorRoute {
  std::string_view id;
  std::string_view method;
  std::string_view path;  // "/v1/operator/tenants/{tenant_id}"
  Result<http::Response> (*handler)(const OperatorCall& call);
  std::size_t max_body_bytes = 0;  // of JSON; 0: it takes none
};

/// Lists page as the tenants' do (paging.h); every POST takes an Idempotency-Key.
std::span<const OperatorRoute> operator_routes();

// By group, in their files.
std::span<const OperatorRoute> tenant_routes();
std::span<const OperatorRoute> continuity_routes();
std::span<const OperatorRoute> storage_routes();
std::span<const OperatorRoute> replica_routes();
std::span<const OperatorRoute> drill_routes();

}  // namespace oa::api
