#include "oa/catalog/portable.h"

namespace oa::catalog {
namespace {

// The text to put in the place of `text`, or nullopt when it is not a known id.
std::optional<std::string> replacement(std::string_view text, const std::map<Uuid, Uuid>& map) {
  if (text.size() != 36) return std::nullopt;
  const auto id = Uuid::parse(text);
  if (!id.ok()) return std::nullopt;
  const auto found = map.find(*id);
  if (found == map.end()) return std::nullopt;
  return found->second.str();
}

json::value rewrite(const json::value& value, const std::map<Uuid, Uuid>& map) {
  if (const auto* text = value.if_string()) {
    const auto replaced = replacement(*text, map);
    return replaced.has_value() ? json::value(*replaced) : value;
  }
  if (const auto* items = value.if_array()) {
    json::array out;
    for (const auto& item : *items) out.push_back(rewrite(item, map));
    return out;
  }
  if (const auto* members = value.if_object()) {
    // Documents name things in member names too, such as a bookmark's state by visual.
    json::object out;
    for (const auto& member : *members) {
      const std::string_view name = member.key();
      out.insert_or_assign(replacement(name, map).value_or(std::string(name)),
                           rewrite(member.value(), map));
    }
    return out;
  }
  return value;
}

}  // namespace

JsonText rewrite_ids(const JsonText& text, const std::map<Uuid, Uuid>& map) {
  return JsonText::of(rewrite(text.value(), map));
}

}  // namespace oa::catalog
