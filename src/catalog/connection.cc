#include "connection.h"

#include <bit>
#include <charconv>

#include "oa/postgres/answer.h"

namespace oa::catalog {
namespace {

constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01 in Unix time

constexpr std::size_t kMaxParameterBytes = std::size_t{1} << 29;

struct SqlStateMeaning {
  std::string_view prefix;
  ErrorCode code;
  const char* message;
};

// The first prefix that fits decides.
constexpr SqlStateMeaning kMeanings[] = {
    {"08", ErrorCode::kDatabaseUnavailable, "the connection to the database was lost"},
    {"57P", ErrorCode::kDatabaseUnavailable, "the database is shutting down or starting"},
    {"53300", ErrorCode::kDatabaseUnavailable, "the database has no free connection"},
    {"53100", ErrorCode::kDiskFull, "the database's disk is full"},
    {"57014", ErrorCode::kCancelled, "the statement was cancelled"},
    {"23505", ErrorCode::kConflict, "another record has the same id or name"},
    {"40", ErrorCode::kConflict, "another transaction changed the same records"},
    {"55P03", ErrorCode::kBusy, "another transaction holds a lock"},
    {"23503", ErrorCode::kInvalidArgument,
     "a record refers to one that is not there, or is still referred to"},
    {"23", ErrorCode::kInvalidArgument, "a record breaks a rule of the database"},
    {"22021", ErrorCode::kInvalidArgument, "a text is not valid UTF-8 or contains a NUL character"},
    {"22", ErrorCode::kInvalidArgument, "a value is out of range for the database"},
    {"21", ErrorCode::kInvalidArgument, "the same id was given twice"},
    {"42501", ErrorCode::kPermissionDenied, "the database refused access"},
};

// Postgres' own texts quote values, so only the names of things in our schema are kept.
Error error_of(const PGresult* result, bool connected) {
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  const std::string state = field(PG_DIAG_SQLSTATE);
  ErrorCode code = connected ? ErrorCode::kDatabase : ErrorCode::kDatabaseUnavailable;
  const char* message =
      connected ? "the database refused a statement" : "the connection to the database was lost";
  for (const auto& meaning : kMeanings) {
    if (!state.starts_with(meaning.prefix)) continue;
    code = meaning.code;
    message = meaning.message;
    break;
  }
  std::string cause = "SQLSTATE " + (state.empty() ? "none" : state);
  if (const auto table = field(PG_DIAG_TABLE_NAME); !table.empty()) cause += ", table " + table;
  if (const auto name = field(PG_DIAG_CONSTRAINT_NAME); !name.empty())
    cause += ", constraint " + name;
  return make_error(code, "database.statement", message).with_cause(std::move(cause));
}

Parameter make(SqlType type, std::string bytes) {
  return Parameter{type_oid(type), false, std::move(bytes)};
}

}  // namespace

Oid type_oid(SqlType type) {
  switch (type) {
    case SqlType::kUuid:
      return 2950;
    case SqlType::kText:
      return 25;
    case SqlType::kJson:
      return 114;
    case SqlType::kBigint:
      return 20;
    case SqlType::kDouble:
      return 701;
    case SqlType::kBoolean:
      return 16;
    case SqlType::kTimestamp:
      return 1184;
    case SqlType::kBytes:
      return 17;
  }
  OA_ASSERT(false);
}

Oid array_oid(SqlType type) {
  switch (type) {
    case SqlType::kUuid:
      return 2951;
    case SqlType::kText:
      return 1009;
    case SqlType::kJson:
      return 199;
    case SqlType::kBigint:
      return 1016;
    case SqlType::kDouble:
      return 1022;
    case SqlType::kBoolean:
      return 1000;
    case SqlType::kTimestamp:
      return 1185;
    case SqlType::kBytes:
      return 1001;
  }
  OA_ASSERT(false);
}

void append_be32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

void append_be64(std::string& out, std::uint64_t value) {
  append_be32(out, static_cast<std::uint32_t>(value >> 32));
  append_be32(out, static_cast<std::uint32_t>(value));
}

Parameter Parameter::of(const Uuid& value) {
  return make(SqlType::kUuid, std::string(as_text(value.raw())));
}
Parameter Parameter::of(std::string_view value) { return make(SqlType::kText, std::string(value)); }
Parameter Parameter::of(const JsonText& value) { return json(value.str()); }
Parameter Parameter::json(std::string text) { return make(SqlType::kJson, std::move(text)); }
Parameter Parameter::of(bool value) {
  return make(SqlType::kBoolean, std::string(1, value ? '\1' : '\0'));
}
Parameter Parameter::of(ByteView value) {
  return make(SqlType::kBytes, std::string(as_text(value)));
}

Parameter Parameter::of(std::int64_t value) {
  std::string bytes;
  append_be64(bytes, static_cast<std::uint64_t>(value));
  return make(SqlType::kBigint, std::move(bytes));
}

Parameter Parameter::of(double value) {
  std::string bytes;
  append_be64(bytes, std::bit_cast<std::uint64_t>(value));
  return make(SqlType::kDouble, std::move(bytes));
}

Parameter Parameter::of(Timestamp value) {
  std::string bytes;
  append_be64(bytes, static_cast<std::uint64_t>(value.unix_us) -
                         static_cast<std::uint64_t>(kPostgresEpochUs));
  return make(SqlType::kTimestamp, std::move(bytes));
}

Parameter Parameter::uuids(const std::vector<Uuid>& values) {
  Parameter out{array_oid(SqlType::kUuid), false, {}};
  append_be32(out.bytes, 1);  // dimensions
  append_be32(out.bytes, 0);  // no null in it
  append_be32(out.bytes, type_oid(SqlType::kUuid));
  append_be32(out.bytes, static_cast<std::uint32_t>(values.size()));
  append_be32(out.bytes, 1);  // first index
  for (const auto& value : values) {
    append_be32(out.bytes, 16);
    out.bytes += as_text(value.raw());
  }
  return out;
}

std::uint64_t Rows::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

namespace {

constexpr const char* kOptions = "-c search_path=oa,pg_temp";
// The server, too, is to notice soon that we are gone: it keeps our locks until then.
constexpr const char* kTcpOptions =
    "-c search_path=oa,pg_temp -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 "
    "-c tcp_keepalives_count=3 -c tcp_user_timeout=20000";

// libpq names hosts and roles, and no password.
Error refused(PGconn* connection, const ConnectionSettings& settings, const std::string& role) {
  auto error = make_error(ErrorCode::kDatabaseUnavailable, "database.connect",
                          "the database does not answer");
  if (!settings.tcp.has_value()) {
    return std::move(error)
        .with_hint("check that Postgres runs and that the role may log in")
        .with_cause("role " + role);
  }
  std::string cause = "role " + role + ": ";
  for (const char c : std::string_view(PQerrorMessage(connection))) cause += c == '\n' ? ' ' : c;
  return std::move(error)
      .with_hint("check that the cluster has a leader, that its nodes can be reached, and that the "
                 "passfile has the role's password")
      .with_cause(std::move(cause));
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionSettings& settings,
                                                     const std::string& role) {
  // Named explicitly, so that neither the environment nor a temporary table changes what a name
  // means.
  auto parameters = connection_parameters(settings, role);
  parameters.emplace_back("dbname", settings.database);
  parameters.emplace_back("options", settings.tcp.has_value() ? kTcpOptions : kOptions);
  parameters.emplace_back("client_encoding", "UTF8");
  parameters.emplace_back("connect_timeout", settings.tcp.has_value() ? "5" : "10");
  parameters.emplace_back("application_name", "oa-backup");
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : parameters) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<Connection> connection(
      new Connection(PQconnectdbParams(keys.data(), values.data(), 0)));
  PGconn* raw = connection->connection_.get();
  if (PQstatus(raw) != CONNECTION_OK) return refused(raw, settings, role);
  if (PQsetnonblocking(raw, 1) != 0) return refused(raw, settings, role);
  // A notice can quote values and has no place in our output.
  PQsetNoticeReceiver(
      raw, [](void*, const PGresult*) {}, nullptr);
  return connection;
}

Result<Rows> Connection::checked(PGresult* result) {
  Rows rows(result);
  const auto status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return rows;
  return error_of(result, PQstatus(connection_.get()) == CONNECTION_OK);
}

Status Connection::send(const char* sql, const std::vector<Parameter>& parameters) {
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  const std::vector<int> binary(parameters.size(), 1);
  for (const auto& parameter : parameters) {
    if (parameter.bytes.size() > kMaxParameterBytes) {
      return make_error(ErrorCode::kLimitExceeded, "database.statement",
                        "a value is larger than 512 MiB");
    }
    types.push_back(parameter.type);
    values.push_back(parameter.null ? nullptr : parameter.bytes.data());
    lengths.push_back(static_cast<int>(parameter.bytes.size()));
  }
  if (PQsendQueryParams(connection_.get(), sql, static_cast<int>(parameters.size()), types.data(),
                        values.data(), lengths.data(), binary.data(), 1) == 1) {
    return {};
  }
  return error_of(nullptr, PQstatus(connection_.get()) == CONNECTION_OK);
}

Result<Rows> Connection::receive() { return last_result(); }

Result<Rows> Connection::last_result() {
  PGresult* last = nullptr;
  while (PGresult* result = postgres::next_result(connection_.get())) {
    PQclear(last);
    last = result;
  }
  return checked(last);
}

Result<Rows> Connection::query(const char* sql, const std::vector<Parameter>& parameters) {
  OA_TRY(send(sql, parameters));
  return last_result();
}

Status Connection::for_each_row(const char* sql, const std::vector<Parameter>& parameters,
                                const std::function<Status(const Rows&)>& visit) {
  OA_TRY(send(sql, parameters));
  OA_ASSERT(PQsetSingleRowMode(connection_.get()) == 1);
  Status outcome;
  // To the end also after an error, so that the connection takes the next statement.
  while (PGresult* result = postgres::next_result(connection_.get())) {
    const bool is_row = PQresultStatus(result) == PGRES_SINGLE_TUPLE;
    const auto rows = is_row ? Result<Rows>(Rows(result)) : checked(result);
    if (!outcome.ok()) continue;
    if (!rows.ok()) {
      outcome = rows.error();
    } else if (is_row) {
      outcome = visit(*rows);
    }
  }
  return outcome;
}

Status Connection::execute(const char* sql, const std::vector<Parameter>& parameters) {
  OA_TRY(query(sql, parameters));
  return {};
}

Result<Rows> Connection::script(const std::string& sql) {
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1)
    return error_of(nullptr, PQstatus(connection_.get()) == CONNECTION_OK);
  return last_result();
}

Status Connection::reset() {
  const auto state = PQtransactionStatus(connection_.get());
  if (state == PQTRANS_ACTIVE || state == PQTRANS_UNKNOWN)
    return make_error(ErrorCode::kDatabaseUnavailable, "database.reset", "in use or lost");
  if (state != PQTRANS_IDLE) OA_TRY(script("ROLLBACK"));
  OA_TRY(script("DISCARD ALL"));
  return {};
}

Status Connection::commit() {
  OA_ASSIGN(const Rows rows, script("COMMIT"));
  // COMMIT of a transaction with a failed statement succeeds as a ROLLBACK; nobody may take that
  // for a commit.
  if (std::string_view(PQcmdStatus(rows.get())) == "COMMIT") return {};
  return make_error(ErrorCode::kDatabase, "database.commit",
                    "nothing was saved, because a statement had failed");
}

Status Connection::set_password(const std::string& role, const SecretBytes& password) {
  const std::unique_ptr<char, void (*)(void*)> name(
      PQescapeIdentifier(connection_.get(), role.data(), role.size()), &PQfreemem);
  const std::string text(as_text(password.view()));
  const std::unique_ptr<char, void (*)(void*)> verifier(
      PQencryptPasswordConn(connection_.get(), text.c_str(), role.c_str(), "scram-sha-256"),
      &PQfreemem);
  if (name == nullptr || verifier == nullptr)
    return make_error(ErrorCode::kInternal, "database.password", "libpq cannot prepare a password");
  OA_TRY(script(std::string("ALTER ROLE ") + name.get() + " PASSWORD '" + verifier.get() + "'"));
  return {};
}

}  // namespace oa::catalog
