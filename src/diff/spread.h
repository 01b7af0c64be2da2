// Documents that hold more than one asset, taken apart (docs/format.md, "Entries").
#pragma once

#include <map>
#include <optional>
#include <string>

#include "oa/base/json.h"

namespace oa::diff {

using ById = std::map<std::string, json::value>;

struct Spread {
  json::object own;  // of the workspace or the tenant
  ById datasets, teams, users;
};

/// workspaces/<id>/metadata.json: members of its `workspace`, and what else is beside the lists.
/// nullopt for a document of another shape.
std::optional<Spread> spread_workspace(const json::value& document);
/// The manifest's `tenant`. nullopt for one of another shape.
std::optional<Spread> spread_tenant(const json::value& document);

}  // namespace oa::diff
