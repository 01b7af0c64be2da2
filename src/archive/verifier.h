// Checks every byte of an archive.
#pragma once

#include "archive_file.h"

namespace oa::archive {

Result<VerifyReport> verify_archive(const ArchiveFile& file, const VerifyOptions& options,
                                    Progress& progress);

}  // namespace oa::archive
