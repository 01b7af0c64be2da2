// The objects that a restore makes before its transaction. Their names say whose they are, so that
// what an interrupted restore left can be found.
#pragma once

#include "oa/restore/engine.h"

namespace oa::restore {

ObjectKey staged_rows_key(TenantId tenant, RestoreId restore, const Uuid& dataset);
ObjectKey undo_archive_key(TenantId tenant, RestoreId restore);

/// Removes every object that this restore made; how many.
Result<std::size_t> remove_objects_of(SealedObjects& objects, TenantId tenant, RestoreId restore);

/// Copies the rows that the plan restores out of the archive, each verified, into new objects;
/// where each dataset's are, by its new id.
Result<std::map<Uuid, catalog::RowsObject>> stage_rows(const Engine& engine,
                                                       const PreparedRestore& prepared,
                                                       Progress& progress);

struct KeptForUndo {
  std::optional<catalog::RowsObject> archive;  // none when there is nothing to keep
  std::size_t rows_not_kept = 0;               // datasets whose rows are lost or damaged
};
/// Writes what the plan overwrites or removes into the undo archive, from `snapshot`, which shows
/// what the plan saw. Only rows that the store says it has lost (kNotFound) or that do not
/// authenticate (kSealCorrupt; kKeyWrong when it is their header) are left out; any other failure
/// is the result.
Result<KeptForUndo> keep_for_undo(const Engine& engine, catalog::TenantTransaction& snapshot,
                                  const PreparedRestore& prepared, Progress& progress);

}  // namespace oa::restore
