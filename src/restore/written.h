// What exactly an item writes.
#pragma once

#include "rewrite.h"

namespace oa::restore {

/// Where the item's rows come from, and how many there were and will be. `live`: the dataset that
/// it overwrites.
void plan_rows(PlanItem& item, const ArchivedDataset& archived, const LiveDataset* live);

/// The grants that a report keeps when they are not restored.
const std::vector<catalog::RoleGrant>& live_grants(const LiveState& live, const PlanItem& item);

/// Fills in what each item writes; one that would write what is there already becomes identical.
Status write_digests(const Contents& contents, const LiveState& live, const Rewriter& rewriter,
                     std::vector<PlanItem>& items);

}  // namespace oa::restore
