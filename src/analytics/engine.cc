#include "engine.h"

#include <chrono>
#include <condition_variable>
#include <thread>

#include "csv_rejection.h"
#include "duckdb/common/virtual_file_system.hpp"
#include "sandbox.h"

namespace oa::analytics {
namespace {

constexpr auto kWatchInterval = std::chrono::milliseconds(20);

void lock_down(duckdb::DBConfig& config, Streams& streams, const EngineSettings& settings) {
  // Our files take the place of the local file system, which so does not exist in this instance.
  config.file_system =
      duckdb::make_uniq<duckdb::VirtualFileSystem>(duckdb::make_uniq<VirtualFiles>(streams));
  config.AddAllowedPath(kInputPath);
  config.AddAllowedPath(kOutputPath);
  config.options.temporary_directory = "";
  config.options.use_temporary_directory = false;
  config.options.maximum_memory = settings.memory_bytes;
  config.options.maximum_threads = settings.threads;
  config.SetOptionByName("preserve_insertion_order",
                         duckdb::Value::BOOLEAN(settings.preserve_insertion_order));
  config.options.autoload_known_extensions = false;
  config.options.autoinstall_known_extensions = false;
  config.options.allow_unsigned_extensions = false;
  config.options.allow_community_extensions = false;
  config.SetOptionByName("allow_persistent_secrets", duckdb::Value::BOOLEAN(false));
  config.options.enable_external_access = false;
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

}  // namespace

std::unique_ptr<duckdb::DuckDB> open_engine(Streams& streams, const EngineSettings& settings) {
  duckdb::DBConfig config;
  lock_down(config, streams, settings);
  auto database = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  duckdb::Connection connection(*database);
  // The zone is a setting of a built-in extension, so it cannot be given before it is loaded.
  for (const char* setting : {"SET GLOBAL TimeZone = 'UTC'", "SET lock_configuration = true"}) {
    const auto set = connection.Query(setting);
    if (set->HasError()) set->ThrowError();
  }
  return database;
}

Error engine_error(const duckdb::ErrorData& error, std::string_view work) {
  switch (error.Type()) {
    case duckdb::ExceptionType::OUT_OF_MEMORY:
      return make_error(ErrorCode::kLimitExceeded, "analytics.run",
                        "This needs more memory than " + std::string(work) + " may use")
          .with_hint("Ask for less at once, or make the rows shorter");
    case duckdb::ExceptionType::PERMISSION:
      return make_error(ErrorCode::kPermissionDenied, "analytics.run",
                        "The statement reaches out of its sandbox");
    default:
      break;
  }
  if (auto rejection = csv_rejection(error.RawMessage())) return *std::move(rejection);
  return make_error(ErrorCode::kInternal, "analytics.run",
                    "The query engine could not run the statement")
      .with_cause(duckdb::Exception::ExceptionTypeToString(error.Type()));
}

Status run_watched(const std::function<void()>& work, const std::function<void()>& tick) {
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  std::thread worker;
  try {
    worker = std::thread([&] {
      work();
      const std::lock_guard lock(mutex);
      done = true;
      finished.notify_one();
    });
  } catch (const std::system_error& error) {
    return make_error(ErrorCode::kBusy, "analytics.run", "No thread could be started")
        .with_cause(error.what());
  }
  {
    std::unique_lock lock(mutex);
    while (!finished.wait_for(lock, kWatchInterval, [&] { return done; })) {
      lock.unlock();
      tick();
      lock.lock();
    }
  }
  worker.join();
  return {};
}

std::string sql_literal(std::string_view text) { return quoted(text, '\''); }
std::string sql_identifier(std::string_view name) { return quoted(name, '"'); }

}  // namespace oa::analytics
