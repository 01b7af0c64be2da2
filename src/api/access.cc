#include "access.h"

#include <algorithm>

namespace oa::api {
namespace {

Error not_found(const char* what) {
  return make_error(ErrorCode::kNotFound, "request",
                    std::string("there is no ") + what + " of this id")
      .with_hint("it may have been removed; look at the list");
}

}  // namespace

catalog::Archives::Visible visible_archives(const accounts::Identity& who) {
  if (who.owner) return {};
  return {std::vector<WorkspaceId>(who.admin_of.begin(), who.admin_of.end()), who.user};
}

Result<catalog::ArchiveRecord> archive_of(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<ArchiveId>("archive_id"));
  return visible_archive(call, id);
}

Result<catalog::ArchiveRecord> visible_archive(TenantCall& call, ArchiveId id) {
  OA_ASSIGN(auto snapshot, call.snapshot());
  auto record = catalog::Archives(snapshot).get(id);
  if (!record.ok() && record.error().code == ErrorCode::kNotFound) return not_found("archive");
  if (!record.ok() || call.who.owner) return record;
  const auto& workspaces = record->workspaces;
  const bool managed =
      workspaces.has_value() && !workspaces->empty() &&
      std::all_of(workspaces->begin(), workspaces->end(),
                  [&](const WorkspaceId& each) { return call.who.admin_in(each); });
  const bool own_upload = record->origin == catalog::ArchiveOrigin::kUploaded &&
                          record->created_by == call.who.user;
  if (managed || own_upload) return record;
  return not_found("archive");
}

Result<catalog::RestoreRecord> restore_of(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<RestoreId>("restore_id"));
  OA_ASSIGN(auto snapshot, call.snapshot());
  auto record = catalog::Restores(snapshot).get(id);
  if (!record.ok() && record.error().code == ErrorCode::kNotFound) return not_found("restore");
  if (!record.ok() || call.who.owner || record->created_by == call.who.user) return record;
  return not_found("restore");
}

Result<catalog::Job> job_of(TenantCall& call) {
  OA_ASSIGN(const auto id, call.id<JobId>("job_id"));
  OA_ASSIGN(auto snapshot, call.snapshot());
  auto job = catalog::Jobs(snapshot).get(id);
  if (!job.ok() && job.error().code == ErrorCode::kNotFound) return not_found("job");
  if (!job.ok() || call.who.owner || job->created_by == call.who.user) return job;
  return not_found("job");
}

}  // namespace oa::api
