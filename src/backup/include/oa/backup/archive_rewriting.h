// A kept archive made anew without the people who were erased since.
#pragma once

#include <map>

#include "oa/archive/reader.h"
#include "oa/catalog/repositories.h"
#include "oa/crypto/sign.h"
#include "oa/objects/sealed_objects.h"

namespace oa::backup {

/// By id, the tombstone that stands where their values stood.
using Tombstones = std::map<UserId, std::string>;

/// Whether anybody of `erased` is named in what the archive says of people, with more than an id.
Result<bool> holds_erased(const archive::ArchiveReader& reader, const Tombstones& erased);

/// Writes the archive that `record` names once more, as it is but for `erased`: their profiles are
/// blank, they have no roles, grants and memberships, their values in documents and in the audit chain
/// are tombstones (the chain still verifies). Rows are copied. The manifest's `options.rewritten` says
/// when, of which content hash, and for how many people; id and snapshot time stay; `signer` signs.
/// Then the record is replaced in one transaction with an audit event, and the version before is removed.
/// A crash leaves the old archive or the new one; what is not named is swept. kPreconditionFailed when
/// the record changed meanwhile, those of the archive, the stores and the database.
Result<catalog::ArchiveRecord> rewrite_archive(catalog::Database& database, SealedObjects& objects,
                                               const SigningKey& signer, TenantId tenant,
                                               const catalog::ArchiveRecord& record,
                                               const archive::ArchiveReader& reader,
                                               const Tombstones& erased, Progress& progress);

}  // namespace oa::backup
