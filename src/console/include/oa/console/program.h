// The frame around every command line program: from main() to the exit status.
#pragma once

#include <functional>
#include <string>

#include "oa/console/output.h"

namespace oa::console {

/// True when --json is among the arguments (before a lone "--"). For errors that come before the
/// command line has been understood.
bool wants_json(int argc, const char* const* argv);

/// The last paragraph of --help: each exit status with the stable names of its errors.
std::string exit_statuses();

/// Tells of a mistake on the command line: `command` is what to ask for help, e.g. "oa-backup
/// demo". Returns the exit status.
int usage_error(const Output& output, std::string_view command, std::string message);

/// Runs one command with the signal handlers installed; tells of its error, or of standard output
/// that could not be written; returns the exit status. `command` gets a progress line that is drawn
/// only for people.
int run_command(const Output& output, const std::function<Status(Progress&)>& command);

/// The body of main(): what it throws becomes an error of its own, exit status 1.
int run_guarded(int argc, const char* const* argv,
                const std::function<int(int, const char* const*)>& body);

}  // namespace oa::console
