#include "default_model.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <set>

#include "oa/base/json.h"

namespace oa::datasets {
namespace {

constexpr std::size_t kMaxIdBytes = 48;
constexpr std::size_t kMaxLabelBytes = 255;
constexpr std::size_t kMaxFields = 500;  // a model of thousands would be read by nobody

// Other characters become one underscore in a row.
std::string identifier_of(std::string_view text) {
  std::string id;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (id.size() == kMaxIdBytes) break;
    if (letter) {
      id += c;
    } else if (c >= 'A' && c <= 'Z') {
      id += static_cast<char>(c - 'A' + 'a');
    } else if (!id.empty() && id.back() != '_') {
      id += '_';
    }
  }
  while (!id.empty() && id.back() == '_') id.pop_back();
  if (!id.empty() && id[0] >= '0' && id[0] <= '9') id.insert(0, "n");
  return id;
}

// Ids of a model are unique, whatever its columns are called.
class Ids {
 public:
  std::string add(std::string_view text) {
    std::string base = identifier_of(text);
    if (base.empty()) base = "field";
    std::string id = base;
    for (int n = 2; !used_.insert(id).second; ++n) id = base + "_" + std::to_string(n);
    return id;
  }

 private:
  std::set<std::string> used_;
};

// JSON's quoted text is YAML's too.
std::string quoted(std::string_view text) { return boost::json::serialize(json::string(text)); }

// Whether a person can read and write it in a model.
bool is_plain(std::string_view name) {
  return name.size() <= kMaxLabelBytes &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_number(std::string_view type) {
  return type == "BIGINT" || type == "DOUBLE" || type.starts_with("DECIMAL");
}
bool is_date(std::string_view type) { return type == "DATE" || type.starts_with("TIMESTAMP"); }

}  // namespace

std::string table_name_of(std::string_view dataset_name) {
  const std::string id = identifier_of(dataset_name);
  return id.empty() ? "rows" : id;
}

std::string default_model(std::string_view dataset_name, std::span<const Column> columns) {
  const std::string table = table_name_of(dataset_name);
  Ids ids;
  std::string dimensions, measures = "  - { id: " + ids.add("row_count") + ", type: count }\n";
  std::size_t fields = 1;
  for (const Column& column : columns) {
    if (!is_plain(column.name)) continue;
    if (fields++ == kMaxFields) break;
    const std::string from = ", column: " + quoted(table + "." + column.name);
    const std::string label = ", label: " + quoted(column.name);
    if (is_number(column.type)) {
      measures += "  - { id: " + quoted(ids.add("total_" + column.name)) + ", type: sum" + from +
                  label + " }\n";
    } else {
      dimensions += "  - { id: " + quoted(ids.add(column.name)) + from + label;
      if (is_date(column.type))
        dimensions += ", type: date, grains: [day, week, month, quarter, year]";
      dimensions += " }\n";
    }
  }
  std::string yaml =
      "dataset: " + quoted(table) + "\ntables:\n  - { name: " + quoted(table) + " }\n";
  if (!dimensions.empty()) yaml += "dimensions:\n" + dimensions;
  return yaml + "measures:\n" + measures;
}

}  // namespace oa::datasets
