#include "prepare_database.h"

#include <fmt/format.h>

#include "embedded_sql.h"

namespace oa::catalog {

Status prepare_roles(Connection& superuser) {
  OA_TRY(superuser.script(std::string(kRolesSql)));
  return {};
}

Result<bool> prepare_database(Connection& superuser, const ConnectionSettings& settings) {
  OA_ASSIGN(const Rows found,
            superuser.query("SELECT FROM pg_catalog.pg_database WHERE datname = $1",
                            {Parameter::of(settings.database)}));
  const bool made = found.count() == 0;
  // Texts are sorted by their bytes, whatever the cluster's own locale is.
  if (made) {
    OA_TRY(superuser.script(
        fmt::format("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' "
                    "LOCALE 'C.UTF-8'",
                    settings.database, settings.owner_role)));
  }
  OA_TRY(superuser.script(fmt::format(
      "REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {1}, {2}",
      settings.database, settings.service_role, settings.operator_role)));
  return made;
}

}  // namespace oa::catalog
