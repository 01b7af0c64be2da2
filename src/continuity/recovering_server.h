// A server that recovers, from its start to the target.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "fetch_ahead.h"
#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/continuity/scratch_cluster.h"
#include "oa/wal/restore_server.h"
#include "recovery_settings.h"
#include "sql_session.h"

namespace oa::continuity {

/// Runs on the files in `layout.data`; ended at once, without a checkpoint, when this object ends
/// before stop(). The server ends with the thread that started it.
class RecoveringServer {
 public:
  /// `repository` and `log` are borrowed for as long as it runs.
  static Result<std::unique_ptr<RecoveringServer>> start(
      const Repository& repository, const LogSource& log, const ScratchLayout& layout,
      const catalog::ConnectionSettings& settings, RecoveryPlan plan);
  ~RecoveringServer();
  RecoveringServer(const RecoveringServer&) = delete;
  RecoveringServer& operator=(const RecoveringServer&) = delete;

  /// Until the target is reached; the timeline of the result is the new one after a promotion, else
  /// none. Progress in bytes from `from` to `until`.
  Result<Reached> wait(std::chrono::seconds timeout, wal::Lsn from, wal::Lsn until,
                       Progress& progress);
  /// After wait(): ends a pause at the target, on a timeline of its own that nobody archives, and
  /// lets write. kTimeout.
  Status promote();
  Status stop();

 private:
  RecoveringServer(ScratchLayout layout, catalog::ConnectionSettings settings, RecoveryPlan plan);
  std::optional<Reached> see();
  Error why_it_ended() const;
  void report(wal::Lsn at);
  bool has_moved();
  void end(int how);

  ScratchLayout layout_;
  catalog::ConnectionSettings settings_;
  RecoveryPlan plan_;
  std::unique_ptr<FetchAhead> ahead_;
  std::unique_ptr<wal::RestoreServer> log_;  // asks it
  pid_t server_ = 0;
  std::optional<SqlSession> session_;
  Progress* progress_ = nullptr;
  wal::Lsn from_, until_, reported_, seen_;
  std::string segment_;
};

}  // namespace oa::continuity
