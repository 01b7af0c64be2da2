#include <algorithm>

#include "documents.h"
#include "oa/archive/entry_paths.h"
#include "oa/restore/engine.h"
#include "read_live.h"
#include "rights.h"
#include "saved_plan.h"
#include "undo_plan.h"

namespace oa::restore {
namespace {

class NoDocuments final : public Documents {
 public:
  Status reports(const std::set<ReportId>&, Progress&,
                 const Visit<catalog::Report>&) const override {
    return {};
  }
  Status alerts(const std::set<AlertId>&, Progress&, const Visit<catalog::Alert>&) const override {
    return {};
  }
};

Status check_choices(const Contents& contents, const Request& request) {
  for (const auto& [asset, mode] : request.choices) {
    if (contents.selected.contains(asset)) continue;
    return make_error(ErrorCode::kInvalidArgument, "restore.plan",
                      "a mode is chosen for the " + std::string(to_text(asset.kind)) + " " +
                          asset.id.str() + ", which is not selected")
        .with_hint("select it too, or leave the choice out");
  }
  return {};
}

// Documents were verified when they were read; rows are read only when they are staged.
Status verify_rows(const PreparedRestore& prepared, Progress& progress) {
  std::uint64_t done = 0;
  progress.begin("verifying rows", 0, "bytes");
  for (const auto& item : prepared.plan.items) {
    if (item.source.kind != AssetKind::kDataset) continue;
    const DatasetId id(item.source.id);
    const auto& dataset = prepared.contents.datasets.at(id);
    if (!dataset.rows.has_value()) continue;
    CountingSink sink;
    OA_TRY(prepared.reader->copy(archive::rows_path(dataset.record.workspace_id, id), sink));
    progress.update(done += sink.count());
    if (!progress.cancelled()) continue;
    return make_error(ErrorCode::kCancelled, "restore.plan", "cancelled; nothing was changed");
  }
  return {};
}

Error gone(const std::string& message) {
  return make_error(ErrorCode::kGone, "restore.undo", message)
      .with_hint("restores can be undone for " + std::to_string(kUndoDays) +
                 " days; an archive from before it can be restored");
}

bool needs_archive(const Plan& applied) {
  return std::ranges::any_of(applied.items, [](const PlanItem& item) {
    return item.action == Action::kOverwrite || item.action == Action::kRemove;
  });
}

// An undo of an undo brings a restore's outcome back. That is possible while the restores below it
// are as it left them.
Status check_chain(catalog::Restores& restores, const catalog::RestoreRecord& top) {
  bool undone = true;
  RestoreId by = top.id;
  for (auto id = top.undoes; id.has_value(); undone = !undone) {
    OA_ASSIGN(const auto below, restores.get(*id));
    const bool as_left =
        undone ? below.state == catalog::RestoreState::kUndone && below.undone_by == by
               : below.state == catalog::RestoreState::kApplied;
    if (!as_left) {
      return make_error(ErrorCode::kConflict, "restore.undo",
                        "the restore " + below.id.str() + " is " +
                            std::string(to_text(below.state)) +
                            " by now, otherwise than this undo left it")
          .with_hint("`oa-backup restore list` shows what was undone by what");
    }
    by = below.id;
    id = below.undoes;
  }
  return {};
}

// What was there before, as the undo archive has it.
Result<Contents> read_before(const Engine& engine, const catalog::RestoreRecord& record,
                             StoredArchive& stored, Progress& progress) {
  if (!record.undo_archive.has_value()) return gone("the undo archive was removed");
  const ObjectKey key{engine.tenant, RetentionClass::kArchives, record.undo_archive->object_name};
  auto source = engine.objects.open(key, VersionId{record.undo_archive->object_version});
  if (!source.ok() && source.error().code == ErrorCode::kNotFound)
    return gone("the undo archive was removed");
  OA_ASSIGN(stored.source, std::move(source));
  OA_ASSIGN(stored.reader, archive::ArchiveReader::open(*stored.source, {engine.own_keys, false}));
  Selection everything;
  everything.everything = true;
  return read_contents(*stored.reader, everything, progress, engine.erased, engine.tenant);
}

// The undo archive is our own and signed, yet a restore must not fall over one that lacks
// something.
Status check_complete(const Plan& applied, const Contents& before) {
  for (const auto& item : applied.items) {
    if (item.action != Action::kOverwrite && item.action != Action::kRemove) continue;
    const Uuid& id = item.target_id;
    const bool there =
        item.source.kind == AssetKind::kWorkspace ? before.workspaces.contains(WorkspaceId(id))
        : item.source.kind == AssetKind::kDataset ? before.datasets.contains(DatasetId(id))
        : item.source.kind == AssetKind::kReport  ? before.reports.contains(ReportId(id))
                                                  : before.alerts.contains(AlertId(id));
    if (there) continue;
    return make_error(
        ErrorCode::kArchiveEntryMissing, "restore.undo",
        "the undo archive lacks the " + std::string(to_text(item.source.kind)) + " " + id.str());
  }
  return {};
}

}  // namespace

Result<StoredArchive> open_stored_archive(SealedObjects& objects, TenantId tenant,
                                          const catalog::ArchiveRecord& record,
                                          const archive::TrustPolicy& trust) {
  StoredArchive stored;
  const ObjectKey key{tenant, RetentionClass::kArchives, record.object_name};
  OA_ASSIGN(stored.source, objects.open(key, VersionId{record.object_version}));
  OA_ASSIGN(stored.reader, archive::ArchiveReader::open(*stored.source, trust));
  return stored;
}

Result<PreparedRestore> prepare_restore(const Engine& engine, const archive::ArchiveReader& reader,
                                        const Request& request, Progress& progress, Verify verify) {
  const bool everything = request.selection.everything;
  if (verify == Verify::kSelected && everything) OA_TRY(reader.verify({}, progress));
  PreparedRestore prepared;
  prepared.request = request;
  prepared.reader = &reader;
  OA_ASSIGN(prepared.contents, read_contents(reader, request.selection, progress, engine.erased,
                                             engine.tenant));
  OA_TRY(check_choices(prepared.contents, request));
  progress.begin("planning", 0, "");
  OA_ASSIGN(auto snapshot, engine.database.begin(engine.tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(prepared.live,
            read_live(engine, snapshot, prepared.contents, interest_in(prepared.contents)));
  OA_TRY(check_person(prepared.live, request.requested_by));
  OA_ASSIGN(prepared.plan, make_plan(prepared.contents, prepared.live, request));
  if (verify == Verify::kSelected && !everything) OA_TRY(verify_rows(prepared, progress));
  prepared.hash = plan_hash(prepared.plan);
  return prepared;
}

Result<PreparedRestore> prepare_undo(const Engine& engine, const UndoRequest& request,
                                     Progress& progress) {
  OA_ASSIGN(auto snapshot, engine.database.begin(engine.tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto record, catalog::Restores(snapshot).get(request.undoes));
  if (record.state != catalog::RestoreState::kApplied) {
    return make_error(ErrorCode::kConflict, "restore.undo",
                      "the restore is " + std::string(to_text(record.state)) +
                          ", and only an applied one can be undone")
        .with_hint("`oa-backup restore list` shows the state of each");
  }
  catalog::Restores restores(snapshot);
  OA_TRY(check_chain(restores, record));
  auto undo = std::make_shared<PreparedRestore::Undo>();
  undo->request = request;
  OA_ASSIGN(undo->applied, load_plan(snapshot, record));
  PreparedRestore prepared;
  prepared.contents.documents = std::make_shared<NoDocuments>();
  if (needs_archive(undo->applied)) {
    OA_ASSIGN(prepared.contents, read_before(engine, record, undo->archive, progress));
    OA_TRY(check_complete(undo->applied, prepared.contents));
    prepared.reader = undo->archive.reader.get();
  }
  progress.begin("planning", 0, "");
  OA_ASSIGN(prepared.live, read_live(engine, snapshot, prepared.contents,
                                     undo_interest(undo->applied, prepared.contents)));
  OA_TRY(check_person(prepared.live, request.requested_by));
  OA_ASSIGN(prepared.plan,
            make_undo_plan(undo->applied, prepared.contents, prepared.live, request));
  prepared.hash = plan_hash(prepared.plan);
  prepared.undo = std::move(undo);
  return prepared;
}

}  // namespace oa::restore
