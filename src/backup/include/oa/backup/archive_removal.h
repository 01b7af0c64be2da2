// How archives in store go: one that somebody deletes, and what interrupted calls left of others.
#pragma once

#include "oa/catalog/repositories.h"
#include "oa/objects/sealed_objects.h"

namespace oa::backup {

/// Deletes an archive: its record goes and the audit event `backup.archive.delete` comes in one
/// transaction, then its object goes for good. When the second step fails or the process dies, the
/// archive is not listed any more and sweep_archives() removes its object. `actor`: none for the
/// operator. Errors: kNotFound; kConflict while a restore from it is being applied. Plans that were
/// not applied do not keep it: they can still be applied from a copy of the archive. A restore that
/// begins at the same moment may fail, and then changes nothing. Undo archives of restores are no
/// archives of this kind.
Status remove_archive(catalog::Database& database, SealedObjects& objects, TenantId tenant,
                      ArchiveId id, const std::optional<UserId>& actor);

/// How long an object of class `archives` may be without a record before it is taken for a remnant.
inline constexpr int kUnlistedHours = 24;
/// Removes remnants older than kUnlistedHours at `now`: versions that neither an archive's record
/// nor a restore names. Leaves alone what is below `uploads/` and `personal/`, and what restores
/// that are being applied have made. How many were removed.
Result<std::size_t> sweep_archives(catalog::Database& database, SealedObjects& objects,
                                   TenantId tenant, Timestamp now);

}  // namespace oa::backup
