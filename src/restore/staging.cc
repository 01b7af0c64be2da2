#include "staging.h"

#include "oa/archive/entry_paths.h"
#include "oa/backup/archive_creator.h"
#include "oa/base/io.h"

namespace oa::restore {
namespace {

constexpr std::size_t kListBatch = 1000;

std::string staged_folder(RestoreId restore) { return "restores/" + restore.str() + "/"; }

Result<std::size_t> remove_versions(ObjectStore& store, const ObjectKey& key) {
  OA_ASSIGN(const auto versions, store.list_versions(key));
  for (const auto& version : versions) OA_TRY(store.remove(key, version.version));
  return versions.size();
}

class ProgressSink final : public ByteSink {
 public:
  ProgressSink(ByteSink& out, Progress& progress, std::uint64_t& done)
      : out_(out), progress_(progress), done_(done) {}
  Status write(ByteView bytes) override {
    OA_TRY(out_.write(bytes));
    progress_.update(done_ += bytes.size());
    if (!progress_.cancelled()) return {};
    return make_error(ErrorCode::kCancelled, "restore.apply", "cancelled; nothing was changed");
  }

 private:
  ByteSink& out_;
  Progress& progress_;
  std::uint64_t& done_;
};

bool restores_rows(const PlanItem& item) {
  return writes(item) && item.rows == RowsAction::kRestore;
}

// Rows go into the undo archive where the archive says something about them or they go; otherwise
// the tenant's stay, and with them what describes them.
bool keeps_rows(const PlanItem& item, const Contents& contents) {
  if (item.action == Action::kRemove || item.rows == RowsAction::kNone) return true;
  return contents.datasets.at(DatasetId(item.source.id)).rows.has_value();
}

Status read_rows(const Engine& engine, const catalog::RowsObject& rows) {
  OA_ASSIGN(const auto source,
            engine.objects.open({engine.tenant, RetentionClass::kRows, rows.object_name},
                                VersionId{rows.object_version}));
  CountingSink sink;
  return copy_all(*source, sink);
}

// Nothing brings these back; any other failure may pass. A damaged header reads like one that
// another key wrapped, but the archive that is being restored opened under the tenant's key.
bool lost_or_damaged(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kSealCorrupt ||
         error.code == ErrorCode::kKeyWrong;
}

// Rows that are lost or damaged cannot be kept for an undo, and must not be in the way of a restore
// that replaces them. Of how many datasets there were some.
Result<std::size_t> leave_out_lost(const Engine& engine, const LiveState& live,
                                   std::map<WorkspaceId, backup::WorkspacePart>& parts,
                                   const Progress& progress) {
  std::size_t left_out = 0;
  for (auto& [workspace, part] : parts) {
    const auto with_rows = part.with_rows;
    for (const auto id : with_rows) {
      if (progress.cancelled()) {
        return make_error(ErrorCode::kCancelled, "restore.apply", "cancelled; nothing was changed");
      }
      const auto& rows = live.datasets.at(id).record.rows;
      if (!rows.has_value()) continue;
      const auto read = read_rows(engine, *rows);
      if (read.ok()) continue;
      if (!lost_or_damaged(read.error())) return read.error();
      part.with_rows.erase(id);
      ++left_out;
    }
  }
  return left_out;
}

}  // namespace

ObjectKey staged_rows_key(TenantId tenant, RestoreId restore, const Uuid& dataset) {
  return {tenant, RetentionClass::kRows, staged_folder(restore) + dataset.str() + ".parquet"};
}

ObjectKey undo_archive_key(TenantId tenant, RestoreId restore) {
  return {tenant, RetentionClass::kArchives, "undo/" + restore.str()};
}

Result<std::size_t> remove_objects_of(SealedObjects& objects, TenantId tenant, RestoreId restore) {
  ObjectStore& store = objects.store();
  std::size_t removed = 0;
  const std::string folder = staged_folder(restore);
  for (std::string after = folder;;) {
    OA_ASSIGN(const auto found, store.list(tenant, RetentionClass::kRows, after, kListBatch));
    for (const auto& object : found) {
      if (!object.key.name.starts_with(folder)) break;
      OA_ASSIGN(const auto versions, remove_versions(store, object.key));
      removed += versions;
    }
    if (found.size() < kListBatch || !found.back().key.name.starts_with(folder)) break;
    after = found.back().key.name;
  }
  OA_ASSIGN(const auto undo, remove_versions(store, undo_archive_key(tenant, restore)));
  return removed + undo;
}

Result<std::map<Uuid, catalog::RowsObject>> stage_rows(const Engine& engine,
                                                       const PreparedRestore& prepared,
                                                       Progress& progress) {
  const auto& datasets = prepared.contents.datasets;
  std::uint64_t total = 0, done = 0;
  for (const auto& item : prepared.plan.items) {
    if (restores_rows(item)) total += datasets.at(DatasetId(item.source.id)).rows->size_bytes;
  }
  progress.begin("staging rows", total, "bytes");
  std::map<Uuid, catalog::RowsObject> staged;
  for (const auto& item : prepared.plan.items) {
    if (!restores_rows(item)) continue;
    const DatasetId archived(item.source.id);
    const auto workspace = datasets.at(archived).record.workspace_id;
    const ObjectKey key = staged_rows_key(engine.tenant, prepared.plan.id, item.target_id);
    OA_ASSIGN(auto writer, engine.objects.create(key));
    ProgressSink sink(*writer, progress, done);
    OA_TRY(prepared.reader->copy(archive::rows_path(workspace, archived), sink));
    OA_ASSIGN(const auto version, writer->commit());
    staged[item.target_id] = {key.name, version.value};
  }
  return staged;
}

Result<KeptForUndo> keep_for_undo(const Engine& engine, catalog::TenantTransaction& snapshot,
                                  const PreparedRestore& prepared, Progress& progress) {
  const auto& live = prepared.live;
  backup::ArchiveRequest request;
  auto& parts = request.parts.emplace();
  for (const auto& item : prepared.plan.items) {
    if (item.action != Action::kOverwrite && item.action != Action::kRemove) continue;
    const Uuid& id = item.target_id;
    switch (item.source.kind) {
      case AssetKind::kWorkspace:
        parts[WorkspaceId(id)];
        break;
      case AssetKind::kDataset: {
        auto& part = parts[live.datasets.at(DatasetId(id)).record.workspace_id];
        part.datasets.insert(DatasetId(id));
        if (keeps_rows(item, prepared.contents)) part.with_rows.insert(DatasetId(id));
        break;
      }
      case AssetKind::kReport:
        parts[live.reports.at(ReportId(id)).workspace].reports.insert(ReportId(id));
        break;
      case AssetKind::kAlert:
        parts[live.alerts.at(AlertId(id)).workspace].alerts.insert(AlertId(id));
        break;
    }
  }
  KeptForUndo kept;
  if (parts.empty()) return kept;
  OA_ASSIGN(const auto tenant, snapshot.own_tenant());
  const ObjectKey key = undo_archive_key(engine.tenant, prepared.plan.id);
  auto written = backup::write_archive(snapshot, engine.objects, engine.signer, tenant, request,
                                       key.name, progress);
  if (!written.ok() && lost_or_damaged(written.error())) {
    OA_ASSIGN(kept.rows_not_kept, leave_out_lost(engine, live, parts, progress));
    if (kept.rows_not_kept > 0) {
      written = backup::write_archive(snapshot, engine.objects, engine.signer, tenant, request,
                                      key.name, progress);
    }
  }
  OA_TRY(written);
  kept.archive = catalog::RowsObject{key.name, written->version.value};
  return kept;
}

}  // namespace oa::restore
