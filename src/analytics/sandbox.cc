#include "sandbox.h"

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "csv_rejection.h"
#include "duckdb/common/virtual_file_system.hpp"
#include "virtual_files.h"

namespace oa::analytics {
namespace {

// Enough for two threads that each hold a row group (see csv_import.cc) and the CSV reader's 32 MiB
// buffers; small enough that a few imports at a time fit beside the service. Nothing spills: past
// it the statement fails.
constexpr std::uint64_t kMemoryLimitBytes = std::uint64_t{512} << 20;
constexpr auto kWatchInterval = std::chrono::milliseconds(20);

void lock_down(duckdb::DBConfig& config, Streams& streams, unsigned threads) {
  // Our files take the place of the local file system, which so does not exist in this instance.
  config.file_system =
      duckdb::make_uniq<duckdb::VirtualFileSystem>(duckdb::make_uniq<VirtualFiles>(streams));
  config.AddAllowedPath(kInputPath);
  config.AddAllowedPath(kOutputPath);
  config.options.temporary_directory = "";
  config.options.use_temporary_directory = false;
  config.options.maximum_memory = kMemoryLimitBytes;
  config.options.maximum_threads = threads;
  config.options.autoload_known_extensions = false;
  config.options.autoinstall_known_extensions = false;
  config.options.allow_unsigned_extensions = false;
  config.options.allow_community_extensions = false;
  config.SetOptionByName("allow_persistent_secrets", duckdb::Value::BOOLEAN(false));
  config.options.enable_external_access = false;
  config.options.lock_configuration = true;
}

Error engine_error(const duckdb::ErrorData& error) {
  switch (error.Type()) {
    case duckdb::ExceptionType::OUT_OF_MEMORY:
      return make_error(ErrorCode::kLimitExceeded, "analytics.run",
                        "The rows need more memory than an import may use")
          .with_hint("Make the rows shorter or split the file by columns");
    case duckdb::ExceptionType::PERMISSION:
      return make_error(ErrorCode::kPermissionDenied, "analytics.run",
                        "The statement reaches out of its sandbox");
    default:
      break;
  }
  if (auto rejection = csv_rejection(error.RawMessage())) return *std::move(rejection);
  // The engine's own text may quote cells, so that only its kind goes on.
  return make_error(ErrorCode::kInternal, "analytics.run",
                    "The query engine could not run the statement")
      .with_cause(duckdb::Exception::ExceptionTypeToString(error.Type()));
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
    duckdb::DBConfig config;
    lock_down(config, streams, threads);
    database = std::make_unique<duckdb::DuckDB>(nullptr, &config);
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
    return streams.failure ? *streams.failure : engine_error(error);
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

  std::mutex mutex;
  std::condition_variable finished;
  std::optional<Result<Rows>> answer;
  std::thread worker;
  try {
    worker = std::thread([&] {
      auto result = state_->query(sql);
      const std::lock_guard lock(mutex);
      answer = std::move(result);
      finished.notify_one();
    });
  } catch (const std::system_error& error) {
    return make_error(ErrorCode::kBusy, "analytics.run", "No thread could be started")
        .with_cause(error.what());
  }

  std::uint64_t reported = 0;
  {
    std::unique_lock lock(mutex);
    while (!finished.wait_for(lock, kWatchInterval, [&] { return answer.has_value(); })) {
      lock.unlock();
      const std::uint64_t read_end = state_->streams.read_end;
      if (read_end > reported) progress.update(reported = read_end);
      if (progress.cancelled()) {
        // Reads fail too, for while it binds a statement the engine does not look at the interrupt.
        state_->streams.stop = true;
        state_->connection->Interrupt();
      }
      lock.lock();
    }
  }
  worker.join();
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

std::string sql_literal(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'') literal += '\'';
    literal += c;
  }
  return literal += '\'';
}

}  // namespace oa::analytics
