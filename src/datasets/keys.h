// Whether rows keep to what a model says of their keys.
#pragma once

#include "oa/analytics/importer.h"
#include "oa/datasets/datasets.h"
#include "oa/semantics/model.h"

namespace oa::datasets {

/// One stored version of rows, and its columns.
struct StoredRows {
  ObjectKey key;
  VersionId version;
  const std::vector<Column>& columns;
  std::uint64_t row_count = 0;
};

/// Asks the rows, which `model` is of, every question of `checks`, but those about columns that the
/// rows do not have: no query can depend on them. kModelInvalid naming position and key for the
/// first key of which values are there several times, and how many; kLimitExceeded (memory),
/// kCancelled, those of the store.
Status check_keys(SealedObjects& objects, const StoredRows& rows,
                  const semantics::SemanticModel& model,
                  const std::vector<semantics::KeyCheck>& checks, Progress& progress);
Status check_keys(SealedObjects& objects, const StoredRows& rows,
                  const semantics::SemanticModel& model, Progress& progress);

}  // namespace oa::datasets
