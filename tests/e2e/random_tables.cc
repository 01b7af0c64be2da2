#include "random_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace oa::testkit {
namespace {

constexpr std::array kNames = {"amount $",    "größe",     "a b",  "order",      "x\"y",
                               "it's",        "naïve; --", "日本", "select",     "plain",
                               "tab\tinside", "a,b",       "$1",   "{{ user }}", "Ünï"};
constexpr std::array kTexts = {"North",       "South", "Zürich",     "a \"quoted\" one",
                               "two\nlines",  "007",   "'; --",      "日本語",
                               "comma, here", "Ω",     "e\xCC\x81 ", "NULL",
                               "%_\\",        "x",     "",           "\xF0\x9F\x9A\x80"};
enum Type : std::size_t { kText, kInteger, kReal, kDate, kTimestamp, kBoolean, kTypes };

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

// YAML's double-quoted style takes JSON's strings.
std::string yaml(const std::string& text) { return canonical_json(json::value(text)); }

}  // namespace

std::string RandomTables::cell(std::size_t type) {
  if (below(7) == 0) return "";
  switch (type) {
    case kInteger:
      return std::to_string(static_cast<std::int64_t>(below(2'000'000)) - 1'000'000);
    case kReal:
      return fmt::format("{}.{:03}", static_cast<std::int64_t>(below(2000)) - 1000, below(1000));
    case kDate:
      return fmt::format("{}-{:02}-{:02}", 2022 + below(3), 1 + below(12), 1 + below(28));
    case kTimestamp:
      return fmt::format("2024-{:02}-{:02} {:02}:{:02}:15", 1 + below(12), 1 + below(28), below(24),
                         below(60));
    case kBoolean:
      return below(2) == 0 ? "true" : "false";
    default:
      return quoted(kTexts[below(kTexts.size())]);
  }
}

RandomTables::Table RandomTables::table() {
  Table table;
  ++tables_;
  std::vector<std::string> names(kNames.begin(), kNames.end());
  std::ranges::shuffle(names, engine_);
  std::string dimensions, measures = "  - { id: rows, type: count }\n";
  std::vector<std::size_t> types;
  table.csv = "id";
  table.measures = {"rows"};
  const std::size_t columns = 2 + below(6);
  for (std::size_t i = 0; i < columns; ++i) {
    types.push_back(i == 0 ? kText : below(kTypes));
    table.csv += "," + quoted(names[i]);
    const std::string column = yaml("t." + names[i]);
    const std::string id = fmt::format("t{}_d{}", tables_, i);
    const bool date = types[i] == kDate || types[i] == kTimestamp;
    dimensions +=
        fmt::format("  - {{ id: {}, column: {}, label: {}{} }}\n", id, column, yaml(names[i]),
                    date ? ", grains: [day, week, month, quarter, year]" : "");
    table.dimensions.push_back(id);
    if (date) table.dates.push_back(id);
    if (types[i] == kText) table.texts.push_back(id);
    if (types[i] != kInteger && types[i] != kReal) {
      measures += fmt::format("  - {{ id: c{}, type: count_distinct, column: {} }}\n", i, column);
      table.measures.push_back(fmt::format("c{}", i));
      continue;
    }
    constexpr std::array kKinds = {"sum", "avg", "min", "max", "count", "count_distinct"};
    measures += fmt::format("  - {{ id: m{}, type: {}, column: {} }}\n", i,
                            kKinds[below(kKinds.size())], column);
    measures +=
        fmt::format("  - {{ id: r{0}, type: ratio, numerator: m{0}, denominator: rows }}\n", i);
    measures +=
        fmt::format("  - {{ id: e{0}, type: derived, expression: \"m{0} * 2 - r{0} / 3\" }}\n", i);
    for (const char kind : {'m', 'r', 'e'}) table.measures.push_back(fmt::format("{}{}", kind, i));
  }
  // Enough rows of each kind that the types are seen; a table without rows has only text.
  const std::uint64_t rows = 20 + below(380);
  const char* line_end = below(2) == 0 ? "\n" : "\r\n";
  table.csv += line_end;
  for (std::uint64_t row = 0; row < rows; ++row) {
    table.csv += std::to_string(row);
    for (const std::size_t type : types) table.csv += "," + cell(type);
    table.csv += line_end;
  }
  table.model_yaml =
      "dataset: random   # kept to the letter\ntables:\n  - { name: t, primary_key: id }\n"
      "dimensions:\n" +
      dimensions + "measures:\n" + measures;
  return table;
}

json::array RandomTables::filters(const Table& table) {
  json::array filters;
  if (below(2) == 0) {
    constexpr std::array kOps = {"eq", "ne", "contains"};
    filters.push_back(json::object{{"field", table.texts[below(table.texts.size())]},
                                   {"op", kOps[below(kOps.size())]},
                                   {"value", kTexts[below(kTexts.size())]}});
  }
  if (!table.dates.empty() && below(3) == 0) {
    filters.push_back(json::object{{"field", table.dates.front()},
                                   {"op", "between"},
                                   {"value", json::array{"2022-06-01", "2024-06-30"}}});
  }
  return filters;
}

json::object RandomTables::query(const Table& table) {
  json::array dimensions, measures;
  std::vector<std::string> ids = table.dimensions;
  std::ranges::shuffle(ids, engine_);
  for (std::size_t i = below(std::min<std::size_t>(3, ids.size() + 1)); i-- > 0;) {
    json::object dimension{{"id", ids[i]}};
    const bool date = std::ranges::find(table.dates, ids[i]) != table.dates.end();
    if (date && below(3) > 0) dimension["grain"] = below(2) == 0 ? "month" : "week";
    dimensions.push_back(std::move(dimension));
  }
  std::vector<std::string> all = table.measures;
  std::ranges::shuffle(all, engine_);
  for (std::size_t i = 1 + below(std::min<std::size_t>(3, all.size())); i-- > 0;)
    measures.emplace_back(all[i]);
  json::array order;
  if (below(2) == 0)
    order.push_back(
        json::object{{"field", measures.front()}, {"dir", below(2) == 0 ? "asc" : "desc"}});
  return {{"dimensions", std::move(dimensions)},
          {"measures", std::move(measures)},
          {"filters", filters(table)},
          {"order_by", std::move(order)},
          {"limit", 1 + below(200)}};
}

catalog::Visual RandomTables::visual(const Table& table, DatasetId dataset) {
  catalog::Visual visual;
  visual.id = VisualId::random();
  visual.kind = static_cast<catalog::VisualKind>(below(5));
  visual.title = kTexts[below(kTexts.size())];
  visual.dataset_id = dataset;
  visual.dataset_version = 1;
  visual.query = JsonText::of(query(table));
  json::object options{{"colour", "default"}, {"scale", 0.1 * static_cast<double>(below(30))}};
  if (visual.kind == catalog::VisualKind::kKpi && !table.dates.empty() && below(2) == 0) {
    options["comparison"] = json::object{
        {"kind", "previous_period"}, {"dimension", table.dates.front()}, {"grain", "month"}};
  }
  visual.options = JsonText::of(options);
  return visual;
}

}  // namespace oa::testkit
