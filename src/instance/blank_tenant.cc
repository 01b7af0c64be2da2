// Tenants that archives are imported into, and which of them an import may go on with.
#include <boost/json.hpp>

#include "oa/catalog/repositories.h"
#include "oa/instance/instance.h"

namespace oa::instance {
namespace {

// Why nothing may be imported into the tenant; empty when it is as an interrupted import left it.
Result<std::string> obstacle(catalog::TenantTransaction& transaction, const std::string& email) {
  OA_ASSIGN(const auto workspaces, catalog::Workspaces(transaction).list());
  OA_ASSIGN(const auto teams, catalog::Teams(transaction).list());
  if (!workspaces.empty() || !teams.empty()) return std::string("has workspaces or teams");
  OA_ASSIGN(const auto users, catalog::Users(transaction).list());
  for (const auto& user : users) {
    if (!user.owner || user.active || !catalog::same_email(user.email, email))
      return std::string("has people");
  }
  for (const auto state : {catalog::RestoreState::kApplied, catalog::RestoreState::kUndone}) {
    OA_ASSIGN(const auto restores, catalog::Restores(transaction).in_state(state));
    if (!restores.empty()) return std::string("was restored into");
  }
  return std::string();
}

Status check_blank(catalog::TenantTransaction& transaction, const catalog::Tenant& tenant,
                   const std::string& name, catalog::Plan plan, const std::string& email) {
  OA_ASSIGN(std::string reason, obstacle(transaction, email));
  if (tenant.plan != plan) reason = "is on another plan";
  if (tenant.name != name) reason = "has this for its id";
  if (reason.empty()) return {};
  return make_error(ErrorCode::kAlreadyExists, "tenant.import",
                    "a tenant named \"" + name + "\" exists already and " + reason)
      .with_hint(
          "choose another name; to go on with an interrupted import, give the same name, plan "
          "and owner");
}

Result<UserId> put_owner(catalog::TenantTransaction& transaction, catalog::User owner) {
  OA_ASSIGN(const auto users, catalog::Users(transaction).list());
  if (!users.empty()) return users.front().id;
  owner.owner = true;
  owner.active = false;
  OA_TRY(catalog::Users(transaction).put({&owner, 1}));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = "operator";
  event.action = "user.create";
  event.resource_type = "user";
  event.resource_id = owner.id.str();
  event.detail = JsonText::of(json::object{{"owner", true}, {"active", false}});
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return owner.id;
}

}  // namespace

Status Instance::check_blank_tenant(const std::string& name, catalog::Plan plan,
                                    const std::string& owner_email) {
  const auto found = database().find_tenant(name);
  if (!found.ok() && found.error().code == ErrorCode::kNotFound) return {};
  OA_TRY(found);
  OA_ASSIGN(auto transaction, database().begin(found->id, catalog::Isolation::kSnapshot));
  return check_blank(transaction, *found, name, plan, owner_email);
}

Result<Instance::BlankTenant> Instance::blank_tenant(const std::string& name, catalog::Plan plan,
                                                     const catalog::User& owner) {
  BlankTenant blank;
  auto found = database().find_tenant(name);
  if (!found.ok() && found.error().code != ErrorCode::kNotFound) return std::move(found).error();
  blank.made = !found.ok();
  if (blank.made) {
    OA_ASSIGN(blank.tenant, provision_tenant(name, plan));
  } else {
    blank.tenant = std::move(found).value();
  }
  OA_ASSIGN(auto transaction, database().begin(blank.tenant.id));
  OA_TRY(check_blank(transaction, blank.tenant, name, plan, owner.email));
  OA_ASSIGN(blank.owner, put_owner(transaction, owner));
  // An import that was interrupted very early may have left a tenant without its signing key.
  OA_ASSIGN(const auto keys, catalog::SigningKeys(transaction).list());
  OA_TRY(transaction.commit());
  if (keys.empty()) OA_TRY(rotate_signing_key(blank.tenant.id));
  return blank;
}

}  // namespace oa::instance
