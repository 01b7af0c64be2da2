// `storage status`: the buckets of the object store.
#pragma once

#include "continuity_commands.h"

namespace oa::cli {

/// Into the group `storage`.
void add_storage_status(CLI::App& storage, const AddCommand& add);

}  // namespace oa::cli
