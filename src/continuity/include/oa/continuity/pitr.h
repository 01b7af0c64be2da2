// A whole cell set back to a moment: into a new folder, or in place.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/progress.h"
#include "oa/base/result.h"
#include "oa/catalog/database.h"
#include "oa/continuity/repository.h"
#include "oa/continuity/scratch_cluster.h"

namespace oa::continuity {

/// Looks at a restored cluster, whose schema is this program's by then, before anybody gets it; an
/// error of it stops the recovery.
using CellChecks = std::function<Status(const catalog::ConnectionSettings& restored, Progress&)>;

struct PitrOptions {
  Target target;
  std::optional<std::string> label = {};  // of the backup to begin with
  CellChecks checks = {};                 // may be empty
};

struct PitrResult {
  RecoveryPath path;
  Reached reached;
  std::string data_folder;  // the cluster: stopped cleanly, on a timeline of its own
  std::string kept_folder;  // in place: what was there before
  std::chrono::milliseconds restore_time{0}, recovery_time{0}, check_time{0};
};

/// Into `postgres_folder`, which must not be there or be empty, and whose parent must be there: it
/// becomes the `postgres` folder of a data folder. `oa-backup up` on that needs beside it the keys
/// and the objects of the old one, and its continuity folder when the cell is to go on there (never
/// while the old cluster still runs). Errors are those of ScratchCluster::restore and of the
/// checks, and kConflict for a folder that is in use.
Result<PitrResult> recover_into(Repository& repository, const LogSource& log,
                                const std::string& postgres_folder, const PitrOptions& options,
                                Progress& progress);

/// In place of the embedded cluster in `postgres_folder` (`<data>/postgres`), whose server nobody
/// may run: kBusy otherwise; its lock is held throughout. Restores beside, recovers, checks, stops
/// cleanly, then swaps in one step (renameat2(2)): the old one stays as `data.before-<UTC time>`.
/// Until then the old one is untouched, also when the process is killed. The new timeline is
/// announced to the archive, so that moments before and after can both be restored later. Make a
/// full backup soon.
Result<PitrResult> recover_in_place(Repository& repository, const LogSource& log,
                                    const std::string& postgres_folder, const PitrOptions& options,
                                    Progress& progress);

/// The clusters that recoveries in place have kept, newest first: paths.
Result<std::vector<std::string>> kept_clusters(const std::string& postgres_folder);

/// Swaps the newest kept cluster back, on a timeline of its own; the one that was in place is kept
/// in its stead, so that a second call undoes the first. kNotFound when none is kept, kBusy as
/// above.
Result<PitrResult> undo_recovery(Repository& repository, const LogSource& log,
                                 const std::string& postgres_folder, Progress& progress);

/// Removes what recoveries that were killed have left in `postgres_folder`, and ends a swap that
/// was cut short. kBusy while its server runs.
Status settle_recovery(const std::string& postgres_folder);

}  // namespace oa::continuity
