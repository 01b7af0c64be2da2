// The commands behind the table in reading.cc that have a file of their own.
#pragma once

#include "oa/archive_cli/reading.h"

namespace oa::archive_cli {

/// Writes entries below a folder that is new or empty. What a cancelled or failed run leaves is
/// whole files.
Status run_extract(const archive::ArchiveReader& reader, const ReadOptions& options,
                   const console::Output& output, Progress& progress);

/// What the file consists of, part by part, and totals.
Status run_index(const archive::ArchiveReader& reader, const ReadOptions& options,
                 const console::Output& output, Progress& progress);

/// The audit chain: every hash, link and commitment.
Status run_audit(const archive::ArchiveReader& reader, const ReadOptions& options,
                 const console::Output& output, Progress& progress);

}  // namespace oa::archive_cli
