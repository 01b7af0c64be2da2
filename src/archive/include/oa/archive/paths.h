#pragma once

#include <string_view>

namespace oa::archive {

/// True when `path` may name a content entry (docs/format.md, "Paths").
bool is_valid_path(std::string_view path);

}  // namespace oa::archive
