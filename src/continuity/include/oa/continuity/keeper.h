// Keeps the promise of continuous backup: receives the write-ahead log, makes backups by schedule,
// expires, verifies, restores for a check, and notes how it went.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "oa/continuity/cell.h"
#include "oa/continuity/schedule.h"
#include "oa/objects/object_store.h"

namespace oa::continuity {

struct KeeperSettings {
  RunSchedule schedule = {};
  /// Of the live server, as libpq wants it; `host` may list several.
  std::string conninfo;
  std::chrono::milliseconds look{1000};  // for runs that are asked for
  /// Told on the keeper's thread when a run has ended, and of what keeps it from its work.
  std::function<void(const catalog::CellRun&)> ended;
  std::function<void(const Error&)> trouble;
};

/// One at a time keeps a cell, whichever process and host it is in (KeeperLock); others stand by.
/// Thread-safe.
class Keeper {
 public:
  /// All that is borrowed must outlive it.
  static Result<std::unique_ptr<Keeper>> start(Cell& cell, catalog::Database& database,
                                               ObjectStore& store, KeeperSettings settings);
  virtual ~Keeper() = default;  // stops: a run that is on its way is interrupted
  /// Looks for runs at once.
  virtual void wake() = 0;
  /// True when this one keeps the cell; then there is a receiver's state.
  virtual bool keeps() const = 0;
  virtual std::optional<wal::ReceiverState> receiver() const = 0;
};

}  // namespace oa::continuity
