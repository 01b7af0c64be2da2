// What the parts of this module share about people and what they did.
#pragma once

#include <boost/json/object.hpp>
#include <map>

#include "oa/accounts/accounts.h"
#include "oa/audit/audit.h"

namespace oa::accounts {

struct AuditNote {
  std::string_view action;
  std::string_view resource_type;
  std::string resource_id;
  json::object detail = {};  // nothing personal
  std::map<std::string, std::string> personal = {};
  std::string trace_id = {};
};

/// One event. `actor_type` is user or operator.
Status record(catalog::TenantTransaction& transaction, std::string_view actor_type,
              const std::optional<UserId>& actor, AuditNote note);
/// One event in the name of whoever is signed in.
Status record(catalog::TenantTransaction& transaction, const Identity& actor, AuditNote note);

Identity identity_of(TenantId tenant, catalog::Person person);

}  // namespace oa::accounts
