// Which archives, restores and jobs a caller may touch. What they may not is not there.
#pragma once

#include "call.h"

namespace oa::api {

/// Every archive for an Owner; for an Admin those of only workspaces that they manage, and what they
/// uploaded themselves.
catalog::Archives::Visible visible_archives(const accounts::Identity& who);
Result<catalog::ArchiveRecord> visible_archive(TenantCall& call, ArchiveId id);
/// The one that the path names.
Result<catalog::ArchiveRecord> archive_of(TenantCall& call);

/// Every restore for an Owner; for others their own.
Result<catalog::RestoreRecord> restore_of(TenantCall& call);

/// Every job for an Owner; for others their own.
Result<catalog::Job> job_of(TenantCall& call);

}  // namespace oa::api
