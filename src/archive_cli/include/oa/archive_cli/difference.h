// What differs between two archives, or an archive and a tenant, as every program shows it.
#pragma once

#include <string>

#include "oa/archive/manifest.h"
#include "oa/archive_cli/trust.h"
#include "oa/console/output.h"
#include "oa/diff/render.h"

namespace oa::archive_cli {

/// One side as the output names it.
struct ComparedSide {
  std::string title;
  json::object document;
};

ComparedSide describe(const archive::Manifest& manifest);

void show_difference(const console::Output& output, const ComparedSide& before,
                     const ComparedSide& after, const diff::Comparison& comparison);

struct DiffOptions {
  std::string before, after;  // archives, as the program names them
  TrustOptions trust;
  bool exit_code = false;  // diff::kDifferentExitStatus when something differs
};

/// `--exit-code` and whom to trust. `options` must outlive `command`.
void add_diff_options(CLI::App& command, DiffOptions& options);

/// Compares two archive files. `exit_status` is what the program ends with.
Status run_diff(const DiffOptions& options, const console::Output& output, Progress& progress,
                int& exit_status);

}  // namespace oa::archive_cli
