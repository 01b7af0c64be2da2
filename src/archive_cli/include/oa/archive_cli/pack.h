// A folder into an archive.
#pragma once

#include <string>

#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/console/output.h"

namespace oa::archive_cli {

struct PackOptions {
  std::string folder;
  std::string file;
  std::string key_file;         // minisign secret key
  std::string passphrase_file;  // empty: asked on the terminal when the key needs one
  int level = 1;
  unsigned threads = 0;
  std::string archive_id;     // empty: a random one
  std::string snapshot_time;  // empty: now
  std::string tenant_id;      // empty: the nil UUID
  bool force = false;         // replace `file`
};

/// Puts every regular file below the folder into an archive, under its path relative to the folder,
/// in byte order. With the id and the time given, the same folder and key give the same bytes. The
/// file appears only when it is whole.
///
/// kUnsupported for links, devices and all else that is neither file nor folder; kInvalidArgument
/// for names that an archive may not hold, `signatures` and `manifest.json` at the top, and a file
/// that would lie in the folder; kAlreadyExists; kPreconditionFailed when a file changes its size
/// while it is read; kCancelled.
Status run_pack(const PackOptions& options, const console::Output& output, Progress& progress);

}  // namespace oa::archive_cli
