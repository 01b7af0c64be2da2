// A recovery drill: a tenant's newest archive is restored into a tenant of its own, used as people use
// it, compared with what was archived, and taken down again. What came of it is recorded for ever
// (chronicle.h). A drill of a cell does the same with a whole database at a moment of its window.
// docs/drills.md has the steps and what each proves.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/progress.h"
#include "oa/catalog/drills.h"
#include "oa/drill/sample.h"
#include "oa/instance/instance.h"

namespace oa::drill {

/// Of any drill.
struct Limits {
  /// From the beginning of the restore until people could work again; longer is `timed_out`.
  std::chrono::seconds recovery_time{3600};
  std::chrono::seconds time_limit{4 * 3600};  // of the whole drill
  int keep_failed_days = 7;                   // the recovery tenant of one that failed
  std::string seed;                           // by which the subject was chosen; published
};

struct Settings : Limits {
  /// The public API that the recovery tenant is used through; the service must work on the same
  /// installation. "http://127.0.0.1:8080"; beyond this machine https alone.
  std::string url;
  std::string ca_file;  // PEM, of those that sign the API's certificate; empty: the system's
  int max_archive_age_days = 8;  // an older archive is not drilled
  bool may_make_archive = true;  // when there is none so new; otherwise that fails the drill
};

/// The public API of an instance, served until this ends.
class ServedApi {
 public:
  virtual ~ServedApi() = default;
  virtual std::string url() const = 0;
};

struct CellSettings : Limits {
  /// Serves the recovered cell, on this machine alone and without running its jobs: those were done.
  std::function<Result<std::unique_ptr<ServedApi>>(instance::Instance&)> serve;
  /// Of the window; else drawn from it by seed and id.
  std::optional<Timestamp> moment;
  std::chrono::seconds data_loss{300};  // promised
};

enum class Kind { kTenant, kCell };
std::string_view to_text(Kind kind);

enum class StepState { kRunning, kSuccessful, kFailed, kTimedOut };
std::string_view to_text(StepState state);

struct Step {
  std::string name;
  StepState state = StepState::kRunning;
  Timestamp started_at;
  double seconds = 0;
  unsigned attempts = 1;
  json::object figures;  // counts only: they are published
  std::string code;      // of what went wrong
  std::string message;   // of it, for operators
};

struct Drill {
  Uuid id;
  Kind kind = Kind::kTenant;
  TenantId source;                    // of a cell its id
  std::optional<TenantId> recovery;  // as long as it is there
  StepState state = StepState::kRunning;
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
  std::vector<Step> steps;
  std::optional<double> recovery_seconds;  // measured RTO
  /// Of the archive's moment, when the drill began; of a cell how long a commit waited until it was
  /// safe, which is what a disaster then would have cost (measured RPO).
  std::optional<double> data_age_seconds;
  std::optional<std::uint64_t> number;     // of its record
  std::optional<Timestamp> keep_until;
};
/// For operators. `state`: "validating", "successful", "failed", "timed_out".
json::object to_json(const Drill& drill);
/// Out of the catalog, with steps as they stand there.
json::object to_json(const catalog::DrillRow& row);

/// Runs one to its end; what fails in it is in the drill, not an error here. One that `progress` cancels
/// has failed and is not recorded. The tenant must take part
/// (kPermissionDenied). Errors: of the database and of the object store, when not even the record can
/// be written.
Result<Drill> run_tenant_drill(instance::Instance& instance, TenantId tenant,
                               const Settings& settings, Progress& progress);

/// The same of the whole cell: restored to a moment of its window into a scratch cluster beside the
/// live one, checked against it, and looked at through the public API by a visitor in each of at most
/// 3 tenants that take part. Reads alone there; the scratch cluster is gone at the end in any case.
/// kConflict when nothing is backed up continuously.
Result<Drill> run_cell_drill(instance::Instance& instance, const CellSettings& settings,
                             Progress& progress);

/// Takes down the recovery tenants of drills that failed, whose time is over at `now`, whose tenant
/// takes part no more, has erased somebody since or is being destroyed, or that a process has left
/// which died (those have failed). `all`: those whose time is not over,
/// too. How many.
Result<std::uint64_t> take_down_kept(instance::Instance& instance, Timestamp now, bool all,
                                     Progress& progress);

/// kPermissionDenied when the tenant does not take part.
Status check_consent(instance::Instance& instance, TenantId tenant);

/// kConflict when nothing is backed up continuously.
Status check_cell(instance::Instance& instance);

/// The tenants that take part, with their last drill that succeeded.
Result<std::vector<Candidate>> candidates_of(catalog::Database& database);

/// Says for the tenant whether it takes part; in its audit chain (`drill.consent.change`).
Status set_consent(instance::Instance& instance, TenantId tenant, bool takes_part,
                   std::optional<UserId> by, const std::string& trace_id);

}  // namespace oa::drill
