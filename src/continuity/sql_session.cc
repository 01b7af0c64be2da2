#include "sql_session.h"

#include <libpq-fe.h>

#include <vector>

#include "oa/postgres/answer.h"

namespace oa::continuity {
namespace {

constexpr const char* kOp = "continuity.sql";

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};

using Answer = std::unique_ptr<PGresult, ClearResult>;

// The last statement's, as PQexec() would give it.
Answer ask(PGconn* connection, const std::string& sql) {
  if (PQsendQuery(connection, sql.c_str()) != 1) return nullptr;
  Answer last;
  while (Answer next{postgres::next_result(connection)}) last = std::move(next);
  return last;
}

Error failed(const PGresult* result, bool connected) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view code = state == nullptr ? "none" : state;
  auto error = make_error(
      !connected || code.starts_with("57P") || code.starts_with("08")
          ? ErrorCode::kDatabaseUnavailable
      : code == "57014" ? ErrorCode::kTimeout
                        : ErrorCode::kDatabase,
      kOp,
      connected ? "the database refused a statement" : "the connection to the database was lost");
  return std::move(error).with_cause("SQLSTATE " + std::string(code));
}

}  // namespace

Result<SqlSession> SqlSession::open(const catalog::ConnectionSettings& settings,
                                    const std::string& role, const std::string& database) {
  auto parameters = catalog::connection_parameters(settings, role);
  parameters.emplace_back("dbname", database);
  parameters.emplace_back("connect_timeout", "5");
  parameters.emplace_back("options", "-c statement_timeout=30s -c timezone=UTC");
  parameters.emplace_back("application_name", "oa-continuity");
  std::vector<const char*> names, values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  SqlSession session(PQconnectdbParams(names.data(), values.data(), 0));
  if (session.connection_ == nullptr || PQstatus(session.connection_) != CONNECTION_OK ||
      PQsetnonblocking(session.connection_, 1) != 0) {
    return make_error(ErrorCode::kDatabaseUnavailable, kOp, "the database does not answer")
        .with_cause(session.connection_ == nullptr ? "" : PQerrorMessage(session.connection_));
  }
  // A notice can quote values and has no place in our output.
  PQsetNoticeReceiver(
      session.connection_, [](void*, const PGresult*) {}, nullptr);
  return session;
}

SqlSession::~SqlSession() { PQfinish(connection_); }

Result<std::vector<std::optional<std::string>>> SqlSession::row(const std::string& sql) {
  const auto result = ask(connection_, sql);
  if (result == nullptr || PQresultStatus(result.get()) != PGRES_TUPLES_OK)
    return failed(result.get(), PQstatus(connection_) == CONNECTION_OK);
  if (PQntuples(result.get()) != 1)
    return make_error(ErrorCode::kInternal, kOp, "the answer has not one row");
  std::vector<std::optional<std::string>> values;
  for (int column = 0; column < PQnfields(result.get()); ++column) {
    if (PQgetisnull(result.get(), 0, column) != 0) {
      values.emplace_back();
    } else {
      values.emplace_back(PQgetvalue(result.get(), 0, column));
    }
  }
  return values;
}

Result<std::string> SqlSession::value(const std::string& sql) {
  OA_ASSIGN(const auto values, row(sql));
  if (values.size() != 1 || !values[0])
    return make_error(ErrorCode::kInternal, kOp, "the answer has not one value");
  return *values[0];
}

Status SqlSession::command(const std::string& sql) {
  const auto result = ask(connection_, sql);
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
  return failed(result.get(), PQstatus(connection_) == CONNECTION_OK);
}

}  // namespace oa::continuity
