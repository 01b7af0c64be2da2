// What exactly an item of a plan changes, field by field.
#pragma once

#include "oa/diff/fields.h"
#include "oa/restore/engine.h"

namespace oa::restore {

struct RowsDifference {
  std::uint64_t before = 0, after = 0;  // rows
  std::vector<diff::FieldChange> columns;
};

/// Personal data can be in it: for the output that was asked for, never for logs.
struct ItemDifferences {
  std::vector<diff::FieldChange> fields;  // before: the tenant's; after: what the plan writes
  std::string model;                      // unified line diff of model.yaml, empty when equal
  std::optional<RowsDifference> rows;     // where rows are replaced
};

/// Of items that overwrite; empty for others, which have nothing to be compared with.
/// Reads the tenant as it is in `transaction`; kNotFound when the asset is gone since.
Result<ItemDifferences> differences(catalog::TenantTransaction& transaction,
                                    const PreparedRestore& prepared, const PlanItem& item);

json::value to_json(const ItemDifferences& differences);

}  // namespace oa::restore
