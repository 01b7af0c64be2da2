#include "oa/analytics/row_writer.h"

#include <atomic>
#include <charconv>
#include <set>

#include "duckdb/parser/parsed_data/create_table_function_info.hpp"
#include "engine.h"
#include "parquet_layout.h"
#include "sandbox.h"

namespace oa::analytics {
namespace {

constexpr std::size_t kMaxColumns = 2000;  // of all tables together
constexpr std::size_t kMaxTableNameBytes = 63;
constexpr char kRowsFunction[] = "oa_rows";

Error refused(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, "analytics.write", std::move(message));
}

// Precision and scale of "DECIMAL(p,s)".
std::optional<std::pair<std::uint8_t, std::uint8_t>> decimal_of(std::string_view type) {
  if (!type.starts_with("DECIMAL(") || !type.ends_with(")")) return std::nullopt;
  const char* at = type.data() + 8;
  const char* const end = type.data() + type.size() - 1;
  std::uint8_t precision = 0, scale = 0;
  auto parsed = std::from_chars(at, end, precision);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ',') return std::nullopt;
  parsed = std::from_chars(parsed.ptr + 1, end, scale);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  if (precision < 1 || precision > 38 || scale > precision) return std::nullopt;
  return std::pair(precision, scale);
}

Result<duckdb::LogicalType> engine_type(const std::string& type) {
  using duckdb::LogicalType;
  if (type == "BOOLEAN") return LogicalType(LogicalType::BOOLEAN);
  if (type == "BIGINT") return LogicalType(LogicalType::BIGINT);
  if (type == "DOUBLE") return LogicalType(LogicalType::DOUBLE);
  if (type == "DATE") return LogicalType(LogicalType::DATE);
  if (type == "TIMESTAMP") return LogicalType(LogicalType::TIMESTAMP);
  if (type == "TIMESTAMP WITH TIME ZONE") return LogicalType(LogicalType::TIMESTAMP_TZ);
  if (type == "VARCHAR") return LogicalType(LogicalType::VARCHAR);
  if (const auto decimal = decimal_of(type))
    return LogicalType::DECIMAL(decimal->first, decimal->second);
  return refused("A column has a type that rows cannot have: " + type);
}

// One source and its batch under way. Read only when its turn comes: sources may share a
// connection.
struct Table {
  NamedRows named;
  duckdb::vector<duckdb::LogicalType> types;
  RowBatch batch;
  std::uint64_t rows = 0;
};

// What the table function reads; shared with the thread that reports progress.
struct RowsFunction final : duckdb::TableFunctionInfo {
  RowsFunction(std::vector<Table>& row_tables, Streams& engine_streams)
      : tables(row_tables), streams(engine_streams) {}
  std::vector<Table>& tables;
  Streams& streams;
  std::atomic<std::uint64_t> position = 0;  // of all sources together
  std::uint64_t finished = 0;               // position of those that have ended
};

struct BoundTable final : duckdb::TableFunctionData {
  BoundTable(RowsFunction& rows_function, Table& bound_table)
      : function(rows_function), table(bound_table) {}
  RowsFunction& function;
  Table& table;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_rows(duckdb::ClientContext&,
                                                   duckdb::TableFunctionBindInput& input,
                                                   duckdb::vector<duckdb::LogicalType>& types,
                                                   duckdb::vector<std::string>& names) {
  auto& function = input.info->Cast<RowsFunction>();
  Table& table =
      function.tables.at(static_cast<std::size_t>(input.inputs.at(0).GetValue<std::int32_t>()));
  types = table.types;
  for (const Column& column : table.named.rows->columns()) names.push_back(column.name);
  return duckdb::make_uniq<BoundTable>(function, table);
}

template <class To, class From>
void copy_cells(const std::vector<From>& from, duckdb::Vector& to) {
  To* out = duckdb::FlatVector::GetData<To>(to);
  for (std::size_t i = 0; i < from.size(); ++i) out[i] = static_cast<To>(from[i]);
}

void copy_decimals(const std::vector<Int128>& from, duckdb::Vector& to) {
  switch (to.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16:
      return copy_cells<std::int16_t>(from, to);
    case duckdb::PhysicalType::INT32:
      return copy_cells<std::int32_t>(from, to);
    case duckdb::PhysicalType::INT64:
      return copy_cells<std::int64_t>(from, to);
    default:
      break;
  }
  auto* out = duckdb::FlatVector::GetData<duckdb::hugeint_t>(to);
  for (std::size_t i = 0; i < from.size(); ++i) {
    out[i].lower = static_cast<std::uint64_t>(from[i]);
    out[i].upper = static_cast<std::int64_t>(from[i] >> 64);
  }
}

void copy_texts(const RowBatch::Cells& cells, duckdb::Vector& to, Streams& streams) {
  auto* out = duckdb::FlatVector::GetData<duckdb::string_t>(to);
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < cells.text_end.size(); ++i) {
    const std::string_view text(cells.text.data() + begin, cells.text_end[i] - begin);
    begin = cells.text_end[i];
    if (!cells.valid[i]) continue;
    if (!is_utf8(text)) streams.fail(refused("A source gave text that is not UTF-8"));
    out[i] = duckdb::StringVector::AddString(to, text.data(), text.size());
  }
}

void copy_column(const RowBatch::Cells& cells, duckdb::Vector& to, Streams& streams) {
  switch (to.GetType().id()) {
    case duckdb::LogicalTypeId::VARCHAR:
      copy_texts(cells, to, streams);
      break;
    case duckdb::LogicalTypeId::DOUBLE:
      copy_cells<double>(cells.reals, to);
      break;
    case duckdb::LogicalTypeId::DECIMAL:
      copy_decimals(cells.decimals, to);
      break;
    case duckdb::LogicalTypeId::BOOLEAN:
      copy_cells<bool>(cells.integers, to);
      break;
    case duckdb::LogicalTypeId::DATE:
      copy_cells<std::int32_t>(cells.integers, to);
      break;
    default:
      copy_cells<std::int64_t>(cells.integers, to);
      break;
  }
  auto& validity = duckdb::FlatVector::Validity(to);
  for (std::size_t i = 0; i < cells.valid.size(); ++i) {
    if (!cells.valid[i]) validity.SetInvalid(i);
  }
}

void next_rows(duckdb::ClientContext&, duckdb::TableFunctionInput& input,
               duckdb::DataChunk& output) {
  const auto& bound = input.bind_data->Cast<BoundTable>();
  RowsFunction& function = bound.function;
  Table& table = bound.table;
  if (function.streams.stop) throw duckdb::InterruptException();
  table.batch.clear();
  const Status read = table.named.rows->next(table.batch);
  if (!read.ok()) function.streams.fail(read.error());
  const RowBatch& batch = table.batch;
  for (std::size_t i = 0; i < output.ColumnCount(); ++i)
    copy_column(batch.columns()[i], output.data[i], function.streams);
  output.SetCardinality(batch.rows());
  table.rows += batch.rows();
  const std::uint64_t position = table.named.rows->position();
  function.position = function.finished + position;
  if (batch.rows() == 0) function.finished += position;
}

void register_rows(duckdb::Connection& connection, duckdb::shared_ptr<RowsFunction> rows) {
  duckdb::TableFunction function(kRowsFunction, {duckdb::LogicalType::INTEGER}, next_rows,
                                 bind_rows);
  function.function_info = std::move(rows);
  duckdb::CreateTableFunctionInfo info(function);
  connection.context->RunFunctionInTransaction([&] {
    duckdb::Catalog::GetSystemCatalog(*connection.context)
        .CreateTableFunction(*connection.context, info);
  });
}

bool is_table_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kMaxTableNameBytes &&
         !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, fits);
}

Status check_names(const std::vector<NamedRows>& tables) {
  if (tables.empty() || tables.size() > kMaxTables)
    return refused("Rows come from 1 to " + std::to_string(kMaxTables) + " tables");
  std::set<std::string> names;
  std::size_t columns = 0;
  for (const NamedRows& table : tables) {
    columns += table.rows->columns().size();
    if (table.rows->columns().empty()) return refused("A table has no columns");
    std::set<std::string> column_names;
    for (const Column& column : table.rows->columns()) {
      if (!column_names.insert(duckdb::StringUtil::Lower(column.name)).second)
        return refused("The table " + table.name + " has two columns of one name, but for their case")
            .with_hint("rename one of them in the source, or read a view that does");
    }
    if (tables.size() == 1) continue;
    if (!is_table_name(table.name) || !names.insert(duckdb::StringUtil::Lower(table.name)).second)
      return refused("A table's name is not an identifier, or is there twice");
  }
  if (columns <= kMaxColumns) return {};
  return make_error(ErrorCode::kLimitExceeded, "analytics.write",
                    "The rows have more than " + std::to_string(kMaxColumns) + " columns");
}

Result<std::vector<Table>> open_tables(std::vector<NamedRows> named) {
  OA_TRY(check_names(named));
  std::vector<Table> tables;
  for (NamedRows& each : named) {
    RowBatch batch(each.rows->columns());
    Table table{std::move(each), {}, std::move(batch), 0};
    for (const Column& column : table.named.rows->columns()) {
      OA_ASSIGN(auto type, engine_type(column.type));
      table.types.push_back(std::move(type));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

// The columns of the file: those of one table as they are, those of several one after another.
std::vector<Column> columns_of(const std::vector<Table>& tables) {
  if (tables.size() == 1) return tables[0].named.rows->columns();
  std::vector<Column> columns{{kTableColumn, "UTINYINT"}};
  for (const Table& table : tables) {
    for (const Column& column : table.named.rows->columns())
      columns.push_back({table.named.name + "." + column.name, column.type});
  }
  return columns;
}

std::string copy_statement(const std::vector<Table>& tables, const ParquetLayout& layout) {
  std::string rows;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const std::string from = std::string(kRowsFunction) + "(" + std::to_string(t) + ")";
    if (tables.size() == 1) {
      rows = "FROM " + from;
      break;
    }
    rows += (t == 0 ? "SELECT " : " UNION ALL SELECT ") + std::to_string(t) + "::UTINYINT AS " +
            sql_identifier(kTableColumn);
    for (std::size_t other = 0; other < tables.size(); ++other) {
      for (const Column& column : tables[other].named.rows->columns()) {
        rows += ", " + (other == t ? sql_identifier(column.name) : "NULL::" + column.type) +
                " AS " + sql_identifier(tables[other].named.name + "." + column.name);
      }
    }
    rows += " FROM " + from;
  }
  return "COPY (" + rows + ") TO " + sql_literal(kOutputPath) + " " + layout.options;
}

// Runs the COPY and gives its row count.
Result<std::uint64_t> copy_rows(std::vector<Table>& tables, ObjectWriter& version,
                                std::uint64_t& written, Progress& progress) {
  const ParquetLayout layout = stream_layout(columns_of(tables).size());
  Streams streams;
  streams.output = &version;
  try {
    EngineSettings settings;
    settings.threads = layout.threads;
    settings.preserve_insertion_order = false;
    const auto database = open_engine(streams, settings);
    duckdb::Connection connection(*database);
    const auto function = duckdb::make_shared_ptr<RowsFunction>(tables, streams);
    register_rows(connection, function);
    duckdb::unique_ptr<duckdb::QueryResult> result;
    duckdb::ErrorData failure;
    OA_TRY(run_watched(
        [&] {
          try {
            result = connection.Query(copy_statement(tables, layout));
          } catch (const std::exception& error) {
            failure = duckdb::ErrorData(error);
          }
        },
        [&] {
          progress.update(function->position);
          if (!progress.cancelled()) return;
          streams.stop = true;
          connection.Interrupt();
        }));
    if (streams.stop || progress.cancelled())
      return make_error(ErrorCode::kCancelled, "analytics.write", "The import was cancelled");
    if (result != nullptr && result->HasError()) failure = result->GetErrorObject();
    if (streams.failure) return *streams.failure;
    if (failure.HasError()) return engine_error(failure, settings.work);
    progress.update(function->position);
    written = streams.written;
    return result->Fetch()->GetValue(0, 0).GetValue<std::uint64_t>();
  } catch (const std::exception& error) {
    return engine_error(duckdb::ErrorData(error), EngineSettings().work);
  }
}

}  // namespace

Result<ImportResult> write_rows(SealedObjects& objects, std::vector<NamedRows> named,
                                const ObjectKey& target, std::uint64_t total, std::string_view unit,
                                Progress& progress) {
  progress.begin("import", total, unit);
  OA_ASSIGN(std::vector<Table> tables, open_tables(std::move(named)));
  OA_ASSIGN(const auto version, objects.create(target));
  ImportResult result;
  OA_ASSIGN(result.rows.row_count, copy_rows(tables, *version, result.parquet_bytes, progress));
  std::uint64_t given = 0;
  for (const Table& table : tables) given += table.rows;
  if (given != result.rows.row_count) {
    return make_error(ErrorCode::kInternal, "analytics.write",
                      "The query engine wrote " + std::to_string(result.rows.row_count) + " of " +
                          std::to_string(given) + " rows");
  }
  result.rows.columns = columns_of(tables);
  OA_ASSIGN(result.version, version->commit());
  return result;
}

std::vector<TableSchema> tables_of(const std::vector<Column>& columns,
                                   const std::string& single_name) {
  if (columns.empty() || columns[0] != Column{kTableColumn, "UTINYINT"})
    return {{single_name, columns}};
  std::vector<TableSchema> tables;
  for (std::size_t i = 1; i < columns.size(); ++i) {
    const std::size_t dot = columns[i].name.find('.');
    const std::string table = columns[i].name.substr(0, dot);
    if (tables.empty() || tables.back().name != table) tables.push_back({table, {}});
    tables.back().columns.push_back(
        {dot == std::string::npos ? "" : columns[i].name.substr(dot + 1), columns[i].type});
  }
  return tables;
}

}  // namespace oa::analytics
