#pragma once

#include "oa/objects/object_store.h"

namespace oa {

/// A writer of the local driver. `key` has been checked.
Result<std::unique_ptr<ObjectWriter>> make_local_writer(const std::string& root,
                                                        const ObjectKey& key);

}  // namespace oa
