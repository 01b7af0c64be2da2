// The documents of an archive, many at a time.
#pragma once

#include "oa/privacy/mentions.h"
#include "oa/restore/contents.h"

namespace oa::restore {

Error malformed_entry(const std::string& path, const Error& cause);

/// Reads from `reader`, which it borrows. Knows where an asset's document is once it was added.
class ArchiveDocuments final : public Documents {
 public:
  explicit ArchiveDocuments(const archive::ArchiveReader& reader) : reader_(reader) {}
  void add(ReportId id, WorkspaceId workspace) { reports_[id] = workspace; }
  void add(AlertId id, WorkspaceId workspace) { alerts_[id] = workspace; }
  /// What names them is replaced in whatever is read from now on.
  void forget(std::vector<privacy::PersonValues> people) { erased_ = std::move(people); }

  Status reports(const std::set<ReportId>& ids, Progress& progress,
                 const Visit<catalog::Report>& visit) const override;
  Status alerts(const std::set<AlertId>& ids, Progress& progress,
                const Visit<catalog::Alert>& visit) const override;

 private:
  const archive::ArchiveReader& reader_;
  std::map<ReportId, WorkspaceId> reports_;
  std::map<AlertId, WorkspaceId> alerts_;
  std::vector<privacy::PersonValues> erased_;
};

}  // namespace oa::restore
