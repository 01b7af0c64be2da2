// Roles and database, as the migrations expect them.
#pragma once

#include "connection.h"

namespace oa::catalog {

inline constexpr const char* kMaintenanceDatabase = "postgres";

/// `superuser` is in the maintenance database. Idempotent.
Status prepare_roles(Connection& superuser);
/// True when the database was not there.
Result<bool> prepare_database(Connection& superuser, const ConnectionSettings& settings);

}  // namespace oa::catalog
