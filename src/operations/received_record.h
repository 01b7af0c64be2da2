// What the catalog keeps of an archive that came from outside.
#pragma once

#include "oa/archive/manifest.h"
#include "oa/catalog/records.h"

namespace oa::operations {

/// As far as the manifest tells. `workspaces` is what an Admin may see the archive by: none, and so an
/// Owner's matter alone, unless the manifest names some and each of them is an id.
catalog::ArchiveRecord received_record(const archive::Manifest& manifest);

}  // namespace oa::operations
