#include "idle_connections.h"

#include <unistd.h>

namespace oa::catalog {

IdleConnections::IdleConnections() : process_(getpid()) {}

// The parent goes on using the sockets: a forked process leaves them alone.
IdleConnections::~IdleConnections() {
  if (ours()) return;
  for (auto& connection : idle_) (void)connection.release();
}

bool IdleConnections::ours() const { return getpid() == process_; }

std::unique_ptr<Connection> IdleConnections::take() {
  if (!ours()) return nullptr;
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void IdleConnections::put(std::unique_ptr<Connection> connection) {
  if (!ours() || !connection->reset().ok()) return;
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
}

void IdleConnections::clear() {
  if (!ours()) return;
  std::vector<std::unique_ptr<Connection>> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(idle_);
}

}  // namespace oa::catalog
