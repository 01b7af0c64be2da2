#include "task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "oa/base/assert.h"

namespace oa::http {

namespace asio = boost::asio;

Task::Task(asio::any_io_executor executor, WorkerPool& pool)
    : executor_(std::move(executor)), pool_(pool), done_(executor_) {}

Task::~Task() { OA_ASSERT(!running_); }

std::function<void()> Task::reporting(std::function<void()> work) {
  OA_ASSERT(!running_);
  threw_ = false;
  done_.expires_at(asio::steady_timer::time_point::max());
  return [this, work = std::move(work)] {
    bool threw = false;
    try {
      work();
    } catch (...) {
      threw = true;
    }
    asio::post(executor_, [this, threw] {
      running_ = false;
      threw_ = threw;
      done_.cancel();
    });
  };
}

bool Task::offer(std::function<void()> work) {
  running_ = pool_.offer(reporting(std::move(work)));
  return running_;
}

void Task::start(std::function<void()> work) {
  pool_.submit(reporting(std::move(work)));
  running_ = true;
}

asio::awaitable<bool> Task::wait() {
  while (running_) co_await done_.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return !threw_;
}

}  // namespace oa::http
