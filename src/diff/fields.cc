#include "oa/diff/fields.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>

namespace oa::diff {
namespace {

bool same(const json::value& a, const json::value& b) {
  return a.kind() == b.kind() && a.is_string() ? a.get_string() == b.get_string()
                                               : canonical_json(a) == canonical_json(b);
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxValueBytes &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

bool is_number(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

// As it stands in a path, in brackets: never mistaken for a position.
std::string quoted_unless_word(std::string_view text) {
  return is_word(text) && !is_number(text) ? std::string(text) : short_json(json::value(text));
}

// What identifies the elements of an array.
enum class KeyKind { kNone, kSelf, kMember };
struct KeyRule {
  KeyKind kind = KeyKind::kNone;
  std::string_view member = {};
};

// Integers are told from strings by their canonical form.
std::optional<std::string> key_of(const json::value& item, const KeyRule& rule) {
  const json::value* key = &item;
  if (rule.kind == KeyKind::kMember) {
    const auto* object = item.if_object();
    key = object == nullptr ? nullptr : object->if_contains(rule.member);
    if (key != nullptr && (key->is_int64() || key->is_uint64())) return canonical_json(*key);
  }
  if (key == nullptr || !key->is_string()) return std::nullopt;
  return canonical_json(*key);
}

bool identifies(const KeyRule& rule, const json::array& items) {
  std::set<std::string> keys;
  return std::all_of(items.begin(), items.end(), [&](const json::value& item) {
    const auto key = key_of(item, rule);
    return key.has_value() && keys.insert(*key).second;
  });
}

KeyRule rule_for(const json::array& before, const json::array& after) {
  const KeyRule rules[] = {{KeyKind::kMember, "id"},
                           {KeyKind::kMember, "principal"},
                           {KeyKind::kMember, "version"},
                           {KeyKind::kMember, "name"},
                           {KeyKind::kSelf}};
  for (const auto& rule : rules) {
    if (identifies(rule, before) && identifies(rule, after)) return rule;
  }
  return {};
}

std::string element_path(const std::string& base, const json::value& item, const KeyRule& rule) {
  const bool own = rule.kind == KeyKind::kMember;
  const json::value& key = own ? item.get_object().at(rule.member) : item;
  std::string text = key.is_string() ? quoted_unless_word(key.get_string()) : short_json(key);
  // A number alone would read like a position.
  if (own && (rule.member != "id" || !key.is_string()))
    text = std::string(rule.member) + "=" + text;
  return base + "[" + text + "]";
}

class FieldComparison {
 public:
  void compare(const std::string& path, const json::value& before, const json::value& after) {
    if (before.is_object() && after.is_object()) {
      compare_objects(path, before.get_object(), after.get_object());
    } else if (before.is_array() && after.is_array()) {
      compare_arrays(path, before.get_array(), after.get_array());
    } else if (!same(before, after)) {
      changes_.push_back({path, FieldChangeKind::kChanged, short_json(before), short_json(after)});
    }
  }
  std::vector<FieldChange> take() { return std::move(changes_); }

 private:
  void added(std::string path, const json::value& value) {
    changes_.push_back({std::move(path), FieldChangeKind::kAdded, std::nullopt, short_json(value)});
  }
  void removed(std::string path, const json::value& value) {
    changes_.push_back(
        {std::move(path), FieldChangeKind::kRemoved, short_json(value), std::nullopt});
  }

  void compare_objects(const std::string& path, const json::object& before,
                       const json::object& after) {
    std::set<std::string_view> names;
    for (const auto& member : before) names.insert(member.key());
    for (const auto& member : after) names.insert(member.key());
    for (const auto name : names) {
      const auto* old_value = before.if_contains(name);
      const auto* new_value = after.if_contains(name);
      if (old_value == nullptr) {
        added(member_path(path, name), *new_value);
      } else if (new_value == nullptr) {
        removed(member_path(path, name), *old_value);
      } else {
        compare(member_path(path, name), *old_value, *new_value);
      }
    }
  }

  void compare_arrays(const std::string& path, const json::array& before,
                      const json::array& after) {
    const KeyRule rule = rule_for(before, after);
    if (rule.kind == KeyKind::kNone) {
      compare_by_position(path, before, after);
    } else {
      compare_by_key(path, before, after, rule);
    }
  }

  void compare_by_key(const std::string& path, const json::array& before, const json::array& after,
                      const KeyRule& rule) {
    std::map<std::string, const json::value*> old_items;
    for (const auto& item : before) old_items.emplace(*key_of(item, rule), &item);
    std::set<std::string> kept;
    std::vector<std::string> new_order, old_order;
    for (const auto& item : after) {
      const auto key = *key_of(item, rule);
      const auto old_item = old_items.find(key);
      if (old_item == old_items.end()) {
        added(element_path(path, item, rule), item);
        continue;
      }
      kept.insert(key);
      new_order.push_back(key);
      compare(element_path(path, item, rule), *old_item->second, item);
    }
    for (const auto& item : before) {
      const auto key = *key_of(item, rule);
      if (kept.contains(key)) {
        old_order.push_back(key);
      } else {
        removed(element_path(path, item, rule), item);
      }
    }
    if (old_order != new_order) {
      changes_.push_back(
          {path, FieldChangeKind::kMoved, order_text(old_order), order_text(new_order)});
    }
  }

  // Keys are JSON already.
  static std::string order_text(const std::vector<std::string>& keys) {
    std::string text = "[";
    for (const auto& key : keys) {
      if (text.size() > kMaxValueBytes) break;
      text += (text.size() > 1 ? "," : "") + key;
    }
    return cut(text + "]");
  }

  void compare_by_position(const std::string& path, const json::array& before,
                           const json::array& after) {
    const std::size_t shorter = std::min(before.size(), after.size());
    std::size_t first = 0, last = 0;  // equal at the front, equal at the back
    while (first < shorter && same(before[first], after[first])) ++first;
    while (last < shorter - first &&
           same(before[before.size() - 1 - last], after[after.size() - 1 - last])) {
      ++last;
    }
    const std::size_t old_end = before.size() - last, new_end = after.size() - last;
    for (std::size_t i = first; i < std::max(old_end, new_end); ++i) {
      const std::string item_path = path + "[" + std::to_string(i) + "]";
      if (i >= old_end) {
        added(item_path, after[i]);
      } else if (i >= new_end) {
        removed(item_path, before[i]);
      } else {
        compare(item_path, before[i], after[i]);
      }
    }
  }

  std::vector<FieldChange> changes_;
};

}  // namespace

std::string_view to_text(FieldChangeKind kind) {
  switch (kind) {
    case FieldChangeKind::kAdded:
      return "added";
    case FieldChangeKind::kRemoved:
      return "removed";
    case FieldChangeKind::kChanged:
      return "changed";
    case FieldChangeKind::kMoved:
      return "moved";
    case FieldChangeKind::kContent:
      return "content";
  }
  return {};
}

std::string cut(std::string_view text) {
  if (text.size() <= kMaxValueBytes) return std::string(text);
  constexpr std::string_view kEllipsis = "…";
  std::size_t end = kMaxValueBytes - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + std::string(kEllipsis);
}

std::string short_json(const json::value& value) { return cut(canonical_json(value)); }

std::string member_path(std::string_view base, std::string_view name) {
  if (!is_word(name)) return std::string(base) + "[" + short_json(json::value(name)) + "]";
  return base.empty() ? std::string(name) : std::string(base) + "." + std::string(name);
}

std::vector<FieldChange> compare_json(const json::value& before, const json::value& after) {
  FieldComparison comparison;
  comparison.compare({}, before, after);
  return comparison.take();
}

}  // namespace oa::diff
