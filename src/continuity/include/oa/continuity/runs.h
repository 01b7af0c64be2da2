// What a run of the cell does.
#pragma once

#include "oa/catalog/cell.h"
#include "oa/continuity/cell.h"
#include "oa/objects/object_store.h"

namespace oa::continuity {

struct RunParts {
  Cell& cell;
  catalog::Database& database;
  catalog::ConnectionSettings live;
  ObjectStore& store;
};

/// One run, done now, on the calling thread. What it returns is for CellRun::detail: sizes, labels,
/// rates. Errors are those of the parts; kRepositoryDamaged when verification finds something.
Result<JsonText> run_now(catalog::CellRunKind kind, const RunParts& parts, Progress& progress);

/// How far the log is safe: by the receiver, and by whole segments in the archive.
DurablePosition durable_position(catalog::Database& database);

}  // namespace oa::continuity
