// Who holds a role, into the tables of grants (of workspaces, of reports).
#pragma once

#include "bulk_writer.h"
#include "oa/catalog/records.h"

namespace oa::catalog {

/// Writes `grants` of one asset to columns `asset_column`, user_id, team_id, role.
class GrantWriter {
 public:
  GrantWriter(Connection& connection, const char* table, const char* asset_column)
      : writer_(connection, table,
                {{asset_column, SqlType::kUuid},
                 {"user_id", SqlType::kUuid},
                 {"team_id", SqlType::kUuid},
                 {"role", SqlType::kText}},
                Write::kInsert) {}

  Status add(const Uuid& asset, const std::vector<RoleGrant>& grants) {
    for (const auto& grant : grants) {
      const bool user = grant.kind == PrincipalKind::kUser;
      writer_.add(asset);
      writer_.add(user ? std::optional(grant.principal) : std::nullopt);
      writer_.add(user ? std::nullopt : std::optional(grant.principal));
      OA_TRY(writer_.add(to_text(grant.role)).end_row());
    }
    return {};
  }
  Status finish() { return writer_.finish(); }

 private:
  BulkWriter writer_;
};

}  // namespace oa::catalog
