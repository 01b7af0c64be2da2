#include "sandbox.h"

#include <charconv>

#include "engine.h"

namespace oa::analytics {
namespace {

// Two threads that each hold a row group (see csv_import.cc) and the CSV reader's 32 MiB buffers
// fit into its memory; small enough that a few imports at a time fit beside the service. Nothing
// spills: past it the statement fails.
EngineSettings import_engine(unsigned threads) {
  EngineSettings settings;
  settings.threads = threads;
  return settings;
}

Rows to_rows(duckdb::MaterializedQueryResult& result) {
  Rows rows(result.RowCount());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < result.ColumnCount(); ++column) {
      const duckdb::Value value = result.GetValue(column, row);
      rows[row].push_back(value.IsNull() ? Cell() : Cell(value.ToString()));
    }
  }
  return rows;
}

}  // namespace

struct Sandbox::State {
  State(const RangedSource* input, ByteSink* output, unsigned threads) {
    streams.input = input;
    streams.output = output;
    database = open_engine(streams, import_engine(threads));
    connection = std::make_unique<duckdb::Connection>(*database);
  }

  Result<Rows> query(const std::string& sql) {
    try {
      const auto result = connection->Query(sql);
      if (result->HasError()) return failure_of(result->GetErrorObject());
      return to_rows(*result);
    } catch (const std::exception& error) {
      return failure_of(duckdb::ErrorData(error));
    }
  }

  Error failure_of(const duckdb::ErrorData& error) {
    const std::lock_guard lock(streams.mutex);
    return streams.failure ? *streams.failure : engine_error(error, EngineSettings().work);
  }

  Streams streams;  // outlives the database, which reads it
  std::unique_ptr<duckdb::DuckDB> database;
  std::unique_ptr<duckdb::Connection> connection;
};

Sandbox::Sandbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sandbox::~Sandbox() = default;

Result<std::unique_ptr<Sandbox>> Sandbox::create(const RangedSource* input, ByteSink* output,
                                                 unsigned threads) {
  try {
    return std::unique_ptr<Sandbox>(new Sandbox(std::make_unique<State>(input, output, threads)));
  } catch (const std::exception& error) {
    return make_error(ErrorCode::kInternal, "analytics.open", "The query engine did not start")
        .with_cause(error.what());
  }
}

Result<Rows> Sandbox::run(const std::string& sql, Progress& progress) {
  const auto cancelled = [] {
    return make_error(ErrorCode::kCancelled, "analytics.run", "The import was cancelled");
  };
  if (progress.cancelled()) return cancelled();
  state_->streams.read_end = 0;

  std::optional<Result<Rows>> answer;
  std::uint64_t reported = 0;
  OA_TRY(run_watched([&] { answer = state_->query(sql); },
                     [&] {
                       const std::uint64_t read_end = state_->streams.read_end;
                       if (read_end > reported) progress.update(reported = read_end);
                       if (!progress.cancelled()) return;
                       // Reads fail too, for while it binds a statement the engine does not look at
                       // the interrupt.
                       state_->streams.stop = true;
                       state_->connection->Interrupt();
                     }));
  if (state_->streams.stop || progress.cancelled()) return cancelled();
  if (answer->ok() && state_->streams.read_end > reported)
    progress.update(state_->streams.read_end);
  return std::move(*answer);
}

std::uint64_t Sandbox::bytes_written() const { return state_->streams.written; }

std::uint64_t to_count(const Rows& answer) {
  OA_ASSERT(answer.size() == 1 && answer[0].size() == 1 && answer[0][0].has_value());
  const std::string& text = *answer[0][0];
  std::uint64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  OA_ASSERT(parsed.ec == std::errc());
  return count;
}

}  // namespace oa::analytics
