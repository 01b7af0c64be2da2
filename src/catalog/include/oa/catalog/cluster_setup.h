// A cluster that is there already, made ready for the service: roles with passwords, the database.
#pragma once

#include <string>
#include <vector>

#include "oa/catalog/database.h"

namespace oa::catalog {

struct SetupStep {
  std::string what;      // "role oa_service"
  bool changed = false;  // false: it was so already
};

/// As `superuser`, whose password is in `superuser_passfile`; the roles get theirs out of the
/// settings' own. Only what the server must keep of a password goes there, never a password itself.
/// Idempotent; `settings.tcp` must be there. `system_identifier`: that of the cluster that is meant.
/// kDatabaseUnavailable, kConflict (the server that answers is another cluster's),
/// kPermissionDenied (no superuser), kInvalidArgument (a password is missing), kUnsupported
/// (another version of Postgres, or a database of another encoding).
Result<std::vector<SetupStep>> set_up_cluster(const ConnectionSettings& settings,
                                              const std::string& superuser,
                                              const std::string& superuser_passfile,
                                              const std::string& system_identifier);

}  // namespace oa::catalog
