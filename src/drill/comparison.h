// Whether what was restored is what was archived.
#pragma once

#include "oa/archive/reader.h"
#include "recovery.h"

namespace oa::drill {

/// The archive's probes against what its reports show here, each dataset's rows against the archived
/// digest, and how many there are of each kind. kDrillFailed names the first that differs.
Status compare(instance::Instance& instance, const Recovery& recovery,
               const archive::ArchiveReader& reader, const restore::Contents& contents,
               json::object& figures, Progress& progress);

}  // namespace oa::drill
