// The commands that read one archive. Every program that has them has these very ones, and prints
// the same.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "oa/archive/reader.h"
#include "oa/archive_cli/trust.h"
#include "oa/console/output.h"

namespace oa::archive_cli {

struct ReadOptions {
  std::string archive;  // as the program names archives
  TrustOptions trust;
  bool every_signature = false;
  std::vector<std::string> paths;
  std::string output;
};

struct ReadCommand {
  const char* name;
  const char* what;     // one line of help
  const char* example;  // arguments behind the name
  /// Adds what it takes besides the archive and whom to trust. `options` must outlive `command`.
  void (*add_options)(CLI::App& command, ReadOptions& options);
  Status (*run)(const archive::ArchiveReader& reader, const ReadOptions& options,
                const console::Output& output, Progress& progress);
};

/// verify, ls, cat, extract, index, audit.
std::span<const ReadCommand> read_commands();

}  // namespace oa::archive_cli
