// Members of a request's body with the bounds that docs/openapi.yaml gives them.
#pragma once

#include <string>
#include <string_view>

#include "oa/base/json.h"

namespace oa::api {

/// A text of `least` to `most` characters; else the reader fails, as it does for what is no text.
std::string bounded_text(ObjectReader& reader, std::string_view name, std::size_t least,
                         std::size_t most);

/// `workspace_ids` when it is there: at most 1000, each once; ascending.
std::vector<WorkspaceId> read_workspaces(ObjectReader& reader);

}  // namespace oa::api
