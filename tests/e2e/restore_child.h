// A restore in a process of its own, which can be killed or run out of disk: this test program,
// started again.
#pragma once

#include <string>

#include "restore_world.h"

namespace oa::testkit {

struct ChildRun {
  /// SIGKILL at this call of the restore's Progress; 0: never.
  int kill_at = 0;
  /// No file may grow beyond it, as on a disk without space; 0: no limit.
  std::uint64_t max_file_bytes = 0;
};

struct ChildOutcome {
  bool killed = false;
  std::string error;  // ErrorInfo::name; empty when it was applied
};

/// Plans the saved restore or undo again and applies it.
ChildOutcome apply_in_child(RestoreWorld& world, const WorldTenant& tenant, RestoreId restore,
                            const ChildRun& run);

/// What the started program does instead of tests: its exit status, when `argv` is of
/// apply_in_child().
std::optional<int> child_main(int argc, char** argv);

}  // namespace oa::testkit
