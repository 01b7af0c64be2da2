// Ends the waits of a thread from another one.
#pragma once

#include <sys/eventfd.h>

#include <atomic>
#include <cstdint>

#include "descriptor.h"
#include "oa/base/assert.h"

namespace oa::wal {

class Wakeup {
 public:
  Wakeup() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { OA_ASSERT(event_.valid()); }
  /// From now on fd() is readable and fired() true.
  void fire() {
    fired_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
  }
  bool fired() const { return fired_; }
  int fd() const { return event_.get(); }

 private:
  Descriptor event_;
  std::atomic<bool> fired_ = false;
};

}  // namespace oa::wal
