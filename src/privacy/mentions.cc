#include "oa/privacy/mentions.h"

#include <algorithm>
#include <boost/json.hpp>
#include <functional>

#include "oa/base/record_checker.h"
#include "oa/privacy/erased_user.h"

namespace oa::privacy {
namespace {

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

// Letters of two bytes whose cases lie 32 (or 1, or 80) apart: Latin-1, Latin Extended-A, Greek,
// Cyrillic. Of other scripts with case there is the text as it was written.
char32_t other_case(char32_t c, bool upper) {
  const auto within = [&](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (upper) {
    if ((within(0xE0, 0xFE) && c != 0xF7) || within(0x3B1, 0x3C1) || within(0x3C3, 0x3C9) ||
        within(0x430, 0x44F))
      return c - 32;
    if (within(0x450, 0x45F)) return c - 80;
  } else {
    if ((within(0xC0, 0xDE) && c != 0xD7) || within(0x391, 0x3A1) || within(0x3A3, 0x3A9) ||
        within(0x410, 0x42F))
      return c + 32;
    if (within(0x400, 0x40F)) return c + 80;
  }
  if (within(0x100, 0x137) || within(0x14A, 0x177))  // pairs: even is upper
    return upper ? c & ~char32_t{1} : c | 1;
  if (within(0x139, 0x148) || within(0x179, 0x17E))  // pairs: odd is upper
    return upper ? (c % 2 == 0 ? c - 1 : c) : (c % 2 == 1 ? c + 1 : c);
  return c;
}

std::string folded(std::string_view text, bool upper) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if ((first & 0xE0) != 0xC0 || i + 1 >= text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const auto second = static_cast<unsigned char>(text[++i]);
    const char32_t other = other_case(char32_t{first & 0x1Fu} << 6 | (second & 0x3Fu), upper);
    out.push_back(static_cast<char>(0xC0 | other >> 6));
    out.push_back(static_cast<char>(0x80 | (other & 0x3F)));
  }
  return out;
}

// ASCII letters in lower case, the others as written, all in lower and all in upper case.
void add_cases(std::vector<std::string>& out, std::string_view text) {
  for (const auto& form : {std::string(text), folded(text, false), folded(text, true)}) {
    std::string lower = ascii_lower(form);
    if (std::ranges::find(out, lower) == out.end()) out.push_back(std::move(lower));
  }
}

std::string percent_encoded(std::string_view text, std::string_view blank) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else if (c == ' ') {
      out += blank;
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// Of an address also what it could go on with to be another one.
bool stands_alone(std::string_view lower, std::size_t begin, std::size_t size, bool address) {
  const std::size_t end = begin + size;
  const char before = begin == 0 ? ' ' : lower[begin - 1];
  const char after = end == lower.size() ? ' ' : lower[end];
  const char behind = end + 1 >= lower.size() ? ' ' : lower[end + 1];
  // What is percent-encoded before it is not a part of it: "mailto%3Ajane%40…".
  const bool encoded = begin >= 3 && lower[begin - 3] == '%';
  if (is_word(before) && !encoded) return false;
  if (is_word(after)) return false;
  if (!address) return true;
  if (before == '.' || before == '+' || before == '-' || before == '_') return false;
  return !((after == '.' || after == '-') && is_word(behind));
}

bool is_address(std::string_view needle) {
  return needle.find('@') != needle.npos || needle.find("%40") != needle.npos;
}

// Where the first mention is, and how long; npos when there is none.
std::pair<std::size_t, std::size_t> find(std::string_view lower, std::size_t from,
                                         const std::vector<std::string>& needles) {
  std::pair<std::size_t, std::size_t> first{std::string_view::npos, 0};
  for (const auto& needle : needles) {
    const bool address = is_address(needle);
    auto at = lower.find(needle, from);
    while (at < first.first && !stands_alone(lower, at, needle.size(), address))
      at = lower.find(needle, at + 1);
    if (at < first.first) first = {at, needle.size()};
  }
  return first;
}

std::string replaced(std::string_view text, const PersonValues& person) {
  const std::string lower = ascii_lower(text);
  std::string out;
  std::size_t from = 0;
  for (;;) {
    const auto [at, size] = find(lower, from, person.needles);
    if (at == lower.npos) break;
    out += text.substr(from, at - from);
    out += person.tombstone;
    from = at + size;
  }
  return out += text.substr(from);
}

json::value rewritten(const json::value& value, std::span<const PersonValues> people) {
  if (value.is_string())
    return json::value(without_mentions(std::string_view(value.as_string()), people));
  if (value.is_array()) {
    json::array out;
    for (const auto& item : value.as_array()) out.push_back(rewritten(item, people));
    return out;
  }
  if (!value.is_object()) return value;
  json::object out;
  for (const auto& member : value.as_object())
    out.insert_or_assign(without_mentions(std::string_view(member.key()), people),
                         rewritten(member.value(), people));
  return out;
}

bool finds(const json::value& value, std::span<const PersonValues> people) {
  if (value.is_string()) return mentions(std::string_view(value.as_string()), people);
  if (value.is_array())
    return std::ranges::any_of(value.as_array(),
                               [&](const auto& item) { return finds(item, people); });
  if (!value.is_object()) return false;
  return std::ranges::any_of(value.as_object(), [&](const auto& member) {
    return mentions(std::string_view(member.key()), people) || finds(member.value(), people);
  });
}

// A cheap look before a document is parsed: what JSON escapes would hide begins with a backslash.
bool may_mention(const std::string& document, std::span<const PersonValues> people) {
  if (document.find('\\') != document.npos) return true;
  const std::string lower = ascii_lower(document);
  return std::ranges::any_of(people, [&](const auto& person) {
    return std::ranges::any_of(
        person.needles, [&](const auto& needle) { return lower.find(needle) != lower.npos; });
  });
}

void redact_value(PersonalValue& value, const std::string& tombstone) {
  value.salt.clear();
  value.value = tombstone;
  value.redacted = true;
}

bool is_theirs(std::string_view path, const AuditEvent& event, const PersonValues& person) {
  const bool of_actor = path.starts_with("actor.");
  if (of_actor && event.actor_id == person.id.uuid()) return true;
  return !of_actor && event.resource_type == "user" && event.resource_id == person.id.str();
}

}  // namespace

catalog::User erased_user(UserId id, Timestamp created_at) {
  catalog::User user;
  user.id = id;
  user.email = "erased-" + id.str() + "@erased.invalid";  // RFC 2606: leads nowhere
  user.first_name = "Erased";
  user.last_name = "user";
  user.active = false;
  user.created_at = created_at;
  return user;
}

bool is_erased(const catalog::User& user) {
  return user.email == erased_user(user.id, user.created_at).email;
}

PersonValues values_of(const catalog::User& user, std::string tombstone) {
  PersonValues person;
  person.id = user.id;
  person.tombstone = std::move(tombstone);
  if (is_erased(user)) return person;
  person.email = trimmed(user.email);
  person.first_name = trimmed(user.first_name);
  person.last_name = trimmed(user.last_name);
  std::vector<std::string> forms;
  if (person.email.find('@') != person.email.npos) forms.push_back(person.email);
  if (!person.first_name.empty() && !person.last_name.empty()) {
    forms.push_back(person.first_name + " " + person.last_name);
    forms.push_back(person.last_name + ", " + person.first_name);
  }
  for (const auto& form : forms) {
    add_cases(person.values, form);
    add_cases(person.needles, form);
    for (const std::string_view blank : {"%20", "+"})
      add_cases(person.needles, percent_encoded(form, blank));
  }
  for (const auto& name : {person.first_name, person.last_name}) {
    if (!name.empty()) add_cases(person.values, name);
  }
  return person;
}

std::string without_mentions(std::string_view text, std::span<const PersonValues> people) {
  std::string out(text);
  for (const auto& person : people) out = replaced(out, person);
  return out;
}

JsonText without_mentions(const JsonText& document, std::span<const PersonValues> people) {
  if (!may_mention(document.str(), people)) return document;
  return JsonText::of(rewritten(document.value(), people));
}

JsonText without_items(const JsonText& document, std::span<const PersonValues> people) {
  if (!may_mention(document.str(), people)) return document;
  json::value value = document.value();
  auto* members = value.if_object();
  auto* items = members == nullptr ? nullptr : members->if_contains("items");
  if (items != nullptr && items->is_array()) {
    auto& all = items->as_array();
    for (auto item = all.begin(); item != all.end();)
      item = finds(*item, people) ? all.erase(item) : item + 1;
  }
  return JsonText::of(rewritten(value, people));
}

bool mentions(std::string_view text, std::span<const PersonValues> people) {
  const std::string lower = ascii_lower(text);
  return std::ranges::any_of(people, [&](const auto& person) {
    return find(lower, 0, person.needles).first != lower.npos;
  });
}

bool mentions(const JsonText& document, std::span<const PersonValues> people) {
  return may_mention(document.str(), people) && finds(document.value(), people);
}

std::string name_without_mentions(std::string_view name, std::span<const PersonValues> people) {
  std::string out = without_mentions(name, people);
  if (out == name || out.size() <= kMaxNameBytes) return out;
  for (const auto& person : people) {
    if (mentions(name, {&person, 1})) return person.tombstone;
  }
  return out;
}

void remove_mentions(catalog::Team& team, std::span<const PersonValues> people) {
  team.name = name_without_mentions(team.name, people);
}

void remove_mentions(catalog::Workspace& workspace, std::span<const PersonValues> people) {
  workspace.name = name_without_mentions(workspace.name, people);
}

void remove_mentions(catalog::Dataset& dataset, std::span<const PersonValues> people) {
  dataset.name = name_without_mentions(dataset.name, people);
  dataset.model_yaml = without_mentions(dataset.model_yaml, people);
  if (dataset.source_ref.has_value())
    dataset.source_ref = name_without_mentions(*dataset.source_ref, people);
}

void remove_mentions(catalog::Report& report, std::span<const PersonValues> people) {
  report.name = name_without_mentions(report.name, people);
  report.layout = without_mentions(report.layout, people);
  report.filters = without_mentions(report.filters, people);
  for (auto& visual : report.visuals) {
    visual.title = name_without_mentions(visual.title, people);
    visual.query = without_mentions(visual.query, people);
    visual.options = without_mentions(visual.options, people);
  }
  for (auto& bookmark : report.bookmarks) {
    bookmark.name = name_without_mentions(bookmark.name, people);
    bookmark.state = without_mentions(bookmark.state, people);
  }
}

void remove_mentions(catalog::Alert& alert, std::span<const PersonValues> people) {
  alert.name = name_without_mentions(alert.name, people);
  alert.measure = name_without_mentions(alert.measure, people);
  alert.condition = without_mentions(alert.condition, people);
  alert.channels = without_items(alert.channels, people);
}

void redact(AuditEvent& event, std::span<const PersonValues> people) {
  for (auto& [path, value] : event.personal) {
    if (value.redacted) continue;
    const std::string lower = ascii_lower(value.value);
    for (const auto& person : people) {
      const bool is_value = std::ranges::find(person.values, lower) != person.values.end();
      if (!is_value && !is_theirs(path, event, person) && !mentions(value.value, {&person, 1}))
        continue;
      redact_value(value, person.tombstone);
      break;
    }
  }
}

}  // namespace oa::privacy
