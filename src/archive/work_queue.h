// Threads that run tasks, each with the compressor and the memory it keeps from task to task.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "frame.h"

namespace oa::archive {

/// What one thread keeps.
struct Worker {
  FrameCompressor compressor;
};

/// Tasks start in the order they were submitted. Thread-safe. Dropping it waits for running tasks
/// and drops the rest.
class WorkQueue {
 public:
  using Task = std::function<void(Worker&)>;
  WorkQueue(unsigned threads, int compression_level);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  void submit(Task task);
  /// Before everything that waits: for what other tasks will need.
  void submit_first(Task task);

 private:
  void run(int compression_level);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace oa::archive
