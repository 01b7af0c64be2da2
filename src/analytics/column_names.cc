#include "column_names.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "value_forms.h"

namespace oa::analytics {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

std::string lower_case(std::string text) {
  // ASCII is what SQL identifiers are compared by.
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string unique_name(std::string name, std::size_t position,
                        std::unordered_set<std::string>& taken) {
  if (is_blank(name)) name = "column" + std::to_string(position);
  std::string candidate = name;
  for (std::size_t number = 1; !taken.insert(lower_case(candidate)).second; ++number) {
    candidate = name + "_" + std::to_string(number);
  }
  return candidate;
}

}  // namespace

std::vector<std::string> column_names(const std::vector<std::string>& names) {
  std::unordered_set<std::string> taken;
  std::vector<std::string> unique;
  for (const std::string& name : names) {
    unique.push_back(unique_name(name, unique.size() + 1, taken));
  }
  return unique;
}

bool could_be_names(const std::vector<std::string>& values,
                    const std::vector<std::string>& null_texts) {
  return std::ranges::any_of(values, [&](const std::string& value) {
    if (is_blank(value) || std::ranges::find(null_texts, value) != null_texts.end()) return false;
    const TypeSet types = types_of(value);
    return types == 0 && forms_of(value, types) == 0 && std::ranges::count(values, value) == 1;
  });
}

}  // namespace oa::analytics
