#include "oa/catalog/tenant_rows.h"

#include <fmt/format.h>

#include "row_reader.h"

namespace oa::catalog {

Result<std::map<std::string, std::uint64_t>> count_tenant_rows(TenantTransaction& transaction) {
  Connection& connection = transaction.connection();
  OA_ASSIGN(
      const Rows tables,
      connection.query("SELECT quote_ident(c.relname)::text FROM pg_class c JOIN pg_attribute a ON "
                       "a.attrelid = c.oid AND a.attname = 'tenant_id' WHERE c.relnamespace = "
                       "'oa'::regnamespace AND c.relkind = 'r' AND c.relname <> 'erasure_ledger' AND "
                       "has_table_privilege(c.oid, 'SELECT') ORDER BY 1"));
  std::map<std::string, std::uint64_t> counts;
  const auto count = [&](const std::string& table) -> Status {
    OA_ASSIGN(const Rows rows,
              connection.query(fmt::format("SELECT count(*) FROM oa.{}", table).c_str()));
    const auto found = static_cast<std::uint64_t>(RowReader(rows, 0).bigint());
    if (found > 0) counts[table] = found;
    return {};
  };
  for (int i = 0; i < tables.count(); ++i) OA_TRY(count(RowReader(tables, i).text()));
  OA_TRY(count("tenants"));
  return counts;
}

Result<std::uint64_t> remove_tenant_rows(Database& database, TenantId tenant) {
  OA_ASSIGN(auto access, database.as_operator());
  OA_ASSIGN(const Rows rows,
            access.connection().query("SELECT oa.remove_tenant_rows($1)", {Parameter::of(tenant)}));
  return static_cast<std::uint64_t>(RowReader(rows, 0).bigint());
}

}  // namespace oa::catalog
