// The cell's status and its runs as JSON: of the operators' API and of `--json`.
#pragma once

#include "oa/base/json.h"
#include "oa/continuity/status.h"

namespace oa::continuity {

json::value to_json(const CellStatus& status);
json::value to_json(const catalog::CellRun& run);

}  // namespace oa::continuity
