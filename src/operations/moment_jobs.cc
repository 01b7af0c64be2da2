// A moment of the past as an archive.
#include "oa/backup/archive_creator.h"
#include "oa/continuity/runs.h"
#include "oa/continuity/status.h"
#include "oa/privacy/erasure.h"
#include "parts.h"

namespace oa::operations {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;

// Who was erased since is not brought back: the scratch cluster catches up with the ledger.
Status forget_erased(const Run& run, continuity::ScratchCluster& scratch, Progress& progress) {
  OA_ASSIGN(auto* const ledger, run.instance.erasures().ledger());
  OA_ASSIGN(const auto then, catalog::Database::open(scratch.settings()));
  privacy::Eraser eraser(*then, *ledger);
  OA_ASSIGN(const auto behind, eraser.behind());
  if (behind == 0) return {};
  OA_TRY(scratch.make_writable());
  const auto replayed = eraser.replay(progress);
  return replayed.ok() ? Status() : Status(replayed.error());
}

Result<catalog::ArchiveRecord> read_out(const Run& run, const ArchiveMoment& operation,
                                        const continuity::ScratchCluster& scratch) {
  OA_ASSIGN(const auto then, catalog::Database::open(scratch.settings()));
  OA_ASSIGN(auto snapshot, then->begin(run.tenant, catalog::Isolation::kSnapshot));
  backup::ArchiveRequest request;
  request.with_rows = operation.rows;
  request.workspaces = operation.workspaces;
  request.created_by = run.job.created_by;
  request.id = ArchiveId(run.job.id.uuid());
  request.origin = catalog::ArchiveOrigin::kMoment;
  request.moment = operation.at;
  request.expires_at = Timestamp{Timestamp::now().unix_us + kMomentArchiveDays * kDayUs};
  OA_ASSIGN(const auto signer, run.instance.signing_key(run.tenant));
  return backup::create_archive_of(snapshot, run.instance.database(), run.instance.objects(),
                                   signer, request, run.progress);
}

// How much there is of the cell is not the tenant's to know: of what concerns the whole it sees percent.
class OfTheWhole final : public Progress {
 public:
  explicit OfTheWhole(Progress& progress) : progress_(progress) {}
  void begin(std::string_view step, std::uint64_t total, std::string_view) override {
    total_ = total;
    progress_.begin(step, total == 0 ? 0 : 100, total == 0 ? "" : "percent");
  }
  void update(std::uint64_t done) override {
    if (total_ > 0) progress_.update(std::min<std::uint64_t>(100, done * 100 / total_));
  }
  bool cancelled() const override { return progress_.cancelled(); }

 private:
  Progress& progress_;
  std::uint64_t total_ = 0;
};

Result<catalog::ArchiveRecord> create(const Run& run, const ArchiveMoment& operation,
                                      continuity::Cell& cell) {
  OfTheWhole progress(run.progress);
  auto& database = run.instance.database();
  // Commits of the moment's very end may still be on their way to where they are safe.
  const auto marker = continuity::make_restorable(database.settings(),
                                                  operation.at,
                                                  continuity::durable_position(database), {},
                                                  progress);
  if (!marker.ok()) return marker.error();
  OA_ASSIGN(const auto tail, cell.open_tail());
  OA_TRY(continuity::sweep_scratch(cell.scratch_folder()));
  continuity::ScratchOptions options;
  options.target = continuity::Target::before(operation.at);
  OA_ASSIGN(const auto scratch,
            continuity::ScratchCluster::restore(cell.repository(), {tail.get()},
                                                cell.scratch_folder(), options, progress));
  OA_TRY(scratch->make_current(progress));
  OA_TRY(forget_erased(run, *scratch, progress));
  return read_out(run, operation, *scratch);
}

}  // namespace

Result<JsonText> run(const Run& run, const ArchiveMoment& operation) {
  auto* cell = run.instance.cell();
  if (cell == nullptr) {
    return make_error(ErrorCode::kOutsideWindow, "archive.moment",
                      "nothing is backed up continuously, so no moment can be brought back");
  }
  const ArchiveId id(run.job.id.uuid());
  auto record = record_of(run.instance, run.tenant, id);
  if (!record.ok()) {
    OA_ASSIGN(const auto seen, continuity::observe(cell, run.instance.database()));
    OA_ASSIGN(auto snapshot,
              run.instance.database().begin(run.tenant, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto window,
              continuity::window_of(snapshot, continuity::status_of(seen)));
    OA_TRY(continuity::check_moment(window, operation.at, Timestamp::now()));
    record = create(run, operation, *cell);
    if (!record.ok()) return std::move(record).error();
  }
  return verify_and_keep(run, *record);
}

}  // namespace oa::operations
