// Carries a plan out: all of it or nothing.
#pragma once

#include <memory>

#include "oa/base/progress.h"
#include "oa/restore/plan.h"

namespace oa::restore {

/// An archive in the object store, opened. Both live as long as this does.
struct StoredArchive {
  std::unique_ptr<RangedSource> source;
  std::unique_ptr<archive::ArchiveReader> reader;
};
Result<StoredArchive> open_stored_archive(SealedObjects& objects, TenantId tenant,
                                          const catalog::ArchiveRecord& record,
                                          const archive::TrustPolicy& trust);

/// What apply_plan() takes: the plan a person looks at and what it was made from.
struct PreparedRestore {
  Contents contents;
  Plan plan;
};

/// Reads what is asked for out of the archive, looks at the tenant and plans. Changes nothing.
Result<PreparedRestore> prepare_restore(catalog::Database& database, SealedObjects& objects,
                                        const archive::ArchiveReader& reader, TenantId tenant,
                                        const Request& request);

/// kConflict naming the first blocked item, unless the plan leaves blocked ones out.
Status check_applicable(const Plan& plan);

/// Stages rows as new object versions, then writes everything in one transaction under the tenant's
/// restore lock, with the restore's record and audit event. A failure or a crash leaves the tenant
/// as it was (staged rows are removed; after a crash they are unreferenced). Applying a plan again
/// changes nothing and returns the first record. Errors: kConflict (an item is blocked),
/// kPreconditionFailed (the tenant changed since the plan was made), those of the archive, the
/// stores and the database, kCancelled (only before the transaction).
Result<catalog::RestoreRecord> apply_plan(catalog::Database& database, SealedObjects& objects,
                                          const archive::ArchiveReader& reader,
                                          const Contents& contents, const Plan& plan,
                                          Progress& progress);

}  // namespace oa::restore
