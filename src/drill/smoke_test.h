// The recovery tenant used as people use it, through the public API.
#pragma once

#include "recovery.h"
#include "visitor.h"

namespace oa::drill {

/// Lists what there is, and opens every report that the archive probed, at most 64: each visual must
/// show what the rows say.
Status open_reports(instance::Instance& instance, const Recovery& recovery,
                    const archive::ArchiveReader& reader, const restore::Contents& contents,
                    Visitor& visitor, json::object& figures, Progress& progress);

/// What somebody has seen of tenants.
struct Seen {
  std::uint64_t reports = 0, opened = 0, visuals = 0;
};
/// The same without an archive: everything that the database has is listed, and the first 8 reports
/// show what the rows say; rows that cannot be read are a failure, a report that is broken by itself
/// is not.
Status look_around(instance::Instance& instance, const Recovery& somebody, Visitor& visitor,
                   Seen& seen, Progress& progress);

/// Gives datasets the originals that the tenant has kept, at most 3, and refreshes them. One that has
/// not changed since the archive's moment must have as many rows again.
Status refresh_datasets(instance::Instance& instance, const Recovery& recovery, TenantId source,
                        const restore::Contents& contents, Visitor& visitor, json::object& figures,
                        Progress& progress);

/// Archives the recovery tenant, downloads that, and verifies every signature as a holder of the file
/// would.
Status archive_again(instance::Instance& instance, const Recovery& recovery, Visitor& visitor,
                     json::object& figures, Progress& progress);

/// Exports somebody's personal data; the bundle must be theirs and whole.
Status export_somebody(instance::Instance& instance, const Recovery& recovery, Visitor& visitor,
                       json::object& figures);

}  // namespace oa::drill
