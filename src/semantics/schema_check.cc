#include <fmt/format.h>

#include "model_rules.h"
#include "predicate.h"
#include "problems.h"
#include "sql_types.h"

namespace oa::semantics {
namespace {

class SchemaCheck {
 public:
  SchemaCheck(const SemanticModel& model, std::span<const TableSchema> tables)
      : model_(model), tables_(tables) {}

  Status run() {
    for (const ModelTable& table : model_.tables) check(table);
    for (const Join& join : model_.joins) check(join);
    for (const Dimension& dimension : model_.dimensions) check(dimension);
    for (const Measure& measure : model_.measures) check(measure);
    if (model_.security) {
      for (const SecurityRule& rule : *model_.security) check(rule);
    }
    if (problems_.empty()) return {};
    return problems_.error("model.check");
  }

 private:
  const TableSchema* schema(std::string_view table) const {
    for (const TableSchema& each : tables_) {
      if (each.name == table) return &each;
    }
    return nullptr;
  }

  // The column, or nullptr and a problem. A table that is missing is told once, where it stands.
  const Column* column(const ColumnRef& ref) {
    const TableSchema* table = schema(ref.table);
    if (table == nullptr) return nullptr;
    const Column* found = find_column(tables_, ref.table, ref.column);
    if (found == nullptr) {
      std::vector<std::string_view> names;
      if (!problems_.many()) {
        for (const Column& each : table->columns) names.push_back(each.name);
      }
      problems_.add(ref.at, fmt::format("the table {} has no column {}{}", quoted_name(ref.table),
                                        quoted_name(ref.column), suggestion(ref.column, names)));
    }
    return found;
  }

  void check(const ModelTable& table) {
    if (schema(table.name) == nullptr) {
      std::vector<std::string_view> names;
      for (const TableSchema& each : tables_) names.push_back(each.name);
      problems_.add(table.at, fmt::format("the rows have no table {}{}", quoted_name(table.name),
                                          suggestion(table.name, names)));
    }
    for (const std::string& key : table.primary_key) column({table.name, key, table.at});
  }

  void check(const Join& join) {
    const Column* left = column(join.left);
    const Column* right = column(join.right);
    if (left == nullptr || right == nullptr) return;
    if (!comparable(class_of(left->type), class_of(right->type)))
      problems_.add(join.at,
                    fmt::format("{}.{} is {} and {}.{} is {}: the two cannot be compared",
                                join.left.table, quoted_name(join.left.column), left->type,
                                join.right.table, quoted_name(join.right.column), right->type));
  }

  void check(const Dimension& dimension) {
    const Column* found = column(dimension.column);
    if (found == nullptr) return;
    const TypeClass type = class_of(found->type);
    if (!dimension.grains.empty() && !is_temporal(type)) {
      problems_.add(dimension.column.at,
                    fmt::format("grains need a date or timestamp, the column {} is {}",
                                quoted_name(found->name), found->type));
      return;
    }
    if (!dimension.type || shows(*dimension.type, type)) return;
    problems_.add(dimension.column.at,
                  fmt::format("the dimension {} is of another type than its column, which is {}",
                              quoted_name(dimension.id), found->type));
  }
  static bool shows(DimensionType wanted, TypeClass type) {
    switch (wanted) {
      case DimensionType::kText:
        return type == TypeClass::kText;
      case DimensionType::kNumber:
        return is_number(type);
      case DimensionType::kBoolean:
        return type == TypeClass::kBoolean;
      case DimensionType::kDate:
        return is_temporal(type);
      case DimensionType::kTimestamp:
        return type == TypeClass::kTimestamp || type == TypeClass::kZonedTimestamp;
    }
    return false;
  }

  void check(const Measure& measure) {
    for (const MeasurePart& part : parts_of(measure)) check_number(part);
    if (!measure.column) return;
    const Column* found = column(*measure.column);
    if (found == nullptr) return;
    const bool adds = measure.type == MeasureType::kSum || measure.type == MeasureType::kAvg;
    const TypeClass type = class_of(found->type);
    if (adds && !is_number(type)) {
      problems_.add(measure.column->at,
                    fmt::format("{} needs numbers, the column {} is {}",
                                measure.type == MeasureType::kSum ? "sum" : "avg",
                                quoted_name(found->name), found->type));
    } else if (type == TypeClass::kOther && measure.type != MeasureType::kCount) {
      problems_.add(measure.column->at, fmt::format("the column {} is {}, which only count takes",
                                                    quoted_name(found->name), found->type));
    }
  }

  // Sums, counts and averages are numbers; the least and the greatest are what their column is.
  void check_number(const MeasurePart& part) {
    const Measure* measure = model_.measure(part.id);
    if (measure == nullptr || !measure->column ||
        (measure->type != MeasureType::kMin && measure->type != MeasureType::kMax))
      return;
    const Column* found = find_column(tables_, measure->column->table, measure->column->column);
    if (found != nullptr && !is_number(class_of(found->type)))
      problems_.add(part.at, fmt::format("{} is no number to compute with: its column is {}",
                                         quoted_name(part.id), found->type));
  }

  void check(const SecurityRule& rule) {
    const auto predicate = parse_predicate(model_, rule.predicate, rule.predicate_at, problems_);
    if (predicate.ok()) check(*predicate);
  }
  void check(const Predicate& predicate) {
    for (const Predicate& part : predicate.parts) check(part);
    std::optional<TypeClass> type;  // of the first field; the others must fit it
    for (const Operand& operand : predicate.operands) {
      if (operand.kind != Operand::Kind::kField) continue;
      const Column* found = column(operand.field.column);
      if (found == nullptr) return;
      const TypeClass here = class_as(class_of(found->type), operand.field.type);
      if (here == TypeClass::kOther || (type && !comparable(*type, here)))
        problems_.add(operand.at, "this cannot be compared");
      if (!type) type = here;
    }
    for (const Operand& operand : predicate.operands) {
      if (type && operand.kind == Operand::Kind::kLiteral && !fits(operand.literal, *type))
        problems_.add(operand.at, fmt::format("{} is needed here", described(*type)));
    }
  }

  const SemanticModel& model_;
  std::span<const TableSchema> tables_;
  Problems problems_;
};

}  // namespace

Status check_against(const SemanticModel& model, std::span<const TableSchema> tables) {
  return SchemaCheck(model, tables).run();
}

}  // namespace oa::semantics
