// What an archive holds: a tenant's snapshot as entries, in the order of an archive's paths.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oa/archive/manifest.h"
#include "oa/base/io.h"
#include "oa/base/progress.h"
#include "oa/catalog/repositories.h"
#include "oa/objects/sealed_objects.h"

namespace oa::backup {

/// What of one workspace goes into an archive of some assets.
struct WorkspacePart {
  std::set<DatasetId> datasets;
  std::set<DatasetId> with_rows;  // of `datasets`
  std::set<ReportId> reports;
  std::set<AlertId> alerts;
};

struct ArchiveRequest {
  bool with_rows = false;
  bool with_audit = false;
  std::vector<WorkspaceId> workspaces;  // empty: all
  /// Only these assets, each in the workspace where it is; then neither `workspaces` nor `with_rows`
  /// has a meaning. An asset that is not there is left out.
  std::optional<std::map<WorkspaceId, WorkspacePart>> parts;
  std::optional<UserId> created_by;
  // Of the record of create_archive():
  std::optional<ArchiveId> id;  // so that a repeat makes it once; none: a new one
  catalog::ArchiveOrigin origin = catalog::ArchiveOrigin::kCreated;
  std::optional<Timestamp> expires_at;
  /// The moment that the snapshot shows, when it is not the present.
  std::optional<Timestamp> moment;
};

/// Takes the entries of a snapshot, one after the other. An error ends the walk.
class EntryConsumer {
 public:
  virtual ~EntryConsumer() = default;
  virtual Status add(std::string path, Bytes content) = 0;
  /// `produce` writes exactly `size` bytes, the same at every call; it is valid during this call.
  virtual Status add_stream(std::string path, std::uint64_t size,
                            const std::function<Status(ByteSink&)>& produce) = 0;
};

/// Passes everything that an archive of `request` holds to `consumer`, in ascending byte order of
/// the paths, and returns what its manifest says. `snapshot` is a transaction of
/// Isolation::kSnapshot; rows are those that it names. Memory is bounded by the largest single
/// document and the lists of users and of one workspace's datasets. Errors: kInvalidArgument (audit
/// events of some workspaces), kNotFound (a requested workspace), those of the stores, of the
/// database and of `consumer`, kCancelled.
Result<archive::ManifestInput> walk_snapshot(catalog::TenantTransaction& snapshot,
                                             SealedObjects& objects, const catalog::Tenant& tenant,
                                             const ArchiveRequest& request, EntryConsumer& consumer,
                                             Progress& progress);

}  // namespace oa::backup
