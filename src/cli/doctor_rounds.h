// The doctor beside a service: at its start and then every hour.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "doctor_commands.h"

namespace oa::cli {

/// Everything that can be looked at for `instance`.
doctor::Findings examine_all(const doctor::Place& place, instance::Instance& instance);

/// One line of a log for each promise that is broken and was not at the last round.
class BrokenLines {
 public:
  std::vector<std::string> of(const doctor::Findings& findings);

 private:
  std::set<std::string> told_;
};

/// Calls `told` with what each round found, from a thread of its own, until it is destroyed; a
/// round that is under way is waited for, some seconds at most. Borrows `instance` and what `place`
/// borrows.
class DoctorRounds {
 public:
  DoctorRounds(doctor::Place place, instance::Instance& instance,
               std::function<void(const doctor::Findings&)> told);
  ~DoctorRounds();
  DoctorRounds(const DoctorRounds&) = delete;
  DoctorRounds& operator=(const DoctorRounds&) = delete;

 private:
  void run();
  const doctor::Place place_;
  instance::Instance& instance_;
  const std::function<void(const doctor::Findings&)> told_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace oa::cli
