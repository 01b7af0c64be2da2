// The threads on which handlers run and bodies are read and written.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace oa::http {

/// Runs tasks in the order of their coming. Thread-safe. Destroyed only when nothing waits.
class WorkerPool {
 public:
  WorkerPool(unsigned threads, std::size_t max_requests_waiting);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Begins a request. False, and nothing happens, when as many wait as may.
  bool offer(std::function<void()> task);
  /// Goes on with a request that was begun: never refused.
  void submit(std::function<void()> task);

 private:
  struct Waiting {
    std::function<void()> task;
    bool is_request;
  };
  void work();
  const std::size_t max_requests_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::size_t requests_waiting_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace oa::http
