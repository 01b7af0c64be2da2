// Row-level security: which rules bind a viewer, and their predicates as SQL conditions.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "oa/semantics/query.h"
#include "predicate.h"
#include "sql_types.h"

namespace oa::semantics {

/// A predicate whose templates are replaced by the viewer's values, checked against the columns'
/// types.
struct BoundRule {
  Predicate predicate;
  std::set<std::string> tables;
};

struct ViewerRules {
  bool deny = false;  // no row of any table
  std::vector<BoundRule> rules;
};

/// Denies whenever a rule cannot be applied to the letter: an attribute that is missing or does not
/// fit, a column that is gone.
ViewerRules rules_for(const SemanticModel& model, std::span<const TableSchema> tables,
                      const Viewer& viewer);

/// The condition; `field` gives the SQL of a column.
std::string predicate_sql(const Predicate& predicate,
                          const std::function<SqlTerm(const Field&)>& field,
                          Parameters& parameters);

}  // namespace oa::semantics
