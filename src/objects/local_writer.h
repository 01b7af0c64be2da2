#pragma once

#include <atomic>

#include "oa/objects/object_store.h"

namespace oa {

/// A writer of the local driver. `key` has been checked.
Result<std::unique_ptr<ObjectWriter>> make_local_writer(const std::string& root,
                                                        const ObjectKey& key);
/// VersionRepair::restore_version() of the local driver; both have been checked.
Status restore_local_version(const std::string& root, const ObjectKey& key,
                             const VersionId& version, const RangedSource& sealed,
                             const std::atomic<bool>* cancelled);

}  // namespace oa
