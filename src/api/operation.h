// The table of operations: method and path of each, who may call it, what handles it. docs/openapi.yaml
// says the same; a test holds one against the other.
#pragma once

#include <span>
#include <variant>

#include "call.h"

namespace oa::api {

/// What somebody must be allowed to do to be heard at all; each handler looks at the workspaces.
enum class Right { kAnybody, kBackup, kOwner };

using PublicHandler = Result<http::Response> (*)(PublicCall& call);
using TenantHandler = Result<http::Response> (*)(TenantCall& call);
/// Of a body that is not JSON, or none: it takes the body itself.
using StreamHandler = Result<http::Reaction> (*)(TenantCall& call);

struct Operation {
  std::string_view id;
  std::string_view method;
  std::string_view path;  // "/v1/jobs/{job_id}"
  std::variant<PublicHandler, TenantHandler, StreamHandler> handler;
  Right right = Right::kAnybody;
  accounts::Scope scope = accounts::Scope::kRead;
  std::size_t max_body_bytes = 0;  // of JSON; 0: it takes none
  bool idempotent = false;         // takes an Idempotency-Key
  bool heavy = false;              // asks much of the machine: few run at a time
};

std::span<const Operation> operations();

// By group, in their files.
std::span<const Operation> account_operations();
std::span<const Operation> platform_operations();
std::span<const Operation> archive_operations();
std::span<const Operation> upload_operations();
std::span<const Operation> restore_operations();
std::span<const Operation> job_operations();
std::span<const Operation> setting_operations();

/// The operation of a request, with the parameters of its path. kNotFound; kMethodNotAllowed with
/// the methods that there are in the hint.
struct Route {
  const Operation* operation = nullptr;
  std::map<std::string, std::string, std::less<>> path;
};
Result<Route> find_operation(std::string_view method, const std::vector<std::string>& path);

}  // namespace oa::api
