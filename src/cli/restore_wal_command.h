// `restore-wal`, which Postgres runs as its restore_command.
#pragma once

#include "commands.h"

namespace oa::cli {

struct RestoreWalOptions {
  std::string socket;  // of the process that restores
  std::string file;    // %f
  std::string target;  // %p
};

Status run_restore_wal(const Context& context, const RestoreWalOptions& options);

/// Whether the arguments call restore-wal, be they right or wrong.
bool calls_restore_wal(int argc, const char* const* argv);
/// Postgres takes 1 to 125 for the end of the log, which would lose what comes behind without a
/// word. So `status`, as of every other command, becomes 0, 1 for "not there" and 126 for all else.
int restore_wal_status(int status);

}  // namespace oa::cli
