#include "security_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/base/assert.h"

namespace oa::semantics {
namespace {

constexpr std::size_t kMaxAttributeValues = 1000;
constexpr std::size_t kMaxRuleValues = 10'000;  // of all rules together

bool shares(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::ranges::any_of(
      left, [&](const auto& each) { return std::ranges::find(right, each) != right.end(); });
}

bool applies(const SecurityRule& rule, const Viewer& viewer) {
  return shares(rule.roles, viewer.roles) || shares(rule.teams, viewer.teams) ||
         std::ranges::find(rule.users, viewer.user.str()) != rule.users.end();
}

std::optional<Value> scalar(const json::value& value) {
  if (const auto* flag = value.if_bool()) return Value(*flag);
  if (const auto* whole = value.if_int64()) return Value(*whole);
  if (const auto* real = value.if_double()) return Value(*real);
  if (const auto* text = value.if_string()) return Value(std::string(*text));
  return std::nullopt;
}

// The values of an attribute; none when any of them is unusable, so that NOT cannot make
// something visible of it.
std::vector<Value> values_of(const json::object& attributes, std::string_view name) {
  const json::value* held = attributes.if_contains(name);
  if (held == nullptr) return {};
  const json::array single{*held};
  const json::array& all = held->is_array() ? held->get_array() : single;
  if (all.size() > kMaxAttributeValues) return {};
  std::vector<Value> values;
  for (const json::value& each : all) {
    auto value = scalar(each);
    if (!value) return {};
    values.push_back(std::move(*value));
  }
  return values;
}

class RuleBinder {
 public:
  RuleBinder(std::span<const TableSchema> tables, const Viewer& viewer, json::object attributes)
      : tables_(tables), viewer_(viewer), attributes_(std::move(attributes)) {}

  // False when the rule cannot be applied.
  bool bind(Predicate& predicate, std::set<std::string>& used) {
    for (Predicate& part : predicate.parts) {
      if (!bind(part, used)) return false;
    }
    std::optional<TypeClass> type;
    for (const Operand& operand : predicate.operands) {
      if (operand.kind != Operand::Kind::kField) continue;
      const ColumnRef& ref = operand.field.column;
      const Column* column = find_column(tables_, ref.table, ref.column);
      if (column == nullptr) return false;
      const TypeClass here = class_as(class_of(column->type), operand.field.type);
      if (type && !comparable(*type, here)) return false;
      if (!type) type = here;
      used.insert(ref.table);
    }
    return predicate.operands.empty() || (type && bind_values(predicate, *type));
  }

 private:
  bool bind_values(Predicate& predicate, TypeClass type) {
    std::vector<Operand> bound;
    bool several = false;
    for (Operand& operand : predicate.operands) {
      if (operand.kind == Operand::Kind::kField) {
        bound.push_back(std::move(operand));
        continue;
      }
      std::vector<Value> values{operand.literal};
      if (operand.kind == Operand::Kind::kUserId) values = {Value(viewer_.user.str())};
      if (operand.kind == Operand::Kind::kAttribute)
        values = values_of(attributes_, operand.attribute);
      values_ += values.size();
      if (values.empty() || values_ > kMaxRuleValues) return false;
      several = several || values.size() > 1;
      for (Value& value : values) {
        if (!fits(value, type)) return false;
        Operand literal;
        literal.literal = std::move(value);
        bound.push_back(std::move(literal));
      }
    }
    predicate.operands = std::move(bound);
    return !several || predicate.kind == Predicate::Kind::kIn || any_of(predicate);
  }
  // `=` and `<>` with an array mean IN and NOT IN; other comparisons with one mean nothing.
  static bool any_of(Predicate& predicate) {
    if (predicate.kind != Predicate::Kind::kCompare ||
        (predicate.comparison != "=" && predicate.comparison != "<>"))
      return false;
    predicate.negated = predicate.comparison == "<>";
    predicate.kind = Predicate::Kind::kIn;
    std::ranges::stable_partition(predicate.operands, [](const Operand& operand) {
      return operand.kind == Operand::Kind::kField;
    });
    return true;
  }

  std::span<const TableSchema> tables_;
  const Viewer& viewer_;
  json::object attributes_;
  std::size_t values_ = 0;
};

class PredicateWriter {
 public:
  PredicateWriter(const std::function<SqlTerm(const Field&)>& field, Parameters& parameters)
      : field_(field), parameters_(parameters) {}

  std::string write(const Predicate& predicate) {
    switch (predicate.kind) {
      case Predicate::Kind::kAnd:
        return joined(predicate, " AND ");
      case Predicate::Kind::kOr:
        return joined(predicate, " OR ");
      case Predicate::Kind::kNot:
        return fmt::format("(NOT {})", write(predicate.parts.front()));
      default:
        return test(predicate);
    }
  }

 private:
  std::string joined(const Predicate& predicate, std::string_view word) {
    std::string out = "(";
    for (const Predicate& part : predicate.parts) {
      if (out.size() > 1) out += word;
      out += write(part);
    }
    return out + ")";
  }
  std::string test(const Predicate& predicate) {
    TypeClass type = TypeClass::kOther;
    for (const Operand& operand : predicate.operands) {
      if (type == TypeClass::kOther && operand.kind == Operand::Kind::kField)
        type = in_utc(field_(operand.field)).type;
    }
    std::vector<std::string> terms;
    for (const Operand& operand : predicate.operands) terms.push_back(term(operand, type));
    const std::string_view no = predicate.negated ? "NOT " : "";
    if (predicate.kind == Predicate::Kind::kIsNull)
      return fmt::format("({} IS {}NULL)", terms[0], no);
    if (predicate.kind == Predicate::Kind::kCompare)
      return fmt::format("({} {} {})", terms[0], predicate.comparison, terms[1]);
    return fmt::format("({} {}IN ({}))", terms[0], no,
                       fmt::join(terms.begin() + 1, terms.end(), ", "));
  }
  std::string term(const Operand& operand, TypeClass type) {
    if (operand.kind == Operand::Kind::kField) return in_utc(field_(operand.field)).sql;
    auto sql = parameters_.add_as(operand.literal, type);
    OA_ASSERT(sql.has_value());  // rules_for() has tried
    return std::move(*sql);
  }

  const std::function<SqlTerm(const Field&)>& field_;
  Parameters& parameters_;
};

}  // namespace

ViewerRules rules_for(const SemanticModel& model, std::span<const TableSchema> tables,
                      const Viewer& viewer) {
  ViewerRules out;
  if (!model.security) return out;
  const json::value attributes = viewer.attributes.value();
  RuleBinder binder(tables, viewer,
                    attributes.is_object() ? attributes.get_object() : json::object{});
  out.deny = true;
  for (const SecurityRule& rule : *model.security) {
    if (!applies(rule, viewer)) continue;
    Problems problems;
    auto predicate = parse_predicate(model, rule.predicate, rule.predicate_at, problems);
    BoundRule bound;
    if (!predicate.ok() || !binder.bind(*predicate, bound.tables)) return {true, {}};
    bound.predicate = std::move(*predicate);
    out.rules.push_back(std::move(bound));
    out.deny = false;
  }
  return out;
}

std::string predicate_sql(const Predicate& predicate,
                          const std::function<SqlTerm(const Field&)>& field,
                          Parameters& parameters) {
  return PredicateWriter(field, parameters).write(predicate);
}

}  // namespace oa::semantics
