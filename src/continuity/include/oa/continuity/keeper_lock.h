// Who has it keeps the cell: one process at a time, on whichever host.
#pragma once

#include <optional>
#include <string>

#include "oa/catalog/database.h"
#include "oa/continuity/cell.h"

namespace oa::continuity {

/// Two locks, since there are two things that one alone may use. That of the cell's folder (flock(2))
/// is for repository and received log, and holds while the database fails over. That of the database
/// (an advisory lock of a session) is for its queue of runs and its slot, and reaches hosts that do
/// not share the folder; it goes with the session, so it is to be looked at again. Borrows the
/// database. Not thread-safe.
class KeeperLock {
 public:
  KeeperLock(const Cell& cell, catalog::Database& database);
  ~KeeperLock();
  KeeperLock(const KeeperLock&) = delete;
  KeeperLock& operator=(const KeeperLock&) = delete;

  /// Takes what is not held of the two; false when somebody else has one of them. kIo,
  /// kDatabaseUnavailable: then that of the folder may be held all the same.
  Result<bool> take();
  /// Of the folder alone.
  bool has_folder() const { return locked_; }
  /// Lets both go.
  void release();

 private:
  Result<bool> take_database();
  const std::string path_;
  catalog::Database& database_;
  int fd_ = -1;
  bool locked_ = false;
  std::optional<catalog::SessionLock> session_;
};

}  // namespace oa::continuity
