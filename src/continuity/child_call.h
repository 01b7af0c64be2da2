// One run of a program whose output is read as it comes.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/postgres/process.h"

namespace oa::continuity {

struct CallLimits {
  std::chrono::seconds silence{60};   // longest time without output
  std::chrono::seconds total{0};      // 0: none
  std::size_t keep_bytes = 64 << 10;  // of the output: the last ones
  std::function<void(std::string_view line)> on_line = {};
  Progress* progress = nullptr;  // asked whether to stop
};

struct Outcome {
  int status = 0;          // exit status, or 128 + signal
  bool cancelled = false;  // ended by us for that
  bool timed_out = false;
  bool cut = false;    // `output` lacks its begin
  std::string output;  // the end of standard output and error
};

/// Runs it to its end. It and what it started are told to end (SIGTERM, then SIGKILL) when it is
/// too slow or cancelled; one that does not end even so, as in a broken network mount, is left
/// behind. kIo when it cannot be started.
Result<Outcome> call_child(const postgres::Account& account,
                           const std::vector<std::string>& arguments,
                           std::span<const postgres::InheritedFile> files,
                           const CallLimits& limits);

}  // namespace oa::continuity
