// How a DuckDB of ours is set up, and how its failures read. Includes DuckDB: for this module's
// engines alone.
#pragma once

#include <functional>

#include "duckdb.hpp"
#include "oa/base/result.h"
#include "virtual_files.h"

namespace oa::analytics {

struct EngineSettings {
  unsigned threads = 2;  // of its own pool, the calling thread included
  // Without it, a row group can be bounded by bytes; one thread keeps the order all the same.
  bool preserve_insertion_order = true;
  std::uint64_t memory_bytes = std::uint64_t{512} << 20;
  // What the errors call the work: "An import".
  std::string_view work = "an import";
};

/// An in-memory database whose only file system is `streams` (which must outlive it): no temporary
/// folder, no extensions from outside, UTC, configuration locked. Throws what DuckDB throws.
std::unique_ptr<duckdb::DuckDB> open_engine(Streams& streams, const EngineSettings& settings);

/// The engine's error in our terms, without its text, which may quote cells.
Error engine_error(const duckdb::ErrorData& error, std::string_view work);

/// Runs `work` on a thread of its own; meanwhile the calling thread calls `tick` every 20 ms.
/// kBusy when no thread can be started.
Status run_watched(const std::function<void()>& work, const std::function<void()>& tick);

}  // namespace oa::analytics
