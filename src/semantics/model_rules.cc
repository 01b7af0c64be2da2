#include "model_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "expression.h"
#include "join_graph.h"
#include "predicate.h"

namespace oa::semantics {
namespace {

using MeasureIndex = std::unordered_map<std::string_view, const Measure*>;

std::string chain(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : " → ") + name;
  return out;
}

class MeasureGraph {
 public:
  MeasureGraph(const MeasureIndex& index, Problems& problems)
      : index_(index), problems_(problems) {}

  void visit(const Measure& measure) {
    State& state = states_[measure.id];
    if (state.done) return;
    if (std::ranges::find(path_, measure.id) != path_.end()) {
      std::vector<std::string> cycle(std::ranges::find(path_, measure.id), path_.end());
      cycle.push_back(measure.id);
      problems_.add(measure.at, fmt::format("measures that need each other: {}", chain(cycle)));
      return;
    }
    if (path_.size() >= kMaxMeasureDepth) {
      problems_.add(measure.at, fmt::format("measures refer to each other over more than {} steps",
                                            kMaxMeasureDepth));
      return;
    }
    path_.push_back(measure.id);
    std::size_t size = 1;
    for (const MeasurePart& part : parts_of(measure)) {
      const auto found = index_.find(part.id);
      if (found == index_.end()) continue;
      visit(*found->second);
      size = std::min(size + states_[part.id].size + 1, 2 * kMaxExpressionSteps);
    }
    path_.pop_back();
    State& finished = states_[measure.id];
    finished = {true, size};
    if (size > kMaxExpressionSteps)
      problems_.add(measure.at, fmt::format("the measure has more than {} parts when those that it "
                                            "names are written out",
                                            kMaxExpressionSteps));
  }

 private:
  struct State {
    bool done = false;
    std::size_t size = 1;
  };
  const MeasureIndex& index_;
  Problems& problems_;
  std::map<std::string, State> states_;
  std::vector<std::string> path_;
};

}  // namespace

std::vector<MeasurePart> parts_of(const Measure& measure) {
  std::vector<MeasurePart> parts;
  if (measure.type == MeasureType::kRatio) {
    parts = {{measure.numerator, measure.numerator_at},
             {measure.denominator, measure.denominator_at}};
    std::erase_if(parts, [](const MeasurePart& part) { return part.id.empty(); });
  } else if (measure.type == MeasureType::kDerived) {
    Problems told_elsewhere;
    auto steps = parse_expression(measure.expression, measure.expression_at, told_elsewhere);
    if (!steps.ok()) return parts;
    for (ExpressionStep& step : *steps) {
      if (step.kind == ExpressionStep::Kind::kMeasure)
        parts.push_back({std::move(step.measure), step.at});
    }
  }
  return parts;
}

void check_joins(const SemanticModel& model, Problems& problems) {
  SemanticModel joined;
  for (const Join& join : model.joins) {
    const std::string here =
        fmt::format("{}.{} = {}.{}", join.left.table, quoted_name(join.left.column),
                    join.right.table, quoted_name(join.right.column));
    if (join.left.table == join.right.table) {
      problems.add(join.at, fmt::format("{} joins a table to itself", here));
      continue;
    }
    if (const auto path = join_path(joined, join.left.table, join.right.table)) {
      std::vector<std::string> tables{join.left.table};
      for (const JoinStep& step : *path) tables.push_back(step.to_table);
      problems.add(join.at,
                   fmt::format("there are two ways from {} to {}: {}, and here {}; answers would "
                               "depend on the way",
                               join.left.table, join.right.table, chain(tables), here));
      continue;
    }
    joined.joins.push_back(join);
  }
}

void check_measures(const SemanticModel& model, Problems& problems) {
  std::vector<std::string_view> ids;
  MeasureIndex index;
  for (const Measure& measure : model.measures) {
    index.emplace(measure.id, &measure);
    if (!measure.nested) ids.push_back(measure.id);
  }
  for (const Measure& measure : model.measures) {
    if (measure.type == MeasureType::kDerived && !measure.expression.empty())
      (void)parse_expression(measure.expression, measure.expression_at, problems);
    for (const MeasurePart& part : parts_of(measure)) {
      if (problems.many()) return;
      if (!index.contains(part.id))
        problems.add(part.at, fmt::format("there is no measure {}{}", quoted_name(part.id),
                                          suggestion(part.id, ids)));
    }
  }
  MeasureGraph graph(index, problems);
  for (const Measure& measure : model.measures) graph.visit(measure);
}

void check_security(const SemanticModel& model, Problems& problems) {
  if (!model.security) return;
  for (const SecurityRule& rule : *model.security) {
    if (!rule.predicate.empty())
      (void)parse_predicate(model, rule.predicate, rule.predicate_at, problems);
  }
}

}  // namespace oa::semantics
