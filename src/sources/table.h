// A table of a source, as it is read.
#pragma once

#include <string>
#include <vector>

#include "binary_copy.h"
#include "session.h"

namespace oa::sources {

struct TablePlan {
  std::string name;  // as it was asked for
  std::vector<WireColumn> columns;
  std::string copy;  // the statement
};

/// Looks `table` up in the source's catalog. kSourceRefused when it is not there, kLimitExceeded.
Result<TablePlan> plan_table(Session& session, std::string_view table, const SourcePolicy& policy);

/// The wire form and our type of a column, by the object id of its type in pg_type and its
/// modifier.
WireColumn wire_column(std::string name, std::uint32_t type, std::int32_t modifier);

}  // namespace oa::sources
