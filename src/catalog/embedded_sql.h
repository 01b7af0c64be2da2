// The SQL files of db/, compiled in (db/embed_sql.cmake writes the definitions).
#pragma once

#include <string_view>
#include <vector>

namespace oa::catalog {

struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
};

/// db/roles.sql.
extern const std::string_view kRolesSql;
/// db/migrations, ascending by number.
const std::vector<Migration>& migrations();

}  // namespace oa::catalog
