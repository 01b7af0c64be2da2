#pragma once

#include <string_view>

#include "oa/base/ids.h"

namespace oa {

/// UUID version 5 (RFC 9562 section 5.5: SHA-1 over namespace and name). Deterministic.
Uuid uuid5(const Uuid& name_space, std::string_view name);

}  // namespace oa
