// One filter of a query as a SQL condition.
#pragma once

#include <string>

#include "oa/semantics/query.h"
#include "sql_types.h"

namespace oa::semantics {

/// The days of `dates` as of `now`: from `first` until before `end`, both ISO 8601.
struct DayRange {
  std::string first;
  std::string end;
};
DayRange days_of(const RelativeDates& dates, Timestamp now);

/// The condition on `term`, which is what the filter's field shows; `path` names the filter in
/// errors. kQueryInvalid when the operation or a value does not suit the term's type.
Result<std::string> filter_sql(const Filter& filter, SqlTerm term, Timestamp now,
                               Parameters& parameters, const std::string& path);

}  // namespace oa::semantics
