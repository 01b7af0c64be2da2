// Keeps other processes of this machine, and other threads, from changing something at the same
// time.
#pragma once

#include <string>
#include <utility>

#include "oa/base/result.h"

namespace oa {

/// Held while it lives, and ended by the kernel when the process dies. Movable.
class FileLock {
 public:
  /// Makes the file `name` when there is none. kBusy when another holds it for 30 s.
  static Result<FileLock> take(const std::string& name);
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace oa
