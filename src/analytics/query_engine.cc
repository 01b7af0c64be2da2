#include "oa/analytics/query_engine.h"

#include <mutex>

#include "engine.h"
#include "oa/analytics/row_writer.h"
#include "sandbox.h"

namespace oa::analytics {
namespace {

// Of all statements of one engine that run at once. Nothing spills: past it a statement fails.
constexpr std::uint64_t kMemoryBytes = std::uint64_t{1} << 30;
constexpr std::string_view kWork = "a query";

Error query_error(ErrorCode code, std::string message, std::string hint) {
  return make_error(code, "analytics.query", std::move(message)).with_hint(std::move(hint));
}

Error failure_of(const duckdb::ErrorData& error) {
  switch (error.Type()) {
    case duckdb::ExceptionType::OUT_OF_RANGE:
      return query_error(ErrorCode::kQueryInvalid, "A number is too large for its type",
                         "Ask for an average, or filter so that fewer rows are added up")
          .with_cause(duckdb::Exception::ExceptionTypeToString(error.Type()));
    case duckdb::ExceptionType::CONVERSION:
    case duckdb::ExceptionType::DIVIDE_BY_ZERO:
    case duckdb::ExceptionType::INVALID_INPUT:
    case duckdb::ExceptionType::MISMATCH_TYPE:
      return query_error(ErrorCode::kQueryInvalid, "A value of the query does not fit its column",
                         "Check the filters' values against the columns' types")
          .with_cause(duckdb::Exception::ExceptionTypeToString(error.Type()));
    default:
      return engine_error(error, kWork);
  }
}

CellKind kind_of(const duckdb::LogicalType& type) {
  using enum duckdb::LogicalTypeId;
  switch (type.id()) {
    case BOOLEAN:
      return CellKind::kBoolean;
    case DOUBLE:
    case FLOAT:
      return CellKind::kReal;
    case DECIMAL:
      return CellKind::kDecimal;
    case DATE:
      return CellKind::kDate;
    case TIMESTAMP:
    case TIMESTAMP_SEC:
    case TIMESTAMP_MS:
    case TIMESTAMP_NS:
    case TIMESTAMP_TZ:
      return CellKind::kTimestamp;
    default:
      return type.IsIntegral() ? CellKind::kInteger : CellKind::kText;
  }
}

std::string timestamp_text(const duckdb::Value& value) {
  std::string text = duckdb::Timestamp::ToString(
      value.DefaultCastAs(duckdb::LogicalType::TIMESTAMP).GetValue<duckdb::timestamp_t>());
  if (const std::size_t space = text.find(' '); space != std::string::npos) text[space] = 'T';
  return value.type().id() == duckdb::LogicalTypeId::TIMESTAMP_TZ ? text + "Z" : text;
}

Value to_cell(const duckdb::Value& value, CellKind kind) {
  if (value.IsNull()) return {};
  switch (kind) {
    case CellKind::kBoolean:
      return value.GetValue<bool>();
    case CellKind::kInteger: {
      duckdb::Value integer;
      if (!value.DefaultTryCastAs(duckdb::LogicalType::BIGINT, integer, nullptr))
        throw duckdb::OutOfRangeException("an integer past 64 bits");
      return integer.GetValue<std::int64_t>();
    }
    case CellKind::kReal:
      return value.GetValue<double>();
    case CellKind::kTimestamp:
      return timestamp_text(value);
    default:
      return value.ToString();
  }
}

duckdb::Value to_engine(const Value& value) {
  return std::visit(
      [](const auto& held) -> duckdb::Value {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>) return duckdb::Value();
        if constexpr (std::is_same_v<Held, bool>) return duckdb::Value::BOOLEAN(held);
        if constexpr (std::is_same_v<Held, std::int64_t>) return duckdb::Value::BIGINT(held);
        if constexpr (std::is_same_v<Held, double>) return duckdb::Value::DOUBLE(held);
        if constexpr (std::is_same_v<Held, std::string>) return duckdb::Value(held);
      },
      value);
}

std::size_t bytes_of(const Value& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return sizeof(Value) + (text == nullptr ? 0 : text->size());
}

// One statement, run on one thread. Throws what DuckDB throws.
Result<Answer> execute(duckdb::Connection& connection, const Statement& statement,
                       const QueryLimits& limits) {
  const auto prepared = connection.Prepare(statement.sql);
  if (prepared->HasError()) return failure_of(prepared->error);
  if (prepared->GetStatementType() != duckdb::StatementType::SELECT_STATEMENT) {
    return query_error(ErrorCode::kPermissionDenied, "Only a SELECT may be asked", "");
  }
  duckdb::vector<duckdb::Value> parameters;
  for (const Value& value : statement.parameters) parameters.push_back(to_engine(value));
  const auto result = prepared->Execute(parameters, true);
  if (result->HasError()) return failure_of(result->GetErrorObject());

  Answer answer;
  for (std::size_t i = 0; i < result->ColumnCount(); ++i)
    answer.columns.push_back({result->names[i], kind_of(result->types[i]), {}});
  std::uint64_t bytes = 0;
  while (const auto chunk = result->Fetch()) {
    if (chunk->size() == 0) break;
    answer.row_count += chunk->size();
    if (answer.row_count > limits.max_rows) {
      return query_error(ErrorCode::kQueryTooManyRows,
                         "The answer has more than " + std::to_string(limits.max_rows) + " rows",
                         "Filter, use fewer dimensions or set a limit");
    }
    for (std::size_t column = 0; column < answer.columns.size(); ++column) {
      auto& out = answer.columns[column];
      for (std::size_t row = 0; row < chunk->size(); ++row) {
        out.cells.push_back(to_cell(chunk->GetValue(column, row), out.kind));
        bytes += bytes_of(out.cells.back());
      }
    }
    if (bytes > limits.max_bytes) {
      return query_error(ErrorCode::kLimitExceeded,
                         "The answer is larger than " + format_size(limits.max_bytes),
                         "Filter, use fewer dimensions or set a limit");
    }
  }
  if (result->HasError()) return failure_of(result->GetErrorObject());
  return answer;
}

std::string view_statement(const std::vector<TableSchema>& tables, std::size_t index) {
  const TableSchema& table = tables[index];
  const std::string view = "CREATE VIEW " + sql_identifier(table.name) + " AS ";
  const std::string rows = "read_parquet(" + sql_literal(kInputPath) + ")";
  if (tables.size() == 1) return view + "FROM " + rows;
  std::string columns;
  for (const Column& column : table.columns) {
    columns += (columns.empty() ? "" : ", ") + sql_identifier(table.name + "." + column.name) +
               " AS " + sql_identifier(column.name);
  }
  return view + "SELECT " + columns + " FROM " + rows + " WHERE " + sql_identifier(kTableColumn) +
         " = " + std::to_string(index);
}

}  // namespace

std::string_view to_text(CellKind kind) {
  switch (kind) {
    case CellKind::kBoolean:
      return "boolean";
    case CellKind::kInteger:
      return "integer";
    case CellKind::kReal:
      return "real";
    case CellKind::kDecimal:
      return "decimal";
    case CellKind::kDate:
      return "date";
    case CellKind::kTimestamp:
      return "timestamp";
    case CellKind::kText:
      return "text";
  }
  return "";
}

std::string engine_release() {
  const std::string version = duckdb::DuckDB::LibraryVersion();  // "v1.4.4"
  return "duckdb " + version.substr(version.starts_with('v') ? 1 : 0);
}

struct QueryEngine::State {
  // An idle connection, or a new one.
  std::unique_ptr<duckdb::Connection> take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<duckdb::Connection>(*database);
    auto connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }
  void give_back(std::unique_ptr<duckdb::Connection> connection) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(connection));
  }
  // The first error of the rows' source, which the engine's own error only stands for.
  std::optional<Error> stream_failure() {
    const std::lock_guard lock(streams.mutex);
    return streams.failure;
  }

  Streams streams;  // outlives the database, which reads it
  std::unique_ptr<duckdb::DuckDB> database;
  std::mutex mutex;  // guards what follows
  std::vector<std::unique_ptr<duckdb::Connection>> idle;
};

QueryEngine::QueryEngine(std::unique_ptr<State> state) : state_(std::move(state)) {}
QueryEngine::~QueryEngine() = default;

Result<std::unique_ptr<QueryEngine>> QueryEngine::open(const RangedSource& rows,
                                                       const std::vector<TableSchema>& tables) {
  auto state = std::make_unique<State>();
  state->streams.input = &rows;
  try {
    EngineSettings settings;
    settings.threads = 1;
    settings.memory_bytes = kMemoryBytes;
    state->database = open_engine(state->streams, settings);
    auto connection = state->take();
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const auto made = connection->Query(view_statement(tables, i));
      if (!made->HasError()) continue;
      if (auto failure = state->stream_failure()) return *std::move(failure);
      return make_error(ErrorCode::kInvalidArgument, "analytics.query",
                        "The stored version does not hold these tables")
          .with_cause(duckdb::Exception::ExceptionTypeToString(made->GetErrorObject().Type()));
    }
    state->give_back(std::move(connection));
  } catch (const std::exception& error) {
    return make_error(ErrorCode::kInternal, "analytics.query", "The query engine did not start")
        .with_cause(duckdb::Exception::ExceptionTypeToString(duckdb::ErrorData(error).Type()));
  }
  return std::unique_ptr<QueryEngine>(new QueryEngine(std::move(state)));
}

Result<Answer> QueryEngine::run(const Statement& statement, const QueryLimits& limits,
                                Progress& progress) {
  const auto deadline = std::chrono::steady_clock::now() + limits.timeout;
  auto connection = state_->take();
  std::optional<Result<Answer>> answer;
  bool timed_out = false;
  OA_TRY(run_watched(
      [&] {
        try {
          answer = execute(*connection, statement, limits);
        } catch (const std::exception& error) {
          answer = failure_of(duckdb::ErrorData(error));
        }
      },
      [&] {
        timed_out = timed_out || std::chrono::steady_clock::now() >= deadline;
        if (timed_out || progress.cancelled()) connection->Interrupt();
      }));
  if (!answer->ok() && progress.cancelled())
    return query_error(ErrorCode::kCancelled, "The query was cancelled", "");
  if (!answer->ok() && timed_out) {
    return query_error(
        ErrorCode::kQueryTimeout,
        "The query took longer than " + std::to_string(limits.timeout.count()) + " ms",
        "Filter, use fewer dimensions or refresh fewer rows");
  }
  if (!answer->ok()) {
    if (auto failure = state_->stream_failure()) return *std::move(failure);
  }
  state_->give_back(std::move(connection));
  return std::move(*answer);
}

}  // namespace oa::analytics
