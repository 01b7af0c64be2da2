// People of a tenant, as the operator adds them. What is done is in the audit chain (user.create,
// user.update, user.role.change).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/catalog/database.h"

namespace oa::accounts {

struct NewPerson {
  std::string email, first_name, last_name;
  bool owner = false;
};

struct ListedPerson {
  catalog::User user;
  bool has_password = false;
};

/// Every person, by e-mail address.
Result<std::vector<ListedPerson>> list_people(catalog::Database& database, TenantId tenant);
/// The one with this e-mail address (in any case) or id; kNotFound.
Result<catalog::User> find_person(catalog::Database& database, TenantId tenant,
                                  const std::string& email_or_id);
/// Active, without a password until one is set. kAlreadyExists; kInvalidArgument for what is no
/// e-mail address.
Result<catalog::User> add_person(catalog::Database& database, TenantId tenant,
                                 const NewPerson& person);
/// Who is not active cannot sign in, and is signed out.
Status set_active(catalog::Database& database, TenantId tenant, UserId user, bool active);
/// Without a role they lose the one they hold themselves; one by a team stays. kNotFound.
Status set_role(catalog::Database& database, TenantId tenant, UserId user, WorkspaceId workspace,
                std::optional<catalog::Role> role);

}  // namespace oa::accounts
