// Connections that wait for the next transaction: a new one costs Postgres a process and cold
// caches, many times what a small transaction does.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <vector>

#include "connection.h"

namespace oa::catalog {

/// Thread-safe. A process that was forked begins with none.
class IdleConnections {
 public:
  IdleConnections();
  ~IdleConnections();
  /// nullptr when none waits. It may have died meanwhile.
  std::unique_ptr<Connection> take();
  /// Rolls back what is open and forgets what the session was told; drops the connection when that
  /// fails or enough of them wait.
  void put(std::unique_ptr<Connection> connection);
  /// Drops those that wait: one had died, and so may all of them.
  void clear();

 private:
  static constexpr std::size_t kMostIdle = 16;
  bool ours() const;
  const pid_t process_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace oa::catalog
