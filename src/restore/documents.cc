#include "documents.h"

#include <mutex>

#include "oa/archive/entry_paths.h"

namespace oa::restore {
namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{64} << 20;
// From so many documents of one folder on, the folder is gone through, frame by frame.
constexpr std::size_t kManyOfAFolder = 32;

// Passes on whether to stop, and how many documents are done.
class DocumentProgress final : public Progress {
 public:
  explicit DocumentProgress(Progress& outer) : outer_(outer) {}
  void begin(std::string_view, std::uint64_t, std::string_view) override {}
  void update(std::uint64_t) override {}
  bool cancelled() const override { return outer_.cancelled(); }

 private:
  Progress& outer_;
};

struct ReportForm {
  using Record = catalog::Report;
  using Id = ReportId;
  static constexpr archive::EntryKind kKind = archive::EntryKind::kReport;
  static constexpr const char* kFolder = "reports/";
  static Result<Record> decode(std::string_view text) {
    return catalog::report_from_portable(text);
  }
  static std::string path(WorkspaceId workspace, Id id) {
    return archive::report_path(workspace, id);
  }
};

struct AlertForm {
  using Record = catalog::Alert;
  using Id = AlertId;
  static constexpr archive::EntryKind kKind = archive::EntryKind::kAlert;
  static constexpr const char* kFolder = "alerts/";
  static Result<Record> decode(std::string_view text) { return catalog::alert_from_portable(text); }
  static std::string path(WorkspaceId workspace, Id id) {
    return archive::alert_path(workspace, id);
  }
};

template <class Form>
Result<typename Form::Record> decode(const archive::ArchiveReader& reader, const std::string& path,
                                     Bytes bytes, WorkspaceId workspace, typename Form::Id id) {
  const auto form =
      archive::migrated(Form::kKind, reader.manifest().format_minor, std::move(bytes));
  if (!form.ok()) return malformed_entry(path, form.error());
  auto record = Form::decode(as_text(*form));
  if (!record.ok()) return malformed_entry(path, record.error());
  if (record->id == id && record->workspace_id == workspace) return record;
  return make_error(ErrorCode::kArchiveMalformed, "restore.read",
                    "the entry " + path + " names another id inside");
}

// Goes through whole folders with several threads.
template <class Form>
Status read_folders(const archive::ArchiveReader& reader, const std::vector<std::string>& folders,
                    const std::set<typename Form::Id>& ids, Progress& progress,
                    const Documents::Visit<typename Form::Record>& visit) {
  if (folders.empty()) return {};
  std::mutex one_at_a_time;
  DocumentProgress quiet(progress);
  return reader.for_each_content(
      folders, 0, quiet,
      [&](const archive::EntryInfo& info, const archive::EntryContent& content) -> Status {
        const auto ref = archive::parse_entry_path(info.path);
        if (!ref.has_value() || ref->kind != Form::kKind) return {};
        const typename Form::Id id(ref->id);
        if (!ids.contains(id)) return {};
        if (info.size > kMaxDocumentBytes) {
          return make_error(ErrorCode::kArchiveLimit, "restore.read",
                            "the entry " + info.path + " is too large for a document");
        }
        MemorySink bytes;
        OA_TRY(content(bytes));
        OA_ASSIGN(auto record, decode<Form>(reader, info.path, bytes.take(), ref->workspace, id));
        const std::lock_guard lock(one_at_a_time);
        return visit(std::move(record));
      });
}

template <class Form>
Status read_documents(const archive::ArchiveReader& reader,
                      const std::map<typename Form::Id, WorkspaceId>& places,
                      const std::set<typename Form::Id>& ids, Progress& progress,
                      const Documents::Visit<typename Form::Record>& visit) {
  std::map<WorkspaceId, std::vector<typename Form::Id>> by_folder;
  for (const auto id : ids) by_folder[places.at(id)].push_back(id);
  std::vector<std::string> folders;
  for (const auto& [workspace, in_it] : by_folder) {
    if (in_it.size() >= kManyOfAFolder) {
      folders.push_back(archive::workspace_folder(workspace) + Form::kFolder);
      continue;
    }
    for (const auto id : in_it) {
      const std::string path = Form::path(workspace, id);
      OA_ASSIGN(Bytes bytes, reader.read(path, kMaxDocumentBytes));
      OA_ASSIGN(auto record, decode<Form>(reader, path, std::move(bytes), workspace, id));
      OA_TRY(visit(std::move(record)));
    }
  }
  return read_folders<Form>(reader, folders, ids, progress, visit);
}

}  // namespace

Error malformed_entry(const std::string& path, const Error& cause) {
  return make_error(ErrorCode::kArchiveMalformed, "restore.read",
                    "the entry " + path + " does not decode")
      .with_cause(cause.message);
}

namespace {

template <class Record>
Documents::Visit<Record> forgetting(const Documents::Visit<Record>& visit,
                                    const std::vector<privacy::PersonValues>& erased) {
  if (erased.empty()) return visit;
  return [&visit, &erased](Record record) {
    privacy::remove_mentions(record, erased);
    return visit(std::move(record));
  };
}

}  // namespace

Status ArchiveDocuments::reports(const std::set<ReportId>& ids, Progress& progress,
                                 const Visit<catalog::Report>& visit) const {
  return read_documents<ReportForm>(reader_, reports_, ids, progress, forgetting(visit, erased_));
}

Status ArchiveDocuments::alerts(const std::set<AlertId>& ids, Progress& progress,
                                const Visit<catalog::Alert>& visit) const {
  return read_documents<AlertForm>(reader_, alerts_, ids, progress, forgetting(visit, erased_));
}

}  // namespace oa::restore
