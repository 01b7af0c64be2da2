// Nobody is let in before the database has every erasure of the ledger; then those whose time has come
// are carried out.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "measures.h"
#include "oa/instance/instance.h"

namespace oa::api {

/// Looks every second whether the database is still the one that was made sure of, and replays the
/// ledger when it is not; every half minute, too. From a thread of its own until it is destroyed.
/// Borrows `instance` and `measures`.
class ErasureWatch {
 public:
  ErasureWatch(instance::Instance& instance, Measures& measures,
               std::function<void(const std::string&)> log);
  ~ErasureWatch();
  ErasureWatch(const ErasureWatch&) = delete;
  ErasureWatch& operator=(const ErasureWatch&) = delete;
  /// Waits until the first look is over, however it ended; at most so long.
  void await_first_look(std::chrono::seconds at_most);

 private:
  void run();
  Status replay();
  void look(bool thoroughly);
  void tell(const char* what, const Status& done, std::uint64_t count);

  instance::Instance& instance_;
  Measures& measures_;
  const std::function<void(const std::string&)> log_;
  std::string told_;  // the code of the last trouble that was logged
  std::mutex mutex_;
  std::condition_variable wake_;
  bool looked_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace oa::api
