#include "spread.h"

#include <boost/json.hpp>

namespace oa::diff {
namespace {

// Moves the array `name` out of `document`; false when it is not a list of things with ids.
bool take_list(json::object& document, std::string_view name, ById& out) {
  auto* member = document.if_contains(name);
  if (member == nullptr) return true;
  auto* items = member->if_array();
  if (items == nullptr) return false;
  for (auto& item : *items) {
    const auto* object = item.if_object();
    const auto* id = object == nullptr ? nullptr : object->if_contains("id");
    const auto* text = id == nullptr ? nullptr : id->if_string();
    if (text == nullptr) return false;
    std::string key(*text);
    if (!out.emplace(std::move(key), std::move(item)).second) return false;
  }
  document.erase(name);
  return true;
}

}  // namespace

std::optional<Spread> spread_workspace(const json::value& document) {
  const auto* object = document.if_object();
  if (object == nullptr) return std::nullopt;
  json::object rest = *object;
  Spread spread;
  if (!take_list(rest, "datasets", spread.datasets) || !take_list(rest, "teams", spread.teams) ||
      !take_list(rest, "users", spread.users)) {
    return std::nullopt;
  }
  auto* workspace = rest.if_contains("workspace");
  if (workspace == nullptr || !workspace->is_object()) return std::nullopt;
  spread.own = std::move(workspace->get_object());
  rest.erase("workspace");
  for (auto& member : rest) {
    if (!spread.own.emplace(member.key(), std::move(member.value())).second) return std::nullopt;
  }
  return spread;
}

std::optional<Spread> spread_tenant(const json::value& document) {
  const auto* object = document.if_object();
  if (object == nullptr) return std::nullopt;
  Spread spread;
  spread.own = *object;
  if (!take_list(spread.own, "teams", spread.teams) ||
      !take_list(spread.own, "users", spread.users)) {
    return std::nullopt;
  }
  return spread;
}

}  // namespace oa::diff
