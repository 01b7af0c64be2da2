#include "join_graph.h"

#include <algorithm>
#include <deque>
#include <map>

namespace oa::semantics {
namespace {

std::vector<JoinStep> steps_from(const SemanticModel& model, std::string_view table) {
  std::vector<JoinStep> steps;
  for (const Join& join : model.joins) {
    if (join.left.table == table) {
      steps.push_back({join.left.table, join.left.column, join.right.table, join.right.column,
                       join.kind == JoinKind::kOneToMany});
    } else if (join.right.table == table) {
      steps.push_back({join.right.table, join.right.column, join.left.table, join.left.column,
                       join.kind == JoinKind::kManyToOne});
    }
  }
  return steps;
}

}  // namespace

std::optional<std::vector<JoinStep>> join_path(const SemanticModel& model, std::string_view from,
                                               std::string_view to) {
  std::map<std::string, JoinStep, std::less<>> reached;  // by the table it leads to
  std::deque<std::string> open{std::string(from)};
  while (!open.empty() && open.front() != to) {
    for (JoinStep& step : steps_from(model, open.front())) {
      if (step.to_table == from || reached.contains(step.to_table)) continue;
      open.push_back(step.to_table);
      reached.emplace(step.to_table, std::move(step));
    }
    open.pop_front();
  }
  if (open.empty()) return std::nullopt;
  std::vector<JoinStep> path;
  for (std::string table(to); table != from; table = path.back().from_table)
    path.push_back(reached.find(table)->second);
  std::ranges::reverse(path);
  return path;
}

JoinTree join_tree(const SemanticModel& model, std::string_view root,
                   const std::set<std::string>& tables) {
  JoinTree tree;
  tree.root = root;
  std::set<std::string, std::less<>> there{tree.root};
  for (const std::string& table : tables) {
    auto path = join_path(model, root, table);
    if (!path) {
      tree.unreachable.push_back(table);
      continue;
    }
    for (JoinStep& step : *path) {
      tree.fans_out = tree.fans_out || step.to_many;
      if (there.insert(step.to_table).second) tree.steps.push_back(std::move(step));
    }
  }
  return tree;
}

}  // namespace oa::semantics
