#include "oa/restore/contents.h"

#include "oa/archive/entry_paths.h"

namespace oa::restore {
namespace {

using archive::EntryKind;
using archive::EntryRef;

constexpr std::size_t kMaxDocumentBytes = std::size_t{64} << 20;

struct Entry {
  EntryRef ref;
  archive::EntryInfo info;
};

Error malformed(const std::string& path, const Error& cause) {
  return make_error(ErrorCode::kArchiveMalformed, "restore.read",
                    "the entry " + path + " does not decode")
      .with_cause(cause.message);
}

AssetKind kind_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::kWorkspace:
      return AssetKind::kWorkspace;
    case EntryKind::kModel:
    case EntryKind::kRows:
      return AssetKind::kDataset;
    case EntryKind::kReport:
      return AssetKind::kReport;
    case EntryKind::kAlert:
      return AssetKind::kAlert;
  }
  return AssetKind::kWorkspace;
}

// Reads and decodes one document and holds it against the path that named it.
template <class Record, class Decode, class Check>
Result<Record> read_document(const archive::ArchiveReader& reader, const std::string& path,
                             Decode decode, Check fits) {
  OA_ASSIGN(const Bytes bytes, reader.read(path, kMaxDocumentBytes));
  auto record = decode(as_text(bytes));
  if (!record.ok()) return malformed(path, record.error());
  if (!fits(*record)) {
    return make_error(ErrorCode::kArchiveMalformed, "restore.read",
                      "the entry " + path + " names another id inside");
  }
  return std::move(record).value();
}

// Works through the archive's list of entries, then through the documents.
class ContentsBuilder {
 public:
  ContentsBuilder(const archive::ArchiveReader& reader, const Selection& selection)
      : reader_(reader), selection_(selection) {}

  Result<Contents> build() {
    const auto& manifest = reader_.manifest();
    contents_.archive_id = manifest.archive_id;
    contents_.tenant_id = manifest.content.tenant_id;
    contents_.snapshot_time = manifest.snapshot_time;
    OA_TRY(list_entries());
    OA_TRY(check_selection());
    OA_TRY(read_workspaces());
    OA_TRY(read_reports_and_alerts());
    OA_TRY(read_datasets());
    return std::move(contents_);
  }

 private:
  bool wanted(const EntryRef& ref) const {
    return selection_.everything ||
           selection_.assets.contains({AssetKind::kWorkspace, ref.workspace.uuid()}) ||
           selection_.assets.contains({kind_of(ref.kind), ref.id});
  }

  Status list_entries() {
    return reader_.for_each("workspaces/", [&](const archive::EntryInfo& info) -> Status {
      const auto ref = archive::parse_entry_path(info.path);
      if (!ref.has_value()) {
        return make_error(ErrorCode::kArchiveMalformed, "restore.read",
                          "the archive has an entry of no known kind");
      }
      offered_.insert({kind_of(ref->kind), ref->id});
      if (wanted(*ref)) contents_.selected.insert({kind_of(ref->kind), ref->id});
      if (ref->kind == EntryKind::kRows) {
        rows_[DatasetId(ref->id)] = ArchivedRows{info.size, info.digest};
      } else if (ref->kind == EntryKind::kWorkspace) {
        workspace_ids_.push_back(ref->workspace);
      } else if (wanted(*ref)) {
        documents_.push_back({*ref, info});
      }
      return {};
    });
  }

  Status check_selection() const {
    for (const auto& asset : selection_.assets) {
      if (offered_.contains(asset)) continue;
      return make_error(
                 ErrorCode::kNotFound, "restore.select",
                 "the archive holds no " + std::string(to_text(asset.kind)) + " " + asset.id.str())
          .with_hint("`oa-backup archive ls` shows what it holds");
    }
    return {};
  }

  Status read_workspaces() {
    auto tenant = catalog::tenant_from_portable(reader_.manifest().content.tenant);
    if (!tenant.ok()) return malformed("manifest.json", tenant.error());
    add_people(tenant->users, tenant->teams);
    for (const auto id : workspace_ids_) {
      OA_ASSIGN(auto document,
                read_document<catalog::WorkspaceDocument>(
                    reader_, archive::workspace_path(id), catalog::workspace_from_portable,
                    [&](const auto& d) { return d.workspace.id == id; }));
      add_people(document.users, document.teams);
      for (auto& dataset : document.datasets) {
        const DatasetId dataset_id = dataset.id;
        records_[dataset_id] = std::move(dataset);
      }
      contents_.workspaces[id] = std::move(document.workspace);
    }
    return {};
  }

  void add_people(const std::vector<catalog::User>& users,
                  const std::vector<catalog::Team>& teams) {
    for (const auto& user : users) contents_.users[user.id] = user;
    for (const auto& team : teams) contents_.teams[team.id] = team;
  }

  Status read_reports_and_alerts() {
    for (const auto& [ref, info] : documents_) {
      const auto fits = [&, ref = ref](const auto& d) {
        return d.id.uuid() == ref.id && d.workspace_id == ref.workspace;
      };
      if (ref.kind == EntryKind::kReport) {
        OA_ASSIGN(auto report, read_document<catalog::Report>(reader_, info.path,
                                                              catalog::report_from_portable, fits));
        for (const auto& visual : report.visuals) needed_.insert(visual.dataset_id);
        contents_.reports[report.id] = std::move(report);
      } else if (ref.kind == EntryKind::kAlert) {
        OA_ASSIGN(auto alert, read_document<catalog::Alert>(reader_, info.path,
                                                            catalog::alert_from_portable, fits));
        needed_.insert(alert.dataset_id);
        contents_.alerts[alert.id] = std::move(alert);
      } else {
        needed_.insert(DatasetId(ref.id));
      }
    }
    return {};
  }

  Status read_datasets() {
    for (const auto id : needed_) {
      const auto record = records_.find(id);
      if (record == records_.end()) continue;  // the plan says what that means for whoever needs it
      ArchivedDataset dataset{record->second, std::nullopt};
      const std::string path = archive::model_path(dataset.record.workspace_id, id);
      OA_ASSIGN(const Bytes model, reader_.read(path, kMaxDocumentBytes));
      if (!is_utf8(as_text(model))) {
        return make_error(ErrorCode::kArchiveMalformed, "restore.read",
                          "the entry " + path + " is not UTF-8");
      }
      dataset.record.model_yaml = as_text(model);
      if (const auto rows = rows_.find(id); rows != rows_.end()) dataset.rows = rows->second;
      contents_.datasets[id] = std::move(dataset);
    }
    return {};
  }

  const archive::ArchiveReader& reader_;
  const Selection& selection_;
  Contents contents_;
  std::set<AssetRef> offered_;
  std::vector<WorkspaceId> workspace_ids_;
  std::vector<Entry> documents_;
  std::map<DatasetId, ArchivedRows> rows_;
  std::map<DatasetId, catalog::Dataset> records_;
  std::set<DatasetId> needed_;
};

}  // namespace

std::string_view to_text(AssetKind kind) {
  switch (kind) {
    case AssetKind::kWorkspace:
      return "workspace";
    case AssetKind::kDataset:
      return "dataset";
    case AssetKind::kReport:
      return "report";
    case AssetKind::kAlert:
      return "alert";
  }
  return {};
}

Result<Contents> read_contents(const archive::ArchiveReader& reader, const Selection& selection) {
  return ContentsBuilder(reader, selection).build();
}

}  // namespace oa::restore
