#include "oa/archive_cli/difference.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "oa/base/io.h"

namespace oa::archive_cli {

ComparedSide describe(const archive::Manifest& manifest) {
  const std::string id = manifest.archive_id.str(), time = manifest.snapshot_time.rfc3339();
  return {"archive " + id + " of " + time,
          {{"archive_id", id},
           {"tenant_id", manifest.content.tenant_id.str()},
           {"snapshot_time", time}}};
}

void show_difference(const console::Output& output, const ComparedSide& before,
                     const ComparedSide& after, const diff::Comparison& comparison) {
  if (!output.json()) {
    output.line("before: " + before.title);
    output.line("after:  " + after.title);
    for (const auto& line : diff::to_lines(comparison)) output.line(line);
    return;
  }
  auto document = diff::to_json(comparison);
  document["before"] = before.document;
  document["after"] = after.document;
  output.document(document);
}

void add_diff_options(CLI::App& command, DiffOptions& options) {
  command.add_flag(
      "--exit-code", options.exit_code,
      "Exit with status " + std::to_string(diff::kDifferentExitStatus) + " when something differs");
  add_trust_options(command, options.trust);
}

Status run_diff(const DiffOptions& options, const console::Output& output, Progress& progress,
                int& exit_status) {
  OA_ASSIGN(const auto before_file, FileSource::open(options.before));
  OA_ASSIGN(const auto after_file, FileSource::open(options.after));
  OA_ASSIGN(const auto before, open_trusted(*before_file, {}, options.trust));
  OA_ASSIGN(const auto after, open_trusted(*after_file, {}, options.trust));
  const diff::ArchiveSide before_side(*before);
  diff::ArchiveSide after_side(*after);
  OA_ASSIGN(const auto comparison, diff::compare(before_side, after_side, {}, progress));
  show_difference(output, describe(before->manifest()), describe(after->manifest()), comparison);
  if (options.exit_code && !comparison.changes.empty()) exit_status = diff::kDifferentExitStatus;
  return {};
}

}  // namespace oa::archive_cli
