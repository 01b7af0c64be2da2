#include <fmt/format.h>

#include "embedded_sql.h"
#include "oa/catalog/database.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Status create_ledger(Connection& connection) {
  OA_TRY(
      connection.script("CREATE SCHEMA IF NOT EXISTS oa;"
                        "CREATE TABLE IF NOT EXISTS oa.schema_migrations (number bigint PRIMARY "
                        "KEY, name text NOT NULL, "
                        "sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"));
  return {};
}

// How many of ours the database already has. The applied ones must be a prefix of ours, byte for
// byte.
Result<std::size_t> check_applied(Connection& connection) {
  OA_ASSIGN(const Rows rows,
            connection.query("SELECT number, sha256 FROM oa.schema_migrations ORDER BY number"));
  const auto& ours = migrations();
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    const std::int64_t number = row.bigint();
    if (number > ours.back().number) {
      return make_error(ErrorCode::kUnsupported, "database.migrate",
                        "the database is newer than this program")
          .with_hint(
              "use the version of the program that last ran with this database, or a newer one")
          .with_cause(fmt::format("migration {}", number));
    }
    const auto index = static_cast<std::size_t>(i);
    if (index >= ours.size() || ours[index].number != number ||
        row.text() != to_hex(Sha256::of(as_bytes(ours[index].sql)))) {
      return make_error(ErrorCode::kConflict, "database.migrate",
                        "a migration that the database has applied is not the one this program has")
          .with_hint("do not change applied migrations; add a new one")
          .with_cause(fmt::format("migration {}", number));
    }
  }
  return static_cast<std::size_t>(rows.count());
}

Status apply(Connection& connection, const Migration& migration) {
  OA_TRY(connection.script("BEGIN"));
  if (auto applied = connection.script(std::string(migration.sql)); !applied.ok()) {
    Error error = std::move(applied).error();
    error.cause += fmt::format(", migration {}", migration.name);
    return error;
  }
  OA_TRY(connection.execute(
      "INSERT INTO oa.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)",
      {Parameter::of(std::int64_t{migration.number}), Parameter::of(migration.name),
       Parameter::of(to_hex(Sha256::of(as_bytes(migration.sql))))}));
  return connection.commit();
}

}  // namespace

std::int64_t Database::newest_migration() { return migrations().back().number; }

Status Database::migrate(const ConnectionSettings& settings) {
  return migrate_up_to(settings, newest_migration());
}

Result<bool> Database::is_older(const ConnectionSettings& settings) {
  OA_ASSIGN(const auto connection, Connection::open(settings, settings.owner_role));
  OA_ASSIGN(const Rows ledger,
            connection->query("SELECT to_regclass('oa.schema_migrations') IS NOT NULL"));
  if (!RowReader(ledger, 0).boolean()) return true;
  OA_ASSIGN(const std::size_t applied, check_applied(*connection));
  return applied < migrations().size();
}

Status Database::migrate_up_to(const ConnectionSettings& settings, std::int64_t last) {
  OA_ASSIGN(const auto connection, Connection::open(settings, settings.owner_role));
  // Of the session, so that it spans the transactions; the numbers only have to be ours ("oabk",
  // 1).
  OA_TRY(connection->script("SELECT pg_advisory_lock(1868653163, 1)"));
  OA_TRY(create_ledger(*connection));
  OA_ASSIGN(const std::size_t applied, check_applied(*connection));
  const auto& all = migrations();
  for (std::size_t i = applied; i < all.size() && all[i].number <= last; ++i)
    OA_TRY(apply(*connection, all[i]));
  return {};
}

}  // namespace oa::catalog
