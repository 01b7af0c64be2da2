// Makes a tenant's archive out of one consistent moment.
#pragma once

#include "oa/backup/snapshot_entries.h"
#include "oa/crypto/sign.h"

namespace oa::backup {

/// Streams the tenant out of one REPEATABLE READ snapshot (rows by the object versions that
/// snapshot names, and with them digests of what its reports show) into a new sealed object of
/// class `archives`, then records it and the audit event in one transaction. Until that commits, no
/// archive is listed; an interrupted call leaves nothing that claims to be whole. Memory is bounded
/// by the largest single document and the lists of users and of one workspace's datasets. Errors:
/// kNotFound (a requested workspace), kAlreadyExists (request.id), those of the stores and of the
/// database, kCancelled.
Result<catalog::ArchiveRecord> create_archive(catalog::Database& database, SealedObjects& objects,
                                              const SigningKey& signer, TenantId tenant,
                                              const ArchiveRequest& request, Progress& progress);

/// The same out of a snapshot of another cluster, which shows the tenant at `request.moment`; what is
/// recorded and audited is in `live`.
Result<catalog::ArchiveRecord> create_archive_of(catalog::TenantTransaction& snapshot,
                                                 catalog::Database& live, SealedObjects& objects,
                                                 const SigningKey& signer,
                                                 const ArchiveRequest& request, Progress& progress);

struct WrittenArchive {
  archive::Manifest manifest;
  std::uint64_t size_bytes = 0;
  VersionId version;
};

/// The same as far as the object of that name, and nothing more: neither probes nor a record nor an
/// audit event. For archives that belong to something else, such as a restore.
Result<WrittenArchive> write_archive(catalog::TenantTransaction& snapshot, SealedObjects& objects,
                                     const SigningKey& signer, const catalog::Tenant& tenant,
                                     const ArchiveRequest& request, const std::string& object_name,
                                     Progress& progress);

}  // namespace oa::backup
