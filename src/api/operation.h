// The table of operations: method and path of each, who may call it, what handles it. docs/openapi.yaml
// says the same; a test holds one against the other.
#pragma once

#include <span>
#include <variant>

#include "call.h"
#include "routes.h"

namespace oa::api {

/// What somebody must be allowed to do to be heard at all; each handler looks at the workspaces.
enum class Right { kAnybody, kBackup, kOwner };

using PublicHandler = Result<http::Response> (*)(PublicCall& call);
using TenantHandler = Result<http::Response> (*)(TenantCall& call);
/// Of a body that is not JSON, or none: it takes the body itself.
using StreamHandler = Result<http::Reaction> (*)(TenantCall& call);

/// What becomes of the repeat of a POST, all of which take an Idempotency-Key but those of nobody.
enum class Repeats {
  kRememberedBeside,  // the key is claimed first and the answer kept after the effect
  kRememberedInside,  // the effect is in the transaction that keeps the answer (TenantCall::write)
  kRefused,           // as kRememberedBeside, but the answer holds a secret and is not kept
};

struct Operation {
  std::string_view id;
  std::string_view method;
  std::string_view path;  // "/v1/jobs/{job_id}"
  std::variant<PublicHandler, TenantHandler, StreamHandler> handler;
  Right right = Right::kAnybody;
  accounts::Scope scope = accounts::Scope::kRead;
  std::size_t max_body_bytes = 0;  // of JSON; 0: it takes none
  Repeats repeats = Repeats::kRememberedBeside;
  bool heavy = false;              // asks much of the machine: few run at a time
  bool takes_key() const {
    return method == "POST" && std::holds_alternative<TenantHandler>(handler);
  }
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
std::span<const Operation> continuity_operations();
std::span<const Operation> privacy_operations();
std::span<const Operation> drill_operations();

/// The operation of a request, with the parameters of its path. Errors: those of RouteTable::find().
struct Route {
  const Operation* operation = nullptr;
  PathParameters path;
};
Result<Route> find_operation(std::string_view method, const std::vector<std::string>& path);

}  // namespace oa::api
