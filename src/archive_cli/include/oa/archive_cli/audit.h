// The audit chain of an archive, or of the lines taken out of one, checked without a server.
#pragma once

#include <optional>
#include <string>

#include "oa/archive/reader.h"
#include "oa/audit/chain_sink.h"
#include "oa/console/output.h"

namespace oa::archive_cli {

/// How many events the archive's chain has, all checked; none when it was made without. kAuditBroken.
Result<std::optional<std::uint64_t>> check_audit_chain(const archive::ArchiveReader& reader);

struct AuditLogOptions {
  std::string file;             // audit/events.ndjson out of an archive
  std::string tenant_id;        // a chain belongs to its tenant
  std::string checkpoint_file;  // options.audit_checkpoint of the manifest; empty: from the first event
};
Status run_audit_log(const AuditLogOptions& options, const console::Output& output,
                     Progress& progress);

}  // namespace oa::archive_cli
