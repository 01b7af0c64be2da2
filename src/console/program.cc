#include "oa/console/program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <map>
#include <string_view>

namespace oa::console {
namespace {

// The command that the arguments had come to when the parser gave up.
std::string command_of(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app.get_name() : app.get_name() + " " + command_of(*chosen.front());
}

}  // namespace

bool wants_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--") return false;
    if (argument == "--json") return true;
  }
  return false;
}

std::string exit_statuses() {
  std::string text = "Exit status: 0 success";
  std::map<int, std::string> by_status;
  for (const auto& info : error_table()) {
    auto& names = by_status[info.exit_status];
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  }
  for (const auto& [status, names] : by_status) text += fmt::format("\n  {:>3}  {}", status, names);
  return text;
}

std::optional<int> parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" of the parser with status 0; all others are usage errors.
    if (error.get_exit_code() == 0) return app.exit(error);
    const std::string hint =
        "`" + command_of(app) + " --help` shows what it takes, with an example";
    return Output(wants_json(argc, argv))
        .failure(make_error(ErrorCode::kInvalidArgument, "usage", error.what()).with_hint(hint));
  }
}

int run_command(const Output& output, const std::function<Status(Progress&)>& command) {
  install_signal_handlers();
  TerminalProgress progress(!output.json());
  const Status status = command(progress);
  progress.clear();
  const Status flushed = Output::flush();
  if (!status.ok()) return output.failure(status.error());
  return flushed.ok() ? 0 : output.failure(flushed.error());
}

int run_guarded(int argc, const char* const* argv,
                const std::function<int(int, const char* const*)>& body) {
  try {
    return body(argc, argv);
  } catch (const std::exception& exception) {
    return Output(wants_json(argc, argv))
        .failure(make_error(ErrorCode::kInternal, "main", "an unexpected error ended the program")
                     .with_cause(exception.what()));
  }
}

}  // namespace oa::console
