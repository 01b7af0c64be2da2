// Running Postgres' programs as children: with an account, without privileges, and never longer
// than ourselves.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "oa/base/result.h"

namespace oa::catalog {

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

/// Starts a program in a session of its own, with no privileges to gain, no core dumps and no file
/// of ours open but `log_fd` as its output. It gets SIGINT when the calling thread ends, however
/// that happens.
Result<pid_t> spawn(const Account& account, const std::vector<std::string>& arguments, int log_fd);
/// Waits for a child of ours; its exit status, or 128 + the signal that ended it.
int wait_for_exit(pid_t pid);
/// True once the child is gone.
bool has_exited(pid_t pid);
/// True when `account` can enter `folder`.
bool can_enter(const Account& account, const std::string& folder);

}  // namespace oa::catalog
