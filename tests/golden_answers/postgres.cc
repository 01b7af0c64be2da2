#include "postgres.h"

#include <libpq-fe.h>

#include <stdexcept>

namespace oa::golden_answers {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += c;
    out += c;
  }
  return out + '"';
}

// Texts are compared by bytes, as the engine does.
std::string postgres_type(const std::string& type) {
  if (type == "VARCHAR") return "text COLLATE \"C\"";
  if (type == "DOUBLE") return "double precision";
  return type;
}

}  // namespace

struct Postgres::Connection {
  explicit Connection(PGconn* raw) : connection(raw, &PQfinish) {}
  [[noreturn]] void fail() const { throw std::runtime_error(PQerrorMessage(connection.get())); }
  std::unique_ptr<PGresult, void (*)(PGresult*)> exec(const std::string& sql) const {
    std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()),
                                                          &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) fail();
    return result;
  }
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection;
};

Postgres::Postgres() {
  auto started = catalog::EmbeddedPostgres::start(scratch_ / "postgres");
  if (!started.ok()) throw std::runtime_error(started.error().message);
  server_ = std::move(started).value();
  const auto& settings = server_->settings();
  const std::string where = "host=" + settings.host + " port=" + settings.port +
                            " user=postgres dbname=" + settings.database +
                            " client_encoding=UTF8 options='-c TimeZone=UTC -c DateStyle=ISO'";
  connection_ = std::make_unique<Connection>(PQconnectdb(where.c_str()));
  if (PQstatus(connection_->connection.get()) != CONNECTION_OK) connection_->fail();
}

Postgres::~Postgres() = default;

void Postgres::run(const std::string& sql) { connection_->exec(sql); }

std::vector<TextRow> Postgres::rows(const std::string& sql) {
  const auto result = connection_->exec(sql);
  std::vector<TextRow> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    TextRow cells;
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      if (PQgetisnull(result.get(), row, column)) {
        cells.emplace_back();
      } else {
        cells.emplace_back(PQgetvalue(result.get(), row, column));
      }
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

void Postgres::copy_csv(const std::string& table, const std::string& csv) {
  connection_->exec("COPY " + table + " FROM STDIN (FORMAT csv, HEADER)");
  PGconn* raw = connection_->connection.get();
  if (PQputCopyData(raw, csv.data(), static_cast<int>(csv.size())) != 1 ||
      PQputCopyEnd(raw, nullptr) != 1)
    connection_->fail();
  std::string problem;
  while (PGresult* result = PQgetResult(raw)) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK) problem = PQresultErrorMessage(result);
    PQclear(result);
  }
  if (!problem.empty()) throw std::runtime_error(problem);
}

void Postgres::create(const MadeTable& table) {
  std::string columns, csv;
  for (const Column& column : table.columns) {
    if (!columns.empty()) columns += ", ";
    columns += quoted(column.name) + " " + postgres_type(column.type);
    csv += (csv.empty() ? "" : ",") + quoted(column.name);
  }
  csv += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) csv += ",";
      if (row[i]) csv += quoted(*row[i]);
    }
    csv += "\n";
  }
  connection_->exec("CREATE TABLE " + table.name + " (" + columns + ")");
  copy_csv(table.name, csv);
}

}  // namespace oa::golden_answers
