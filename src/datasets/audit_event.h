#pragma once

#include "oa/catalog/repositories.h"
#include "oa/datasets/actor.h"

namespace oa::datasets {

/// Appends one event of `actor` at the transaction's chain. `detail` holds nothing personal.
Status append_event(catalog::TenantTransaction& transaction, const Actor& actor,
                    std::string_view action, std::string_view resource_type,
                    const std::string& resource_id, const json::object& detail);

}  // namespace oa::datasets
