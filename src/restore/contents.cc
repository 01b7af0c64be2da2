#include "oa/restore/contents.h"

#include <fmt/format.h>

#include <algorithm>

#include "documents.h"
#include "oa/archive/entry_paths.h"
#include "oa/restore/erased_people.h"

namespace oa::restore {
namespace {

using archive::EntryKind;
using archive::EntryRef;

constexpr std::size_t kMaxDocumentBytes = std::size_t{64} << 20;

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

AssetDigest first_half(const Blake2bDigest& digest) {
  AssetDigest half{};
  std::copy_n(digest.begin(), half.size(), half.begin());
  return half;
}

// Works through the archive's list of entries, then through the documents.
class ContentsBuilder {
 public:
  ContentsBuilder(const archive::ArchiveReader& reader, const Selection& selection,
                  Progress& progress, const ErasedPeople* erased, TenantId tenant)
      : reader_(reader),
        selection_(selection),
        progress_(progress),
        erased_people_(erased),
        tenant_(tenant),
        documents_(std::make_shared<ArchiveDocuments>(reader)) {}

  Result<Contents> build() {
    const auto& manifest = reader_.manifest();
    contents_.archive_id = manifest.archive_id;
    contents_.content_hash = to_hex(manifest.content_hash);
    contents_.signer = manifest.signer.fingerprint();
    contents_.tenant_id = manifest.content.tenant_id;
    contents_.snapshot_time = manifest.snapshot_time;
    contents_.documents = documents_;
    OA_ASSIGN(contents_.migrations, archive::migrations_from(manifest.format_minor));
    contents_.knows_grants = manifest.format_minor >= 1;
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
      const AssetRef asset{kind_of(ref->kind), ref->id};
      if (selection_.assets.contains(asset)) offered_.insert(asset);
      if (ref->kind == EntryKind::kRows) {
        rows_[DatasetId(ref->id)] = ArchivedRows{info.size, info.digest};
      } else if (ref->kind == EntryKind::kWorkspace) {
        workspace_ids_.push_back(ref->workspace);
      }
      if (!wanted(*ref)) return {};
      contents_.selected.insert(asset);
      note(*ref);
      if (contents_.selected.size() <= kMaxSelectedAssets) return {};
      return make_error(ErrorCode::kLimitExceeded, "restore.select",
                        fmt::format("more than {} assets are selected", kMaxSelectedAssets))
          .with_hint("restore some workspaces at a time");
    });
  }

  void note(const EntryRef& ref) {
    if (ref.kind == EntryKind::kReport) {
      reports_.insert(ReportId(ref.id));
      documents_->add(ReportId(ref.id), ref.workspace);
    } else if (ref.kind == EntryKind::kAlert) {
      alerts_.insert(AlertId(ref.id));
      documents_->add(AlertId(ref.id), ref.workspace);
    } else if (ref.kind == EntryKind::kModel) {
      needed_.insert(DatasetId(ref.id));
    }
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
    if (!tenant.ok()) return malformed_entry("manifest.json", tenant.error());
    add_people(tenant->users, tenant->teams);
    for (const auto id : workspace_ids_) {
      const std::string path = archive::workspace_path(id);
      OA_ASSIGN(const Bytes bytes, reader_.read(path, kMaxDocumentBytes));
      auto document = catalog::workspace_from_portable(as_text(bytes));
      if (!document.ok()) return malformed_entry(path, document.error());
      if (document->workspace.id != id) {
        return make_error(ErrorCode::kArchiveMalformed, "restore.read",
                          "the entry " + path + " names another id inside");
      }
      add_people(document->users, document->teams);
      for (auto& dataset : document->datasets) {
        const DatasetId dataset_id = dataset.id;
        records_[dataset_id] = std::move(dataset);
      }
      contents_.workspaces[id] = std::move(document->workspace);
    }
    return forget_erased();
  }

  Status forget_erased() {
    if (erased_people_ == nullptr) return {};
    OA_ASSIGN(erased_, erased_people_->among(tenant_, contents_.users));
    for (auto& [id, team] : contents_.teams) privacy::remove_mentions(team, erased_);
    for (auto& [id, workspace] : contents_.workspaces) privacy::remove_mentions(workspace, erased_);
    documents_->forget(erased_);
    return {};
  }

  void add_people(const std::vector<catalog::User>& users,
                  const std::vector<catalog::Team>& teams) {
    for (const auto& user : users) contents_.users[user.id] = user;
    for (const auto& team : teams) contents_.teams[team.id] = team;
  }

  template <class Id>
  Status keep(Id id, AssetBrief brief, std::map<Id, AssetBrief>& briefs) {
    needed_.insert(brief.datasets.begin(), brief.datasets.end());
    briefs.emplace(id, std::move(brief));
    progress_.update(++done_);
    if (!progress_.cancelled()) return {};
    return make_error(ErrorCode::kCancelled, "restore.plan", "cancelled; nothing was changed");
  }

  Status read_reports_and_alerts() {
    progress_.begin("reading the archive", reports_.size() + alerts_.size(), "documents");
    OA_TRY(documents_->reports(reports_, progress_, [&](const catalog::Report& report) {
      return keep(report.id, brief_of(report), contents_.reports);
    }));
    return documents_->alerts(alerts_, progress_, [&](const catalog::Alert& alert) {
      return keep(alert.id, brief_of(alert), contents_.alerts);
    });
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
      privacy::remove_mentions(dataset.record, erased_);
      if (const auto rows = rows_.find(id); rows != rows_.end()) dataset.rows = rows->second;
      contents_.datasets[id] = std::move(dataset);
    }
    return {};
  }

  const archive::ArchiveReader& reader_;
  const Selection& selection_;
  Progress& progress_;
  const ErasedPeople* const erased_people_;
  const TenantId tenant_;
  std::vector<privacy::PersonValues> erased_;
  std::uint64_t done_ = 0;
  std::shared_ptr<ArchiveDocuments> documents_;
  Contents contents_;
  std::set<AssetRef> offered_;  // of those that are asked for by name
  std::vector<WorkspaceId> workspace_ids_;
  std::set<ReportId> reports_;
  std::set<AlertId> alerts_;
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

Result<AssetKind> parse_asset_kind(std::string_view text) {
  for (const auto kind :
       {AssetKind::kWorkspace, AssetKind::kDataset, AssetKind::kReport, AssetKind::kAlert}) {
    if (text == to_text(kind)) return kind;
  }
  return make_error(ErrorCode::kInvalidArgument, "restore.asset",
                    "an asset is a workspace, a dataset, a report or an alert");
}

AssetDigest asset_digest(const catalog::Workspace& workspace) {
  catalog::WorkspaceDocument document;
  document.workspace = workspace;
  return first_half(Blake2b::of(as_bytes(catalog::to_portable(document))));
}

AssetDigest asset_digest(const catalog::Dataset& dataset) {
  return first_half(catalog::content_digest(dataset));
}

AssetDigest asset_digest(const catalog::Report& report) {
  return first_half(catalog::content_digest(report));
}

AssetDigest asset_digest(const catalog::Alert& alert) {
  return first_half(catalog::content_digest(alert));
}

AssetBrief brief_of(const catalog::Report& report) {
  AssetBrief brief{report.workspace_id, report.name, report.created_by,   report.updated_at, {},
                   report.grants,       {},          asset_digest(report)};
  brief.parts.reserve(report.visuals.size() + report.bookmarks.size());
  for (const auto& visual : report.visuals) brief.parts.push_back(visual.id.uuid());
  for (const auto& bookmark : report.bookmarks) brief.parts.push_back(bookmark.id.uuid());
  for (const auto& visual : report.visuals) brief.datasets.push_back(visual.dataset_id);
  std::ranges::sort(brief.datasets);
  const auto rest = std::ranges::unique(brief.datasets);
  brief.datasets.erase(rest.begin(), rest.end());
  brief.datasets.shrink_to_fit();
  return brief;
}

AssetBrief brief_of(const catalog::Alert& alert) {
  return {alert.workspace_id,
          alert.name,
          alert.created_by,
          alert.updated_at,
          {alert.dataset_id},
          {},
          {},
          asset_digest(alert)};
}

Result<Contents> read_contents(const archive::ArchiveReader& reader, const Selection& selection,
                               Progress& progress, const ErasedPeople* erased,
                               TenantId tenant) {
  return ContentsBuilder(reader, selection, progress, erased, tenant).build();
}

}  // namespace oa::restore
