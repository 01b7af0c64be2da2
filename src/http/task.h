// Work on the worker threads that a connection's coroutine starts and waits for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "worker_pool.h"

namespace oa::http {

/// One piece of work at a time. Used on one strand, `executor`; what a piece of work refers to must
/// live until wait() has returned.
class Task {
 public:
  Task(boost::asio::any_io_executor executor, WorkerPool& pool);
  ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  /// False: the pool is too busy for another request.
  bool offer(std::function<void()> work);
  void start(std::function<void()> work);
  /// Returns when nothing runs. False when the work threw.
  boost::asio::awaitable<bool> wait();

 private:
  std::function<void()> reporting(std::function<void()> work);
  const boost::asio::any_io_executor executor_;
  WorkerPool& pool_;
  boost::asio::steady_timer done_;  // never expires: cancelled when the work is done
  bool running_ = false, threw_ = false;
};

}  // namespace oa::http
