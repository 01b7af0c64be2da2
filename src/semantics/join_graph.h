// How one gets from table to table.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "oa/semantics/model.h"

namespace oa::semantics {

/// One join, walked from a table that is there already to one that is not.
struct JoinStep {
  std::string from_table;
  std::string from_column;
  std::string to_table;
  std::string to_column;
  bool to_many = false;
};

/// The way between two tables; nullopt when no join leads there. There is one way at most in a
/// model that parse_model() accepted; else this is a shortest one.
std::optional<std::vector<JoinStep>> join_path(const SemanticModel& model, std::string_view from,
                                               std::string_view to);

/// The table `root` with all that must be joined to it, in an order in which each step begins at a
/// table that is there.
struct JoinTree {
  std::string root;
  std::vector<JoinStep> steps;
  std::vector<std::string> unreachable;
  bool fans_out = false;  // a row of the root may appear several times
};

JoinTree join_tree(const SemanticModel& model, std::string_view root,
                   const std::set<std::string>& tables);

}  // namespace oa::semantics
