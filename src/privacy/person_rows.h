// A person's rows, and those that mention them, as registry.h lists them: counted, or erased.
#pragma once

#include "oa/privacy/erasure.h"
#include "oa/privacy/mentions.h"

namespace oa::privacy {

enum class Walk { kCount, kErase };

/// How many of each would be, or were, changed; what is 0 is left out.
Result<Counts> walk_rows(catalog::TenantTransaction& transaction, const PersonValues& person,
                         Walk walk);

}  // namespace oa::privacy
