#include "work_queue.h"

namespace oa::archive {

WorkQueue::WorkQueue(unsigned threads, int compression_level) {
  OA_ASSERT(threads > 0);
  for (unsigned i = 0; i < threads; ++i)
    threads_.emplace_back([this, compression_level] { run(compression_level); });
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void WorkQueue::submit(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void WorkQueue::submit_first(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_front(std::move(task));
  }
  changed_.notify_one();
}

void WorkQueue::run(int compression_level) {
  Worker worker{FrameCompressor(compression_level)};
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task(worker);
    lock.lock();
  }
}

}  // namespace oa::archive
