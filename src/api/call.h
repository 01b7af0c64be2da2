// What the handler of an operation gets. An operation of a tenant has a TenantCall, whose only way to
// rows, objects and jobs is the caller's own tenant; forgetting the tenant does not compile.
#pragma once

#include <optional>
#include <string>

#include "oa/accounts/accounts.h"
#include "oa/catalog/repositories.h"
#include "oa/http/message.h"
#include "oa/instance/instance.h"
#include "oa/jobs/jobs.h"
#include "oa/operations/operations.h"
#include "open_streams.h"
#include "routes.h"
#include "service_secrets.h"

namespace oa::api {

class CellWatch;
class TrustWatch;

/// What every call shares.
struct Parts {
  instance::Instance& instance;
  ServiceSecrets secrets;
  accounts::Accounts accounts;
  jobs::Runner* runner = nullptr;
  jobs::Watcher* watcher = nullptr;
  CellWatch* cell_watch = nullptr;
  TrustWatch* trust = nullptr;
  OpenStreams* streams = nullptr;
};

/// A request whose operation was found: its parts that are decoded.
struct Arrived {
  const http::Request* request = nullptr;
  PathParameters path;
  std::string trace_id;
  std::optional<json::value> body;
  const ServiceSecrets* secrets = nullptr;

  /// kNotFound when the parameter is no UUID: there can be nothing of that name.
  template <class IdType>
  Result<IdType> id(std::string_view name) const {
    auto parsed = IdType::parse(path.find(name)->second);
    if (parsed.ok()) return parsed;
    return make_error(ErrorCode::kNotFound, "request", "there is nothing of this id");
  }
  std::optional<std::string> query(const std::string& name) const {
    const auto found = request->query.find(name);
    return found == request->query.end() ? std::nullopt : std::optional(found->second);
  }
};

class TenantCall {
 public:
  TenantCall(Parts& parts, const Arrived& request, const accounts::Identity& caller)
      : arrived(request), who(caller), parts_(parts) {}

  const Arrived& arrived;
  const accounts::Identity& who;
  TenantId tenant() const { return who.tenant; }
  const std::string& trace_id() const { return arrived.trace_id; }
  template <class IdType>
  Result<IdType> id(std::string_view name) const {
    return arrived.id<IdType>(name);
  }

  Result<catalog::TenantTransaction> snapshot() {
    return parts_.instance.database().begin(tenant(), catalog::Isolation::kSnapshot);
  }
  Result<catalog::TenantTransaction> transaction() {
    return parts_.instance.database().begin(tenant());
  }
  /// Calls `change` with a transaction that is committed when it returns no error: the one that will
  /// remember the answer when there is one, otherwise at once.
  template <class Change>
  std::invoke_result_t<Change, catalog::TenantTransaction&> write(const Change& change) {
    if (answer_ != nullptr) return change(*answer_);
    OA_ASSIGN(auto own, transaction());
    auto done = change(own);
    if (done.ok()) OA_TRY(own.commit());
    return done;
  }
  void answer_is_remembered_in(catalog::TenantTransaction* transaction) { answer_ = transaction; }
  /// Enqueues, by write().
  Result<catalog::Job> start(const operations::Operation& operation);

  /// What the audit log tells of this call: who, from where; the caller adds the detail.
  NewAuditEvent event(std::string_view action, std::string_view resource_type,
                               std::string resource_id) const;

  /// Functions of the modules below take database, stores and tenant; this binds the tenant.
  template <class Function>
  auto in_tenant(const Function& function) {
    return function(parts_.instance, tenant());
  }
  accounts::Accounts& accounts() { return parts_.accounts; }
  jobs::Watcher& watcher() { return *parts_.watcher; }
  CellWatch& cell_watch() { return *parts_.cell_watch; }
  OpenStreams& streams() { return *parts_.streams; }
  void wake_workers() { parts_.runner->wake(); }

 private:
  Parts& parts_;
  catalog::TenantTransaction* answer_ = nullptr;
};

/// Of somebody who has not proved who they are. The only way to a tenant is an identity.
class PublicCall {
 public:
  PublicCall(Parts& parts, const Arrived& request) : arrived(request), parts_(parts) {}
  const Arrived& arrived;
  accounts::Accounts& accounts() { return parts_.accounts; }
  TrustWatch& trust() { return *parts_.trust; }
  TenantCall as(const accounts::Identity& who) { return {parts_, arrived, who}; }

 private:
  Parts& parts_;
};

}  // namespace oa::api
