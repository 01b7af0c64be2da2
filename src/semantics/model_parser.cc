#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "map_reader.h"
#include "model_rules.h"
#include "oa/base/ids.h"
#include "oa/semantics/model.h"
#include "tokens.h"

namespace oa::semantics {
namespace {

constexpr std::size_t kMaxNameBytes = 63;
constexpr std::size_t kMaxLabelBytes = 256;
constexpr std::size_t kMaxTables = 64;
constexpr std::size_t kMaxDimensions = 2000;
constexpr std::size_t kMaxMeasures = 2000;
constexpr std::size_t kMaxRules = 200;
constexpr std::size_t kMaxKeyColumns = 16;
constexpr std::size_t kMaxAppliesTo = 1000;

template <class Enum, std::size_t N>
using Names = std::array<std::pair<std::string_view, Enum>, N>;

constexpr Names<Grain, 5> kGrains{{{"day", Grain::kDay},
                                   {"week", Grain::kWeek},
                                   {"month", Grain::kMonth},
                                   {"quarter", Grain::kQuarter},
                                   {"year", Grain::kYear}}};
constexpr Names<JoinKind, 3> kJoinKinds{{{"many_to_one", JoinKind::kManyToOne},
                                         {"one_to_one", JoinKind::kOneToOne},
                                         {"one_to_many", JoinKind::kOneToMany}}};
constexpr Names<DimensionType, 5> kDimensionTypes{{{"text", DimensionType::kText},
                                                   {"number", DimensionType::kNumber},
                                                   {"boolean", DimensionType::kBoolean},
                                                   {"date", DimensionType::kDate},
                                                   {"timestamp", DimensionType::kTimestamp}}};
constexpr Names<MeasureType, 8> kMeasureTypes{{{"sum", MeasureType::kSum},
                                               {"count", MeasureType::kCount},
                                               {"count_distinct", MeasureType::kCountDistinct},
                                               {"avg", MeasureType::kAvg},
                                               {"min", MeasureType::kMin},
                                               {"max", MeasureType::kMax},
                                               {"ratio", MeasureType::kRatio},
                                               {"derived", MeasureType::kDerived}}};

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && text.size() <= kMaxNameBytes && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

class ModelParser {
 public:
  Result<SemanticModel> run(const YamlNode& root) {
    {
      MapReader top(root, "a model", problems_);
      model_.dataset = top.needed_text("dataset", kMaxLabelBytes);
      source(top);
      tables(top);
      if (!problems_.empty()) return problems_.error("model.parse");
      for (const YamlNode& each : top.list("joins", kMaxTables)) join(each);
      for (const YamlNode& each : top.list("dimensions", kMaxDimensions)) dimension(each);
      for (const YamlNode& each : top.list("measures", kMaxMeasures)) measure(each, "");
      security(top);
    }
    unique_ids();
    check_joins(model_, problems_);
    check_measures(model_, problems_);
    check_security(model_, problems_);
    if (!problems_.empty()) return problems_.error("model.parse");
    return std::move(model_);
  }

 private:
  void source(MapReader& top) {
    const YamlNode* node = top.find("source");
    if (node == nullptr) return;
    MapReader map(*node, "a source", problems_);
    model_.source.type = map.needed_text("type", kMaxNameBytes);
    model_.source.ref = map.text("ref", kMaxLabelBytes);
    if (!model_.source.type.empty() && !is_identifier(model_.source.type))
      problems_.add(map.at("type"), "a source's type is one word, e.g. postgres, csv or excel");
  }

  void tables(MapReader& top) {
    const YamlNode* node = top.need("tables");
    if (node == nullptr) return;
    if (node->kind != YamlNode::Kind::kList || node->items.empty() ||
        node->items.size() > kMaxTables) {
      problems_.add(node->at, fmt::format("\"tables\" is a list of 1 to {} tables", kMaxTables));
      return;
    }
    for (const YamlNode& item : node->items) {
      MapReader map(item, "a table", problems_);
      ModelTable table;
      table.at = item.at;
      table.name = name(map, "name");
      table.from = map.text("from", kMaxLabelBytes);
      if (!table.from.empty() && model_.source.type != "postgres")
        problems_.add(map.at("from"), "\"from\" names a table of a postgres source");
      for (const YamlNode* column : map.texts("primary_key", kMaxKeyColumns))
        table.primary_key.push_back(column->text);
      const bool known = std::ranges::any_of(model_.tables, [&](const ModelTable& other) {
        return lower(other.name) == lower(table.name);
      });
      if (known)
        problems_.add(map.at("name"),
                      fmt::format("the table {} is there twice", quoted_name(table.name)));
      model_.tables.push_back(std::move(table));
    }
  }

  std::string name(MapReader& map, std::string_view key) {
    std::string text = map.needed_text(key, kMaxLabelBytes);
    if (!text.empty() && !is_identifier(text)) {
      problems_.add(map.at(key), fmt::format("{} is no name: letters, digits and _, at most {}, "
                                             "not beginning with a digit",
                                             quoted_name(text), kMaxNameBytes));
    }
    return text;
  }

  template <class Enum, std::size_t N>
  std::optional<Enum> choice(std::string_view text, Position at, std::string_view what,
                             const Names<Enum, N>& names) {
    std::vector<std::string_view> known;
    for (const auto& [each, value] : names) {
      if (each == text) return value;
      known.push_back(each);
    }
    problems_.add(at, fmt::format("{} is no {}: {}{}", quoted_name(text), what,
                                  fmt::join(known, ", "), suggestion(text, known)));
    return std::nullopt;
  }

  // `table.column`, the table up to the first dot; the table may be left out where there is one.
  ColumnRef column(const std::string& text, Position at) {
    ColumnRef ref{"", "", at};
    if (text.empty()) return ref;
    const std::size_t dot = text.find('.');
    const std::string table = text.substr(0, dot);
    if (dot != std::string::npos && dot + 1 < text.size() && model_.table(table) != nullptr)
      return {table, text.substr(dot + 1), at};
    if (model_.tables.size() == 1) return {model_.tables.front().name, text, at};
    if (dot == std::string::npos || dot + 1 == text.size()) {
      problems_.add(at, fmt::format("{} is no column: write table.column", quoted_name(text)));
      return ref;
    }
    std::vector<std::string_view> names;
    for (const ModelTable& each : model_.tables) names.push_back(each.name);
    problems_.add(
        at, fmt::format("there is no table {}{}", quoted_name(table), suggestion(table, names)));
    return ref;
  }
  ColumnRef column_at(MapReader& map, std::string_view key) {
    return column(map.needed_text(key, 2 * kMaxLabelBytes), map.at(key));
  }

  void join(const YamlNode& node) {
    MapReader map(node, "a join", problems_);
    Join join;
    join.at = node.at;
    join.left = column_at(map, "left");
    join.right = column_at(map, "right");
    const std::string kind = map.needed_text("kind", kMaxNameBytes);
    if (!kind.empty())
      join.kind = choice(kind, map.at("kind"), "kind of join", kJoinKinds).value_or(join.kind);
    if (!join.left.table.empty() && !join.right.table.empty()) model_.joins.push_back(join);
  }

  void dimension(const YamlNode& node) {
    MapReader map(node, "a dimension", problems_);
    Dimension dimension;
    dimension.at = node.at;
    dimension.id = name(map, "id");
    dimension.label = map.text("label", kMaxLabelBytes);
    if (dimension.label.empty()) dimension.label = dimension.id;
    dimension.column = column_at(map, "column");
    if (const std::string type = map.text("type", kMaxNameBytes); !type.empty())
      dimension.type = choice(type, map.at("type"), "type of a dimension", kDimensionTypes);
    for (const YamlNode* text : map.texts("grains", kGrains.size())) {
      const auto grain = choice(text->text, text->at, "grain", kGrains);
      if (grain && std::ranges::find(dimension.grains, *grain) != dimension.grains.end())
        problems_.add(text->at, fmt::format("the grain {} is there twice", text->text));
      if (grain) dimension.grains.push_back(*grain);
    }
    if (!dimension.grains.empty() && dimension.type && *dimension.type != DimensionType::kDate &&
        *dimension.type != DimensionType::kTimestamp)
      problems_.add(map.at("grains"), "only a date or timestamp has grains");
    model_.dimensions.push_back(std::move(dimension));
  }

  // `nested` is the id of one that stands inside another, which has none of its own.
  void measure(const YamlNode& node, const std::string& nested) {
    MapReader map(node, nested.empty() ? "a measure" : "a nested measure", problems_);
    Measure measure;
    measure.at = node.at;
    measure.nested = !nested.empty();
    if (measure.nested) {
      measure.id = nested;
    } else {
      measure.id = name(map, "id");
      measure.label = map.text("label", kMaxLabelBytes);
      measure.format = map.text("format", kMaxLabelBytes);
    }
    if (measure.label.empty()) measure.label = measure.id;
    const std::string type = map.needed_text("type", kMaxNameBytes);
    if (type.empty()) return;
    const auto known = choice(type, map.at("type"), "type of a measure", kMeasureTypes);
    if (!known) {
      for (const char* key : {"column", "table", "numerator", "denominator", "expression"})
        map.find(key);
      return;
    }
    measure.type = *known;
    if (measure.type == MeasureType::kRatio) {
      measure.numerator = ratio_part(map, "numerator", measure.id);
      measure.denominator = ratio_part(map, "denominator", measure.id);
      measure.numerator_at = map.at("numerator");
      measure.denominator_at = map.at("denominator");
    } else if (measure.type == MeasureType::kDerived) {
      measure.expression = map.needed_text("expression", kMaxFormulaBytes);
      measure.expression_at = map.at("expression");
    } else {
      aggregate(map, measure);
    }
    model_.measures.push_back(std::move(measure));
  }

  void aggregate(MapReader& map, Measure& measure) {
    if (measure.type != MeasureType::kCount) {
      measure.column = column_at(map, "column");
      measure.table = measure.column->table;
      return;
    }
    if (const std::string text = map.text("column", 2 * kMaxLabelBytes); !text.empty())
      measure.column = column(text, map.at("column"));
    const std::string table = map.text("table", kMaxNameBytes);
    if (measure.column && !table.empty())
      problems_.add(map.at("table"), "a count has a \"column\" or a \"table\", not both");
    if (!table.empty() && model_.table(table) == nullptr)
      problems_.add(map.at("table"), fmt::format("there is no table {}", quoted_name(table)));
    measure.table = measure.column  ? measure.column->table
                    : table.empty() ? model_.tables.front().name
                                    : table;
  }

  std::string ratio_part(MapReader& map, std::string_view key, const std::string& outer) {
    const YamlNode* node = map.need(key);
    if (node == nullptr) return {};
    if (node->kind == YamlNode::Kind::kMap) {
      const std::string id = fmt::format("{}.{}", outer, key);
      measure(*node, id);
      return id;
    }
    if (node->kind == YamlNode::Kind::kScalar && is_identifier(node->text)) return node->text;
    problems_.add(node->at, fmt::format("\"{}\" is the id of a measure, or a measure", key));
    return {};
  }

  void security(MapReader& top) {
    const YamlNode* node = top.find("security");
    if (node == nullptr) return;
    model_.security.emplace();
    if (node->kind == YamlNode::Kind::kNull) {
      problems_.add(node->at, "\"security\" is a list of rules; write [] to let nobody see a row");
      return;
    }
    for (const YamlNode& item : top.list("security", kMaxRules)) {
      MapReader map(item, "a rule", problems_);
      SecurityRule rule;
      rule.at = item.at;
      rule.name = map.needed_text("name", kMaxLabelBytes);
      rule.predicate = map.needed_text("predicate", kMaxFormulaBytes);
      rule.predicate_at = map.at("predicate");
      if (const YamlNode* applies = map.need("applies_to"); applies != nullptr)
        applies_to(*applies, rule);
      model_.security->push_back(std::move(rule));
    }
  }

  void applies_to(const YamlNode& node, SecurityRule& rule) {
    MapReader map(node, "\"applies_to\"", problems_);
    for (const YamlNode* text : map.texts("role", kMaxAppliesTo)) rule.roles.push_back(text->text);
    for (const YamlNode* text : map.texts("team", kMaxAppliesTo)) rule.teams.push_back(text->text);
    for (const YamlNode* text : map.texts("user", kMaxAppliesTo)) {
      const auto id = UserId::parse(text->text);
      if (id.ok()) {
        rule.users.push_back(id->str());
      } else {
        problems_.add(text->at, "a user is named by the id, a UUID");
      }
    }
    if (rule.roles.empty() && rule.teams.empty() && rule.users.empty())
      problems_.add(node.at, "the rule applies to nobody: name a role, team or user");
  }

  void unique_ids() {
    std::vector<std::pair<std::string_view, Position>> ids;
    for (const Dimension& each : model_.dimensions) ids.emplace_back(each.id, each.at);
    for (const Measure& each : model_.measures) ids.emplace_back(each.id, each.at);
    std::ranges::sort(ids);
    for (std::size_t i = 1; i < ids.size(); ++i) {
      if (!ids[i].first.empty() && ids[i].first == ids[i - 1].first)
        problems_.add(ids[i].second, fmt::format("the id {} is there twice", ids[i].first));
    }
  }

  SemanticModel model_;
  Problems problems_;
};

}  // namespace

std::string_view to_text(Grain grain) { return kGrains[static_cast<std::size_t>(grain)].first; }

std::optional<Grain> grain_of(std::string_view text) {
  for (const auto& [name, grain] : kGrains) {
    if (name == text) return grain;
  }
  return std::nullopt;
}

const ModelTable* SemanticModel::table(std::string_view name) const {
  const auto found = std::ranges::find_if(tables, [&](const auto& t) { return t.name == name; });
  return found == tables.end() ? nullptr : &*found;
}

const Dimension* SemanticModel::dimension(std::string_view id) const {
  const auto found = std::ranges::find_if(dimensions, [&](const auto& d) { return d.id == id; });
  return found == dimensions.end() ? nullptr : &*found;
}

const Measure* SemanticModel::measure(std::string_view id) const {
  const auto found = std::ranges::find_if(measures, [&](const auto& m) { return m.id == id; });
  return found == measures.end() ? nullptr : &*found;
}

Result<SemanticModel> parse_model(std::string_view yaml) {
  OA_ASSIGN(const YamlNode root, parse_yaml(yaml));
  return ModelParser().run(root);
}

}  // namespace oa::semantics
