// Proof that a restore brought back what was there: digests of what reports showed, taken when an
// archive is made and compared where it was restored (docs/format.md, "Probes").
#pragma once

#include <map>
#include <string>
#include <vector>

#include "oa/catalog/repositories.h"
#include "oa/objects/sealed_objects.h"

namespace oa {
class Progress;
}

namespace oa::reports {

struct Probe {
  ReportId report;
  std::string digest;  // hex, of OpenedReport
};

struct Probes {
  std::string engine;  // sums of doubles are the same only by the same release of the engine
  Timestamp now;       // what relative dates were relative to
  std::vector<Probe> reports;
};

/// The manifest's `probes` member; `{}` when there are none.
JsonText to_json(const Probes& probes);
/// kInvalidArgument with the member's path.
Result<Probes> probes_from_json(const JsonText& text);

/// Opens reports of these workspaces (all when empty), without row-level security, until every
/// dataset with rows that a report shows has been asked, at most 64 reports and 200 million rows
/// times visuals. A report that cannot be shown whole is left out. The same snapshot gives the same
/// probes. Errors: kCancelled, those of the database.
Result<Probes> take_probes(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                           const std::vector<WorkspaceId>& workspaces, Progress& progress);

enum class ProbeState {
  kSame,
  kDifferent,
  kMissing,      // no such report here
  kIncomparable  // taken by another release of the engine
};
std::string_view to_text(ProbeState state);

struct ProbeResult {
  ReportId report;  // here
  std::string name;
  ProbeState state = ProbeState::kSame;
};

/// Opens the same reports again, in `snapshot`. `ids` says which reports have other ids here.
Result<std::vector<ProbeResult>> compare_probes(catalog::TenantTransaction& snapshot,
                                                SealedObjects& objects, const Probes& probes,
                                                const std::map<ReportId, ReportId>& ids,
                                                Progress& progress);

}  // namespace oa::reports
