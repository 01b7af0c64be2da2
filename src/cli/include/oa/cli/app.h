#pragma once

namespace oa::cli {

/// Parses the command line, runs one command, prints its result. Returns the exit status (see
/// `oa-backup --help`). Call it on the main thread.
int run(int argc, const char* const* argv);

}  // namespace oa::cli
