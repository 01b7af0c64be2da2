#include "oa/catalog/portable.h"

namespace oa::catalog {
namespace {

constexpr std::size_t kIdLength = 36;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// `text` with each known id in it replaced, also in the middle, as in a link; nullopt when there is
// none. What stands in a longer word is no id.
std::optional<std::string> replacement(std::string_view text, const std::map<Uuid, Uuid>& map) {
  std::string out;
  std::size_t done = 0;
  bool changed = false;
  for (std::size_t at = 0; at + kIdLength <= text.size(); ++at) {
    if (text[at + 8] != '-' || (at > 0 && is_alphanumeric(text[at - 1]))) continue;
    if (at + kIdLength < text.size() && is_alphanumeric(text[at + kIdLength])) continue;
    const auto id = Uuid::parse(text.substr(at, kIdLength));
    if (!id.ok()) continue;
    const auto found = map.find(*id);
    if (found == map.end()) continue;
    out += text.substr(done, at - done);
    out += found->second.str();
    done = at + kIdLength;
    at = done - 1;
    changed = true;
  }
  if (!changed) return std::nullopt;
  return out + std::string(text.substr(done));
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
