// All that the database has of one tenant, whatever it is.
#pragma once

#include <map>
#include <string>

#include "oa/catalog/database.h"

namespace oa::catalog {

/// Rows by table, those tables that have any; `tenants` with the tenant's own row. Not the ledger of
/// erasures, which outlives tenants.
Result<std::map<std::string, std::uint64_t>> count_tenant_rows(TenantTransaction& transaction);

/// Removes them, history too, but for the tenant's own row. For a tenant whose key was destroyed:
/// whoever calls makes sure of that. How many went, those that went with others not counted.
Result<std::uint64_t> remove_tenant_rows(Database& database, TenantId tenant);

}  // namespace oa::catalog
