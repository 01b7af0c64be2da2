#include "oa/diff/fields.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "oa/base/bytes.h"

namespace oa::diff {
namespace {

using Kind = FieldChangeKind;

std::vector<FieldChange> compare_text(std::string_view before, std::string_view after) {
  return compare_json(parse_json(before).value(), parse_json(after).value());
}

FieldChange changed(std::string path, std::string before, std::string after) {
  return {std::move(path), Kind::kChanged, std::move(before), std::move(after)};
}
FieldChange added(std::string path, std::string after) {
  return {std::move(path), Kind::kAdded, std::nullopt, std::move(after)};
}
FieldChange removed(std::string path, std::string before) {
  return {std::move(path), Kind::kRemoved, std::move(before), std::nullopt};
}

using Fields = std::vector<FieldChange>;

TEST(Fields, MembersAreNamedByTheirPath) {
  EXPECT_EQ(compare_text(R"({"a":{"b":1,"c":2},"x":null})", R"({"a":{"b":3,"d":[]},"x":null})"),
            (Fields{changed("a.b", "1", "3"), removed("a.c", "2"), added("a.d", "[]")}));
  EXPECT_EQ(compare_text(R"({"a.b":{"":1}})", R"({"a.b":{"":"1"}})"),
            (Fields{changed(R"(["a.b"][""])", "1", "\"1\"")}));
}

TEST(Fields, EqualNumbersAreEqualHoweverWritten) {
  EXPECT_TRUE(compare_text(R"({"a":1,"b":[1e2]})", R"({"b":[100.0],"a":1.0})").empty());
}

TEST(Fields, ElementsWithIdsAreMatchedWhereverTheyStand) {
  EXPECT_EQ(compare_text(R"({"v":[{"id":"a","t":1},{"id":"b","t":2},{"id":"c","t":3}]})",
                         R"({"v":[{"id":"d","t":9},{"id":"c","t":3},{"id":"a","t":7}]})"),
            (Fields{added("v[d]", R"({"id":"d","t":9})"),
                    changed("v[a].t", "1", "7"),
                    removed("v[b]", R"({"id":"b","t":2})"),
                    {"v", Kind::kMoved, R"(["a","c"])", R"(["c","a"])"}}));
  // An id that reads like a position is quoted.
  EXPECT_EQ(compare_text(R"({"v":[{"id":3,"t":1}]})", R"({"v":[{"id":3,"t":2}]})"),
            (Fields{changed("v[id=3].t", "1", "2")}));
  EXPECT_EQ(compare_text(R"({"v":[{"id":"3","t":1}]})", R"({"v":[{"id":"3","t":2}]})"),
            (Fields{changed(R"(v["3"].t)", "1", "2")}));
}

TEST(Fields, OtherKeysOfOurDocuments) {
  EXPECT_EQ(compare_text(R"({"versions":[{"version":1,"c":1},{"version":2,"c":1}]})",
                         R"({"versions":[{"version":2,"c":5}]})"),
            (Fields{changed("versions[version=2].c", "1", "5"),
                    removed("versions[version=1]", R"({"c":1,"version":1})")}));
  EXPECT_EQ(compare_text(R"({"roles":[{"principal":"p","role":"viewer"}]})",
                         R"({"roles":[{"principal":"p","role":"admin"}]})"),
            (Fields{changed("roles[principal=p].role", "\"viewer\"", "\"admin\"")}));
  EXPECT_EQ(compare_text(R"({"members":["a","b"]})", R"({"members":["b","c"]})"),
            (Fields{added("members[c]", "\"c\""), removed("members[a]", "\"a\"")}));
}

TEST(Fields, WithoutKeysElementsAreMatchedByPosition) {
  EXPECT_EQ(compare_text("[1,2,3,4]", "[1,9,2,3,4]"), (Fields{added("[1]", "9")}));
  EXPECT_EQ(compare_text("[1,2,3,4]", "[1,4]"), (Fields{removed("[1]", "2"), removed("[2]", "3")}));
  EXPECT_EQ(compare_text("[1,{\"a\":1},3]", "[1,{\"a\":2},3]"),
            (Fields{changed("[1].a", "1", "2")}));
  // Twice the same id: no key.
  EXPECT_EQ(compare_text(R"([{"id":"a"},{"id":"a"}])", R"([{"id":"a"},{"id":"b"}])"),
            (Fields{changed("[1].id", "\"a\"", "\"b\"")}));
}

TEST(Fields, LongValuesAreCutBetweenCharacters) {
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const std::string text = std::string(shift, 'x') + [] {
      std::string euros;
      for (int i = 0; i < 500; ++i) euros += "€";
      return euros;
    }();
    const std::string shown = cut(text);
    EXPECT_LE(shown.size(), kMaxValueBytes);
    EXPECT_GT(shown.size(), kMaxValueBytes - 4);
    EXPECT_TRUE(is_utf8(shown));
    EXPECT_TRUE(shown.ends_with("…"));
  }
  EXPECT_EQ(cut(std::string(kMaxValueBytes, 'a')), std::string(kMaxValueBytes, 'a'));
  const auto fields = compare_json(json::object{{std::string(5000, 'n'), std::string(9000, 'a')}},
                                   json::object{{std::string(5000, 'n'), std::string(9000, 'b')}});
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_LE(fields[0].path.size(), kMaxValueBytes + 2);
  EXPECT_LE(fields[0].before->size(), kMaxValueBytes);
}

// --- for all documents ---

rc::Gen<std::string> words() { return rc::gen::element<std::string>("a", "b", "c", "d"); }

// Evenly spread from the first test on: rapidcheck begins with small numbers.
rc::Gen<int> below(int end) { return rc::gen::resize(100, rc::gen::inRange(0, end)); }

rc::Gen<json::value> scalars() {
  return rc::gen::oneOf(
      rc::gen::map(below(3), [](int n) { return json::value(n); }),
      rc::gen::map(words(), [](std::string w) { return json::value(w); }),
      rc::gen::element<json::value>(json::value(), json::value(true), json::value(0.5)));
}

template <class T>
rc::Gen<std::vector<T>> few(rc::Gen<T> inner) {
  return rc::gen::mapcat(below(5),
                         [inner](int n) { return rc::gen::container<std::vector<T>>(n, inner); });
}

rc::Gen<json::value> objects_of(rc::Gen<json::value> inner) {
  return rc::gen::map(few(rc::gen::pair(words(), inner)), [](const auto& members) {
    json::object object;
    for (const auto& [name, value] : members) object[name] = value;
    return json::value(object);
  });
}

rc::Gen<json::value> arrays_of(rc::Gen<json::value> inner) {
  return rc::gen::map(few(inner), [](const auto& items) {
    return json::value(json::array(items.begin(), items.end()));
  });
}

// Objects with an `id` each.
rc::Gen<json::value> keyed_arrays_of(rc::Gen<json::value> inner) {
  return rc::gen::map(few(inner), [](const auto& items) {
    json::array array;
    for (std::size_t i = 0; i < items.size(); ++i) {
      array.push_back(
          json::object{{"id", std::string(1, static_cast<char>('a' + i))}, {"value", items[i]}});
    }
    return json::value(std::move(array));
  });
}

rc::Gen<json::value> values(int depth) {
  if (depth == 0) return scalars();
  const auto inner = rc::gen::lazy([depth] { return values(depth - 1); });
  return rc::gen::oneOf(scalars(), objects_of(inner), arrays_of(inner), keyed_arrays_of(inner));
}

json::value edited(const json::value& value);

json::value edited_object(const json::object& object) {
  json::object out;
  for (const auto& member : object) {
    if (*below(8) > 0) out[member.key()] = edited(member.value());
  }
  if (*below(4) == 0) out[*words()] = *scalars();
  return out;
}

json::value edited_array(const json::array& items) {
  std::vector<json::value> out;
  for (const auto& item : items) {
    if (*below(8) > 0) out.push_back(edited(item));
  }
  if (*below(4) == 0)
    out.insert(out.begin() + *below(static_cast<int>(out.size()) + 1), *values(1));
  if (out.size() > 1 && *below(3) == 0) std::rotate(out.begin(), out.begin() + 1, out.end());
  return json::array(out.begin(), out.end());
}

// What somebody could have made of `value`.
json::value edited(const json::value& value) {
  if (*below(10) == 0) return *values(1);
  if (value.is_object()) return edited_object(value.get_object());
  if (value.is_array()) return edited_array(value.get_array());
  return value;
}

// The value that a path names, found independently of how it was written: names and keys are plain
// words here. nullptr when there is none.
const json::value* look_up(const json::value& document, std::string_view path) {
  const json::value* at = &document;
  while (!path.empty() && at != nullptr) {
    const bool element = path[0] == '[';
    if (element || path[0] == '.') path.remove_prefix(1);
    const auto end = std::min(path.find_first_of(element ? "]" : ".["), path.size());
    const std::string part(path.substr(0, end));
    path.remove_prefix(std::min(end + (element ? 1 : 0), path.size()));
    const json::value* next = nullptr;
    if (!element) {
      next = at->is_object() ? at->get_object().if_contains(part) : nullptr;
    } else if (at->is_array() && std::isdigit(static_cast<unsigned char>(part[0]))) {
      const auto index = std::stoul(part);
      next = index < at->get_array().size() ? &at->get_array()[index] : nullptr;
    } else if (at->is_array()) {
      for (const auto& item : at->get_array()) {
        const auto* object = item.if_object();
        const auto* id = object == nullptr ? nullptr : object->if_contains("id");
        if (item == json::value(part) || (id != nullptr && *id == json::value(part)) ||
            (id != nullptr && "id=" + canonical_json(*id) == part)) {
          next = &item;
        }
      }
    }
    at = next;
  }
  return at;
}

void set_member(json::value& document, std::string_view path, const json::value* value) {
  json::object* at = &document.as_object();
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
    at = &(*at)[path.substr(0, dot)].as_object();
    path.remove_prefix(dot + 1);
  }
  if (value == nullptr) {
    at->erase(path);
  } else {
    (*at)[path] = *value;
  }
}

std::optional<std::string> shown(const json::value* value) {
  return value == nullptr ? std::nullopt : std::optional(short_json(*value));
}

TEST(FieldProperties, NoFieldExactlyWhenTheCanonicalFormsAreEqual) {
  EXPECT_TRUE(rc::check([] {
    const auto before = *values(4), after = edited(before);
    RC_ASSERT(compare_json(before, before).empty());
    RC_ASSERT(compare_json(before, after).empty() ==
              (canonical_json(before) == canonical_json(after)));
  }));
}

TEST(FieldProperties, BeforeAndAfterAreWhatTheDocumentsHoldAtThePath) {
  std::set<Kind> seen;
  EXPECT_TRUE(rc::check([&] {
    const auto before = *objects_of(values(3)), after = edited_object(before.get_object());
    for (const auto& field : compare_json(before, after)) {
      seen.insert(field.kind);
      if (field.kind == Kind::kMoved) {
        const auto *old_items = look_up(before, field.path),
                   *new_items = look_up(after, field.path);
        RC_ASSERT((old_items != nullptr && old_items->is_array()));
        RC_ASSERT((new_items != nullptr && new_items->is_array()));
        continue;
      }
      if (field.kind != Kind::kAdded) RC_ASSERT(field.before == shown(look_up(before, field.path)));
      if (field.kind != Kind::kRemoved) RC_ASSERT(field.after == shown(look_up(after, field.path)));
      RC_ASSERT((field.before != field.after || field.before->ends_with("…")));
    }
  }));
  seen.erase(Kind::kMoved);  // in most runs
  EXPECT_EQ(seen, (std::set{Kind::kAdded, Kind::kRemoved, Kind::kChanged}));
}

TEST(FieldProperties, SwappedSidesGiveTheMirrorImage) {
  EXPECT_TRUE(rc::check([] {
    const auto before = *values(4), after = edited(before);
    const auto sorted = [](Fields fields) {
      std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) {
        return std::tie(a.path, a.kind, a.before, a.after) <
               std::tie(b.path, b.kind, b.before, b.after);
      });
      return fields;
    };
    Fields mirror = compare_json(after, before);
    for (auto& field : mirror) {
      std::swap(field.before, field.after);
      if (field.kind == Kind::kAdded) {
        field.kind = Kind::kRemoved;
      } else if (field.kind == Kind::kRemoved) {
        field.kind = Kind::kAdded;
      }
    }
    RC_ASSERT(sorted(compare_json(before, after)) == sorted(mirror));
  }));
}

TEST(FieldProperties, TheFieldsAppliedToOneSideMakeTheOther) {
  const auto document = objects_of(rc::gen::oneOf(scalars(), objects_of(objects_of(scalars()))));
  EXPECT_TRUE(rc::check([&] {
    const auto before = *document, after = edited_object(before.get_object());
    json::value made = before;
    for (const auto& field : compare_json(before, after)) {
      const auto value = field.after.has_value() ? parse_json(*field.after) : json::value();
      RC_ASSERT(value.ok());
      set_member(made, field.path, field.after.has_value() ? &*value : nullptr);
    }
    RC_ASSERT(canonical_json(made) == canonical_json(after));
  }));
}

}  // namespace
}  // namespace oa::diff
