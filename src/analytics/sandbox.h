// One in-memory DuckDB that can reach nothing but the two streams it was given.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/io.h"
#include "oa/base/progress.h"

namespace oa::analytics {

/// The only two paths that exist inside.
inline constexpr char kInputPath[] = "oa://in/0";    // a RangedSource, read-only
inline constexpr char kOutputPath[] = "oa://out/0";  // a ByteSink, written once and in order

// Of the engine. More would help on larger machines but each one holds row groups in memory.
inline constexpr unsigned kSandboxThreads = 2;

using Cell = std::optional<std::string>;  // a value as text; NULL is empty
using Rows = std::vector<std::vector<Cell>>;

/// A locked-down DuckDB: no local file system, no temporary folder, no extensions from outside,
/// configuration locked. Not thread-safe; it runs threads of its own.
class Sandbox {
 public:
  /// Borrows both streams, either of which may be null (its path then does not exist).
  static Result<std::unique_ptr<Sandbox>> create(const RangedSource* input, ByteSink* output,
                                                 unsigned threads = kSandboxThreads);
  ~Sandbox();

  /// Runs one statement whose answer is small; reports the furthest input byte read to `progress`
  /// from the calling thread and stops the statement when it is cancelled. Errors: what a stream
  /// reported, kCancelled, kLimitExceeded (memory), kPermissionDenied (locked down),
  /// kImportRejected (CSV), else kInternal. None holds a value of a cell.
  Result<Rows> run(const std::string& sql, Progress& progress);

  std::uint64_t bytes_written() const;

 private:
  struct State;
  explicit Sandbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The one number that the answer of a count is.
std::uint64_t to_count(const Rows& answer);
std::string sql_literal(std::string_view text);
std::string sql_identifier(std::string_view name);

}  // namespace oa::analytics
