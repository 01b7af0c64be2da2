#include "measure_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "problems.h"

namespace oa::semantics {
namespace {

using Kind = ExpressionStep::Kind;

Result<std::vector<ExpressionStep>> steps_of(const Measure& measure) {
  if (measure.type == MeasureType::kRatio)
    return std::vector<ExpressionStep>{{Kind::kMeasure, 0, measure.numerator, measure.at},
                                       {Kind::kMeasure, 0, measure.denominator, measure.at},
                                       {Kind::kDivide, 0, "", measure.at}};
  Problems problems;
  return parse_expression(measure.expression, measure.expression_at, problems);
}

}  // namespace

Error query_error(std::string what) {
  return make_error(ErrorCode::kQueryInvalid, "query.compile", printable(what));
}

Result<TypeClass> column_type(std::span<const TableSchema> tables, const ColumnRef& ref,
                              std::string_view of) {
  const Column* column = find_column(tables, ref.table, ref.column);
  if (column != nullptr) return class_of(column->type);
  return query_error(
             fmt::format("{} needs the column {} of the table {}, which the rows do not have",
                         quoted_name(of), quoted_name(ref.column), quoted_name(ref.table)))
      .with_hint("correct the model, or bring the column back and refresh the dataset");
}

std::string part_name(std::string_view table) { return quote(fmt::format("of {}", table)); }

bool MeasureSet::is_aggregate(const Measure& measure) const {
  return measure.type != MeasureType::kRatio && measure.type != MeasureType::kDerived;
}

// parse_model() has made sure that this ends.
Status MeasureSet::add(const Measure& measure) {
  if (!is_aggregate(measure)) {
    OA_ASSIGN(const auto steps, steps_of(measure));
    for (const ExpressionStep& step : steps) {
      if (step.kind == Kind::kMeasure) OA_TRY(add(*model_.measure(step.measure)));
    }
    return {};
  }
  if (std::ranges::find(aggregates_, &measure) != aggregates_.end()) return {};
  if (measure.column) {
    OA_ASSIGN(const TypeClass type, column_type(tables_, *measure.column, measure.id));
    const bool adds = measure.type == MeasureType::kSum || measure.type == MeasureType::kAvg;
    if (adds && !is_number(type))
      return query_error(fmt::format("\"{}\" needs numbers, its column has none", measure.id));
  }
  if (std::ranges::find(roots_, measure.table) == roots_.end()) roots_.push_back(measure.table);
  aggregates_.push_back(&measure);
  return {};
}

std::vector<const Measure*> MeasureSet::aggregates_of(std::string_view table) const {
  std::vector<const Measure*> out;
  for (const Measure* each : aggregates_) {
    if (each->table == table) out.push_back(each);
  }
  return out;
}

std::string MeasureSet::name_of(const Measure& aggregate) const {
  return fmt::format("\"a{}\"", std::ranges::find(aggregates_, &aggregate) - aggregates_.begin());
}

std::string MeasureSet::aggregate_sql(const Measure& aggregate, const std::string& column) const {
  std::string sql;
  switch (aggregate.type) {
    case MeasureType::kSum:
      sql = fmt::format("sum({})", column);
      break;
    case MeasureType::kCountDistinct:
      sql = fmt::format("count(DISTINCT {})", column);
      break;
    case MeasureType::kAvg:
      sql = fmt::format("avg({})", column);
      break;
    case MeasureType::kMin:
      sql = fmt::format("min({})", column);
      break;
    case MeasureType::kMax:
      sql = fmt::format("max({})", column);
      break;
    default:
      sql = fmt::format("count({})", column.empty() ? "*" : column);
  }
  return fmt::format("{} AS {}", sql, name_of(aggregate));
}

Result<SqlTerm> MeasureSet::term(const Measure& measure, Parameters& parameters) const {
  if (is_aggregate(measure)) return aggregate_term(measure);
  OA_ASSIGN(const auto steps, steps_of(measure));
  std::vector<std::string> stack;
  for (const ExpressionStep& step : steps) OA_TRY(push(step, stack, parameters));
  return SqlTerm{std::move(stack.back()), TypeClass::kReal};
}

Result<SqlTerm> MeasureSet::aggregate_term(const Measure& measure) const {
  const bool counts =
      measure.type == MeasureType::kCount || measure.type == MeasureType::kCountDistinct;
  SqlTerm term{fmt::format("{}.{}", part_name(measure.table), name_of(measure)),
               TypeClass::kInteger};
  if (counts && roots_.size() > 1) term.sql = fmt::format("COALESCE({}, 0)", term.sql);
  if (counts) return term;
  OA_ASSIGN(term.type, column_type(tables_, *measure.column, measure.id));
  if (measure.type == MeasureType::kAvg) term.type = TypeClass::kReal;
  return term;
}

Status MeasureSet::push(const ExpressionStep& step, std::vector<std::string>& stack,
                        Parameters& parameters) const {
  if (step.kind == Kind::kNumber) {
    stack.push_back(parameters.add(step.number, "DOUBLE"));
    return {};
  }
  if (step.kind == Kind::kMeasure) {
    const Measure& part = *model_.measure(step.measure);
    OA_ASSIGN(const SqlTerm of_part, term(part, parameters));
    if (!is_number(of_part.type))
      return query_error(fmt::format("\"{}\" is no number to compute with", part.id));
    stack.push_back(is_aggregate(part) ? fmt::format("CAST({} AS DOUBLE)", of_part.sql)
                                       : of_part.sql);
    return {};
  }
  const std::string right = std::move(stack.back());
  stack.pop_back();
  if (step.kind == Kind::kNegate) {
    stack.push_back(fmt::format("(- {})", right));
    return {};
  }
  const std::string left = std::move(stack.back());
  switch (step.kind) {
    case Kind::kAdd:
      stack.back() = fmt::format("({} + {})", left, right);
      break;
    case Kind::kSubtract:
      stack.back() = fmt::format("({} - {})", left, right);
      break;
    case Kind::kMultiply:
      stack.back() = fmt::format("({} * {})", left, right);
      break;
    default:
      stack.back() = fmt::format("({} / NULLIF({}, 0))", left, right);
  }
  return {};
}

}  // namespace oa::semantics
