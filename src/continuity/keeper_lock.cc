#include "oa/continuity/keeper_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace oa::continuity {

KeeperLock::KeeperLock(const Cell& cell, catalog::Database& database)
    : path_(cell.folder() + "/keeper.lock"), database_(database) {}

KeeperLock::~KeeperLock() { release(); }

Result<bool> KeeperLock::take() {
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) return errno_error(errno, "cell.keep", "the lock of the cell: " + path_);
  if (!locked_) locked_ = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  if (!locked_) return false;
  return take_database();
}

Result<bool> KeeperLock::take_database() {
  if (session_.has_value() && session_->holds()) return true;
  session_.reset();
  OA_ASSIGN(session_, database_.lock_session(catalog::kKeeperLock));
  return session_.has_value();
}

void KeeperLock::release() {
  session_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  locked_ = false;
}

}  // namespace oa::continuity
