// Running Postgres' programs as children: with an account, without privileges, and never longer
// than ourselves.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oa/base/bytes.h"
#include "oa/base/result.h"

namespace oa::postgres {

/// Whom the server runs as.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  bool other = false;  // not the one we run as
};

/// The account `postgres` when we are root (Postgres refuses to run as root), else our own;
/// kNotFound.
Result<Account> server_account();
/// The name of the account we run as.
Result<std::string> own_account_name();

/// The folder with initdb and postgres of version 15; kNotFound.
Result<std::string> find_postgres_programs();

/// A file of ours that a child gets under the number `target` (3 to 9), to be opened as
/// /proc/self/fd/N by it and by what it starts: a configuration with a secret that is on no disk (see
/// MemoryFile), or a program whose folder the child's account cannot enter.
struct InheritedFile {
  int fd = -1;
  int target = 3;
};

/// Starts a program in a session of its own, with no privileges to gain, no core dumps and no file
/// of ours open but `log_fd` as its output and those of `inherited`. It gets SIGINT when the calling
/// thread ends, however that happens.
Result<pid_t> spawn(const Account& account, const std::vector<std::string>& arguments, int log_fd,
                    std::span<const InheritedFile> inherited = {});
/// Waits for a child of ours; its exit status, or 128 + the signal that ended it.
int wait_for_exit(pid_t pid);
/// True once the child is gone.
bool has_exited(pid_t pid);

/// A file in memory alone (memfd_create(2)): for a program's configuration that holds a secret.
class MemoryFile {
 public:
  static Result<MemoryFile> of(std::string_view name, ByteView content);
  MemoryFile(MemoryFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  MemoryFile& operator=(MemoryFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~MemoryFile();
  int fd() const { return fd_; }

 private:
  explicit MemoryFile(int fd) : fd_(fd) {}
  int fd_;
};

/// True when `account` can enter `folder`.
bool can_enter(const Account& account, const std::string& folder);

}  // namespace oa::postgres
