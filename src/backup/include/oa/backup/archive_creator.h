// Makes a tenant's archive out of one consistent moment.
#pragma once

#include <optional>
#include <vector>

#include "oa/base/progress.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/sign.h"
#include "oa/objects/sealed_objects.h"

namespace oa::backup {

struct ArchiveRequest {
  bool with_rows = false;
  bool with_audit = false;
  std::vector<WorkspaceId> workspaces;  // empty: all
  std::optional<UserId> created_by;
};

/// Streams the tenant out of one REPEATABLE READ snapshot (rows by the object versions that
/// snapshot names) into a new sealed object of class `archives`, then records it and the audit
/// event in one transaction. Until that commits, no archive is listed; an interrupted call leaves
/// nothing that claims to be whole. Memory is bounded by the largest single document and the lists
/// of users and of one workspace's datasets. Errors: kNotFound (a requested workspace), those of
/// the stores and of the database, kCancelled.
Result<catalog::ArchiveRecord> create_archive(catalog::Database& database, SealedObjects& objects,
                                              const SigningKey& signer, TenantId tenant,
                                              const ArchiveRequest& request, Progress& progress);

}  // namespace oa::backup
