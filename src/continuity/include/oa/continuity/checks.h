// Whether a restored cluster is what it should be.
#pragma once

#include <functional>

#include "oa/base/progress.h"
#include "oa/catalog/database.h"
#include "oa/objects/object_store.h"

namespace oa::continuity {

/// What is not as it should be; no personal data.
struct CheckFinding {
  TenantId tenant;
  std::string what;
  bool rows = false;  // an object that is not there; else the database itself
};
inline constexpr std::size_t kMaxCheckFindings = 100;

struct CheckReport {
  std::uint64_t tenants = 0, datasets = 0, reports = 0, audit_events = 0, row_versions = 0;
  std::vector<CheckFinding> findings;  // at most kMaxCheckFindings
  std::uint64_t finding_count = 0;
};

/// Of every tenant: the audit chain verifies, what is counted can be read, and every version of
/// imported rows that a dataset names is in `store`. Reads only, so the cluster may still be in
/// recovery. What is wrong is a finding, so that whoever restores can have the rest: a moment that lies
/// before a tenant's own window may name rows that are gone. Errors: those of a cluster that cannot be
/// read, kCancelled.
Result<CheckReport> check_cluster(const catalog::ConnectionSettings& restored, ObjectStore& store,
                                  Progress& progress);

}  // namespace oa::continuity
