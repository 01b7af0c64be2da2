#include "file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace oa {

Result<FileLock> FileLock::take(const std::string& name) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error(errno, "key_store.lock", "cannot open " + name);
  FileLock lock(fd);
  const auto until = steady_clock::now() + std::chrono::seconds(30);
  for (milliseconds wait{1}; ::flock(fd, LOCK_EX | LOCK_NB) != 0;
       wait = std::min(2 * wait, milliseconds(50))) {
    if (errno != EINTR && errno != EWOULDBLOCK)
      return errno_error(errno, "key_store.lock", "cannot lock " + name);
    if (steady_clock::now() > until) {
      return make_error(ErrorCode::kBusy, "key_store.lock", "another process changes keys")
          .with_hint("see which one holds " + name);
    }
    std::this_thread::sleep_for(wait);
  }
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace oa
