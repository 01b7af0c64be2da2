// Restores: compared, planned, applied, taken back.
#include <boost/json.hpp>

#include "oa/archive/entry_paths.h"
#include "oa/catalog/repositories.h"
#include "parts.h"

namespace oa::operations {
namespace {

using restore::AssetRef;

JsonText restore_result(RestoreId id) {
  return JsonText::of(json::object{{"restore_id", id.str()}});
}

restore::ArchiveSource stored(ArchiveId archive) {
  return JsonText::of(json::object{{"kind", "stored"}, {"archive_id", archive.str()}});
}

Result<catalog::RestoreRecord> restore_record(const Run& run, RestoreId id) {
  OA_ASSIGN(auto snapshot,
            run.instance.database().begin(run.tenant, catalog::Isolation::kSnapshot));
  return catalog::Restores(snapshot).get(id);
}

// Prepares and keeps a plan under the job's id, so that another attempt replaces it.
Result<JsonText> plan(const Run& run, ArchiveId archive, restore::Request request,
                      catalog::RestorePurpose purpose) {
  OA_ASSIGN(const auto stored_archive, open_archive(run.instance, run.tenant, archive));
  OA_ASSIGN(const auto place, workplace_of(run.instance, run.tenant));
  const auto engine = place.engine(run.instance, run.tenant);
  request.id = RestoreId(run.job.id.uuid());
  request.requested_by = run.job.created_by;
  // What is only compared is verified as far as it is read; its rows are when they are restored.
  const auto verify = purpose == catalog::RestorePurpose::kCompare
                          ? restore::Verify::kNothingMore
                          : restore::Verify::kSelected;
  OA_ASSIGN(const auto prepared, restore::prepare_restore(engine, *stored_archive.reader, request,
                                                          run.progress, verify));
  OA_ASSIGN(const auto record,
            restore::save_plan(engine, prepared, stored(archive), purpose));
  return restore_result(record.id);
}

}  // namespace

restore::Engine Workplace::engine(instance::Instance& instance, TenantId tenant) const {
  return {instance.database(), instance.objects(), tenant, signer, own_keys, erased.get()};
}

Result<Workplace> workplace_of(instance::Instance& instance, TenantId tenant) {
  OA_ASSIGN(auto signer, instance.signing_key(tenant));
  OA_ASSIGN(auto keys, instance.own_keys(tenant));
  OA_ASSIGN(const auto* const ledger, instance.erasures().ledger());
  return Workplace{std::move(signer), std::move(keys),
                   std::make_shared<restore::ErasedByLedger>(instance.database(), *ledger)};
}

std::optional<ArchiveId> archive_of(const catalog::RestoreRecord& record) {
  const json::value source = record.source.value();
  ObjectReader reader(source, "source");
  if (reader.optional_text("kind") != "stored") return std::nullopt;
  const auto named = reader.optional_id<ArchiveId>("archive_id");
  return named.has_value() ? *named : record.archive_id;
}

namespace {

// Everything that is of these workspaces; all of it when there are none.
Result<restore::Selection> everything_in(const Run& run, ArchiveId archive,
                                         const std::vector<WorkspaceId>& workspaces) {
  restore::Selection selection;
  selection.everything = workspaces.empty();
  if (selection.everything) return selection;
  OA_ASSIGN(const auto opened, open_archive(run.instance, run.tenant, archive));
  for (const auto& workspace : workspaces) {
    const auto there = opened.reader->stat(archive::workspace_path(workspace));
    if (there.ok())
      selection.assets.insert({restore::AssetKind::kWorkspace, workspace.uuid()});
    else if (there.error().code != ErrorCode::kNotFound)
      return there.error();
  }
  if (!selection.assets.empty()) return selection;
  return make_error(ErrorCode::kPermissionDenied, "archive.compare",
                    "the archive holds no workspace that you manage")
      .with_hint("ask an Owner to restore from it");
}

}  // namespace

Result<JsonText> run(const Run& run, const CompareArchive& operation) {
  restore::Request request;
  OA_ASSIGN(request.selection, everything_in(run, operation.archive, operation.workspaces));
  return plan(run, operation.archive, std::move(request), catalog::RestorePurpose::kCompare);
}

Result<JsonText> run(const Run& run, const PlanRestore& operation) {
  restore::Request request = operation.request;
  if (request.selection.everything) {
    OA_ASSIGN(request.selection, everything_in(run, operation.archive, operation.workspaces));
  }
  return plan(run, operation.archive, std::move(request), catalog::RestorePurpose::kRestore);
}

Result<JsonText> run(const Run& run, const ApplyRestore& operation) {
  OA_ASSIGN(const auto record, restore_record(run, operation.restore));
  if (record.state == catalog::RestoreState::kApplied ||
      record.state == catalog::RestoreState::kUndone) {
    if (record.plan_hash == operation.plan_hash) return restore_result(record.id);
    return make_error(ErrorCode::kPreconditionFailed, "restore.apply",
                      "the restore was applied with another plan than the approved one");
  }
  restore::StoredArchive opened;
  if (record.kind != catalog::RestoreKind::kUndo) {
    const auto archive = archive_of(record);
    if (!archive.has_value()) {
      return make_error(ErrorCode::kConflict, "restore.apply",
                        "this plan was made on the command line, from a file there")
          .with_hint("apply it there, or upload the archive and plan again");
    }
    OA_ASSIGN(opened, open_archive(run.instance, run.tenant, *archive));
  }
  OA_ASSIGN(const auto place, workplace_of(run.instance, run.tenant));
  const auto engine = place.engine(run.instance, run.tenant);
  OA_ASSIGN(const auto prepared,
            restore::reopen_plan(engine, record, opened.reader.get(), run.progress));
  OA_ASSIGN(const auto applied,
            restore::apply_plan(engine, prepared, {operation.plan_hash, run.job.created_by},
                                run.progress));
  return restore_result(applied.id);
}

Result<JsonText> run(const Run& run, const PlanUndo& operation) {
  OA_ASSIGN(const auto place, workplace_of(run.instance, run.tenant));
  const auto engine = place.engine(run.instance, run.tenant);
  const restore::UndoRequest request{RestoreId(run.job.id.uuid()), operation.restore,
                                     operation.discard_edits, run.job.created_by,
                                     operation.leave_out_blocked};
  OA_ASSIGN(const auto prepared, restore::prepare_undo(engine, request, run.progress));
  const auto source = JsonText::of(json::object{{"kind", "undo"}});
  OA_ASSIGN(const auto record, restore::save_plan(engine, prepared, source));
  return restore_result(record.id);
}

Result<restore::ItemDifferences> item_differences(instance::Instance& instance, TenantId tenant,
                                                  const catalog::RestoreRecord& record,
                                                  const AssetRef& asset) {
  if (record.state != catalog::RestoreState::kPlanned) {
    return make_error(ErrorCode::kConflict, "restore.differences",
                      "this restore was applied; there is nothing left to compare")
        .with_hint("its undo shows what it changed");
  }
  OA_ASSIGN(const auto place, workplace_of(instance, tenant));
  const auto engine = place.engine(instance, tenant);
  restore::StoredArchive opened;
  restore::PreparedRestore prepared;
  if (record.kind == catalog::RestoreKind::kUndo) {
    OA_ASSIGN(prepared, restore::reopen_plan(engine, record, nullptr, no_progress()));
  } else {
    const auto archive = archive_of(record);
    if (!archive.has_value()) {
      return make_error(ErrorCode::kConflict, "restore.differences",
                        "this plan was made on the command line, from a file there")
          .with_hint("look at it there");
    }
    OA_ASSIGN(opened, open_archive(instance, tenant, *archive));
    OA_ASSIGN(auto request, restore::request_from_json(record.request.value()));
    // Of one asset, so that the answer does not wait for all the others.
    request.selection = {false, {asset}};
    request.mode = restore::Mode::kOverwrite;  // only then is there something to compare with
    request.choices.clear();
    OA_ASSIGN(prepared, restore::prepare_restore(engine, *opened.reader, request, no_progress(),
                                                 restore::Verify::kNothingMore));
  }
  for (const auto& item : prepared.plan.items) {
    if (item.source != asset) continue;
    OA_ASSIGN(auto snapshot, instance.database().begin(tenant, catalog::Isolation::kSnapshot));
    return restore::differences(snapshot, prepared, item);
  }
  return make_error(ErrorCode::kNotFound, "restore.differences", "the plan has no such asset");
}

}  // namespace oa::operations
