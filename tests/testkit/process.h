// Runs programs for tests, the way a shell would.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "oa/base/json.h"

namespace oa::testkit {

struct Finished {
  int status = -1;  // exit status, or 128 + signal
  std::string out;
  std::string err;
};

/// Runs to the end. argv[0] is looked up in PATH. Standard input is empty.
Finished run(const std::vector<std::string>& argv);

/// Runs `oa-backup` of this build.
Finished oa(std::vector<std::string> arguments);
/// The same with --json: the document on stdout; throws with stderr's text when it failed.
json::value oa_json(std::vector<std::string> arguments);

/// A running program. Killed (-9) and reaped when dropped.
class Running {
 public:
  explicit Running(const std::vector<std::string>& argv);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  pid_t pid() const { return pid_; }
  /// Waits up to `timeout_ms`; true when it ended by itself.
  bool wait(int timeout_ms);
  /// Exit status, or 128 + signal, once wait() has returned true.
  int status() const { return status_; }
  void send(int signal_number);
  void kill_and_reap();

 private:
  pid_t pid_;
  int status_ = -1;
};

}  // namespace oa::testkit
