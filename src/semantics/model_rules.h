// The rules of a model that need no rows.
#pragma once

#include "oa/semantics/model.h"
#include "problems.h"

namespace oa::semantics {

inline constexpr std::size_t kMaxMeasureDepth = 32;

/// Two ways between tables.
void check_joins(const SemanticModel& model, Problems& problems);
/// References, cycles and size of ratios and derived measures.
void check_measures(const SemanticModel& model, Problems& problems);
/// Whether the predicates parse.
void check_security(const SemanticModel& model, Problems& problems);

struct MeasurePart {
  std::string id;
  Position at;
};
/// The measures that a ratio or derived measure is made of; none for others or when the expression
/// does not parse.
std::vector<MeasurePart> parts_of(const Measure& measure);

}  // namespace oa::semantics
