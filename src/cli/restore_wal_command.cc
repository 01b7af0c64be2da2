#include "restore_wal_command.h"

#include <string_view>

#include "oa/wal/restore_server.h"

namespace oa::cli {
namespace {

// Of a command that succeeded in finding out that the file is not there; no error has it.
constexpr int kNotThere = 200;

}  // namespace

Status run_restore_wal(const Context& context, const RestoreWalOptions& options) {
  OA_ASSIGN(const auto answer, wal::restore_wal(options.socket, options.file, options.target));
  if (answer == wal::RestoreAnswer::kNotThere) context.exit_status = kNotThere;
  return {};
}

bool calls_restore_wal(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--data" || argument == "--passphrase-file") {
      ++i;
    } else if (!argument.starts_with('-')) {
      return argument == "restore-wal";
    }
  }
  return false;
}

int restore_wal_status(int status) {
  if (status == 0) return wal::kRestoreFound;
  return status == kNotThere ? wal::kRestoreNotThere : wal::kRestoreTrouble;
}

}  // namespace oa::cli
