#pragma once

namespace oa::archive_cli {

/// The program `oa-archive`: parses the command line, runs one command, prints its result. Returns
/// the exit status (see `oa-archive --help`). Call it on the main thread.
int run(int argc, const char* const* argv);

}  // namespace oa::archive_cli
