// The long operations that people start, each a kind of job: what is asked for, and what runs it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "oa/instance/instance.h"
#include "oa/jobs/jobs.h"
#include "oa/restore/differences.h"

namespace oa::operations {

/// Result {"archive_id"}. The archive is read back and verified. Made once, however often the job
/// is run.
struct CreateArchive {
  bool rows = false;
  bool audit = false;
  std::vector<WorkspaceId> workspaces;  // empty: all
  catalog::ArchiveOrigin origin = catalog::ArchiveOrigin::kCreated;
  std::optional<Timestamp> expires_at;
};
/// The same of the tenant as it was just before `at`, out of continuous backup, by a scratch cluster
/// that is gone afterwards. It expires after kMomentArchiveDays. kOutsideWindow, kWalMissing,
/// kRecoveryFailed; kNotFound when the tenant or a workspace was not there then.
struct ArchiveMoment {
  Timestamp at;
  bool rows = true;
  std::vector<WorkspaceId> workspaces;  // empty: all
};
inline constexpr int kMomentArchiveDays = 30;
/// Verifies an uploaded archive, keeps it and removes the upload. Result {"archive_id"}; or, of a
/// signer that is not trusted here, {"archive_id":null,"signer":{"fingerprint","public_key"}}, and
/// the upload stays.
struct ReceiveArchive {
  UploadId upload;
};
/// Every byte of an archive. Result {"state":"verified"} or {"state":"refused","code"}; the
/// archive's record says the same.
struct VerifyArchive {
  ArchiveId archive;
};
/// A plan of everything in these workspaces (all when empty), to choose from; the tenant's state
/// against the archive's. Result {"restore_id"}.
struct CompareArchive {
  ArchiveId archive;
  std::vector<WorkspaceId> workspaces;
};
/// Result {"restore_id"}; the restore has the job's id.
struct PlanRestore {
  ArchiveId archive;
  restore::Request request;             // its id and requested_by are set here
  std::vector<WorkspaceId> workspaces;  // what everything is; empty: all
};
/// Result {"restore_id"}.
struct ApplyRestore {
  RestoreId restore;
  std::string plan_hash;
};
/// Result {"restore_id"}, of the undo.
struct PlanUndo {
  RestoreId restore;
  bool discard_edits = false;
  bool leave_out_blocked = false;
};
/// Result {"row_count"}.
struct RefreshDataset {
  DatasetId dataset;
};
/// Result {"valid","events"} and, of a chain that is broken, {"detail"}.
struct VerifyAudit {};
/// rewrap_keys() of tenant_keys.h. Result {"objects","secrets","signing_keys","already"}.
struct RewrapKeys {
  std::string old_key;
};
/// Everything that is known of a person as a bundle (privacy.h). Result {"export_id"}, the job's id.
struct ExportPerson {
  UserId user;
};
/// Carries out an erasure that was asked for (privacy.h). Result {"erasure_id"}.
struct ErasePerson {
  Uuid erasure;
  UserId user;
};

using Operation = std::variant<CreateArchive, ArchiveMoment, ReceiveArchive, VerifyArchive, CompareArchive,
                               PlanRestore, ApplyRestore, PlanUndo, RefreshDataset, VerifyAudit,
                               RewrapKeys, ExportPerson, ErasePerson>;

/// The job that runs it; to be added with catalog::Jobs. `by`: none when the service starts it.
catalog::Job job_of(const Operation& operation, std::optional<UserId> by,
                    const std::string& trace_id);

/// What runs each kind. `instance` is borrowed.
std::map<std::string, jobs::Kind> kinds(instance::Instance& instance);

/// The archive that a planned or applied restore reads: its id in the catalog, if it is there.
std::optional<ArchiveId> archive_of(const catalog::RestoreRecord& record);

/// The engine of one tenant with what it borrows.
struct Workplace {
  SigningKey signer;
  std::vector<PublicKey> own_keys;
  std::shared_ptr<const restore::ErasedPeople> erased;
  restore::Engine engine(instance::Instance& instance, TenantId tenant) const;
};
Result<Workplace> workplace_of(instance::Instance& instance, TenantId tenant);

/// Opens an archive of the catalog under the keys that the tenant trusts.
Result<restore::StoredArchive> open_archive(instance::Instance& instance, TenantId tenant,
                                            ArchiveId archive);

/// What exactly one item of a plan that was not applied would change. Errors: kNotFound (no such
/// item), kConflict (applied already), those of restore::differences().
Result<restore::ItemDifferences> item_differences(instance::Instance& instance, TenantId tenant,
                                                  const catalog::RestoreRecord& record,
                                                  const restore::AssetRef& asset);

}  // namespace oa::operations
