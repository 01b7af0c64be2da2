// The frame around every command line program: from main() to the exit status.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "oa/console/output.h"

namespace CLI {
class App;
}

namespace oa::console {

/// True when --json is among the arguments (before a lone "--"). For errors that come before the
/// command line has been understood.
bool wants_json(int argc, const char* const* argv);

/// The last paragraph of --help: each exit status with the stable names of its errors.
std::string exit_statuses();

/// Parses the command line. The exit status when the program ends with that: after --help and
/// --version, and after a mistake, of which it tells (as a document when --json is there).
std::optional<int> parse(CLI::App& app, int argc, const char* const* argv);

/// Runs one command with the signal handlers installed; tells of its error, or of standard output
/// that could not be written; returns the exit status. `command` gets a progress line that is drawn
/// only for people.
int run_command(const Output& output, const std::function<Status(Progress&)>& command);

/// The body of main(): what it throws becomes an error of its own, exit status 1.
int run_guarded(int argc, const char* const* argv,
                const std::function<int(int, const char* const*)>& body);

}  // namespace oa::console
