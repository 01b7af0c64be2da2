#include "worker_pool.h"

#include "oa/base/assert.h"

namespace oa::http {

WorkerPool::WorkerPool(unsigned threads, std::size_t max_requests_waiting)
    : max_requests_waiting_(max_requests_waiting) {
  OA_ASSERT(threads > 0);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    OA_ASSERT(waiting_.empty());
    ending_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool WorkerPool::offer(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (requests_waiting_ >= max_requests_waiting_) return false;
    ++requests_waiting_;
    waiting_.push_back({std::move(task), true});
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::submit(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(task), false});
  }
  changed_.notify_one();
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.is_request) --requests_waiting_;
    lock.unlock();
    next.task();
    lock.lock();
  }
}

}  // namespace oa::http
