#include "copy_peer.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace oa::bench {
namespace {

// In the order of their references.
constexpr const char* kTables[] = {"users",
                                   "teams",
                                   "team_members",
                                   "workspaces",
                                   "workspace_roles",
                                   "datasets",
                                   "dataset_versions",
                                   "reports",
                                   "report_datasets",
                                   "report_grants",
                                   "alerts"};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_file(const std::string& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode), std::fclose);
  if (file != nullptr) return file;
  std::perror(path.c_str());
  std::exit(1);
}

}  // namespace

Session::Session(const catalog::ConnectionSettings& settings)
    : connection_(PQconnectdb(fmt::format("host={} port={} user=postgres dbname={}", settings.host,
                                          settings.port, settings.database)
                                  .c_str())) {
  if (PQstatus(connection_) != CONNECTION_OK) fail();
  run("SET search_path = ''; SET client_min_messages = warning");  // definitions name their schema
}

Session::~Session() { PQfinish(connection_); }

void Session::fail() {
  fmt::print(stderr, "Postgres: {}\n", PQerrorMessage(connection_));
  std::exit(1);
}

std::vector<std::string> Session::values(const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection_, sql.c_str()),
                                                              PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail();
  std::vector<std::string> out;
  for (int row = 0; row < PQntuples(result.get()); ++row)
    out.emplace_back(PQgetvalue(result.get(), row, 0));
  return out;
}

void Session::copy_out(const std::string& sql, const std::string& path) {
  const auto file = open_file(path, "wb");
  PQclear(PQexec(connection_, sql.c_str()));
  char* data = nullptr;
  int size = 0;
  while ((size = PQgetCopyData(connection_, &data, 0)) > 0) {
    std::fwrite(data, 1, static_cast<std::size_t>(size), file.get());
    PQfreemem(data);
  }
  PGresult* end = PQgetResult(connection_);
  if (size != -1 || PQresultStatus(end) != PGRES_COMMAND_OK) fail();
  PQclear(end);
  while (PGresult* rest = PQgetResult(connection_)) PQclear(rest);
}

void Session::copy_in(const std::string& sql, const std::string& path) {
  const auto file = open_file(path, "rb");
  PQclear(PQexec(connection_, sql.c_str()));
  std::vector<char> buffer(std::size_t{1} << 18);
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    if (PQputCopyData(connection_, buffer.data(), static_cast<int>(size)) != 1) fail();
  }
  if (PQputCopyEnd(connection_, nullptr) != 1) fail();
  PGresult* end = PQgetResult(connection_);
  if (PQresultStatus(end) != PGRES_COMMAND_OK) fail();
  PQclear(end);
  while (PGresult* rest = PQgetResult(connection_)) PQclear(rest);
}

// By primary key, as a restore writes: random ids would make the indexes slower.
CopyPeer::CopyPeer(Session& session, TenantId tenant, const std::string& folder)
    : session_(session), tenant_(tenant) {
  for (const char* name : kTables) {
    const auto columns = session.values(
        fmt::format("SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM "
                    "pg_attribute WHERE attrelid = 'oa.{}'::regclass AND attnum > 0 AND NOT "
                    "attisdropped AND attgenerated = ''",
                    name));
    tables_.push_back({name, columns.front(), fmt::format("{}/{}.copy", folder, name)});
    const auto& table = tables_.back();
    session.copy_out(fmt::format("COPY (SELECT {} FROM oa.{} WHERE tenant_id = '{}' ORDER BY 1, 2, "
                                 "3) TO STDOUT (FORMAT binary)",
                                 table.columns, table.name, tenant.str()),
                     table.path);
    bytes_ += std::filesystem::file_size(table.path);
  }
}

void CopyPeer::make_tables() {
  session_.run("DROP SCHEMA IF EXISTS peer CASCADE");
  session_.run("CREATE SCHEMA peer AUTHORIZATION oa_owner; SET ROLE oa_owner");
  session_.run("CREATE TABLE peer.tenants (LIKE oa.tenants INCLUDING ALL)");
  for (const char* name : kTables) {
    session_.run(fmt::format("CREATE TABLE peer.{0} (LIKE oa.{0} INCLUDING ALL)", name));
    for (const auto& key : session_.values(
             fmt::format("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' "
                         "AND conrelid = 'oa.{}'::regclass",
                         name))) {
      session_.run(fmt::format("ALTER TABLE peer.{} ADD {}", name, replaced(key, "oa.", "peer.")));
    }
  }
  session_.run("RESET ROLE");
  session_.run(fmt::format("INSERT INTO peer.tenants SELECT * FROM oa.tenants WHERE id = '{}'",
                           tenant_.str()));
}

double CopyPeer::copy() {
  make_tables();
  session_.run("CHECKPOINT");
  session_.run("SET ROLE oa_owner");
  const auto begin = std::chrono::steady_clock::now();
  session_.run("BEGIN");
  for (const auto& table : tables_) {
    session_.copy_in(
        fmt::format("COPY peer.{} ({}) FROM STDIN (FORMAT binary)", table.name, table.columns),
        table.path);
  }
  session_.run("COMMIT");
  const auto end = std::chrono::steady_clock::now();
  session_.run("RESET ROLE");
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace oa::bench
