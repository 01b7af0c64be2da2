// What the store, its writers and its readers have in common.
#pragma once

#include "s3_bucket.h"
#include "s3_names.h"

namespace oa {

struct S3Shared {
  const S3Settings settings;
  S3Bucket bucket;
  const S3Names names;
};
/// Shared, because writers and readers may outlive the store that made them.
using S3SharedPtr = std::shared_ptr<S3Shared>;

/// Calls `visit` with the versions whose keys begin with `prefix`, newest first, delete markers
/// left out, until it returns false.
template <class Visit>
Status visit_versions(S3Shared& shared, const std::string& prefix, std::size_t page_size,
                      const Visit& visit) {
  NativePage page;
  do {
    OA_ASSIGN(page, shared.bucket.list(prefix, page.next_key, page.next_id, page_size));
    for (const auto& native : page.versions) {
      if (native.delete_marker) continue;
      if (const auto named = shared.names.parse_version_key(native.key); named && !visit(*named))
        return {};
    }
  } while (page.more);
  return {};
}

/// nullopt when there is no such object.
Result<std::optional<S3Version>> newest_version(S3Shared& shared, const ObjectKey& key);

/// How each PUT for an object is made, but for its lock.
PutOptions put_options(const S3Shared& shared, const ObjectKey& key);
/// Until when a version of it is locked; none when it is not.
std::optional<Timestamp> locked_until(const S3Shared& shared, const ObjectKey& key,
                                      Timestamp committed_at);

/// `key` has been checked.
std::unique_ptr<ObjectWriter> make_s3_writer(S3SharedPtr shared, const ObjectKey& key);

/// Where the bytes of a version lie, in order.
struct S3Piece {
  std::string key;
  std::string native;  // empty: the current version
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};
/// The pieces of a version that is stored in segments. kNotFound.
Result<std::vector<S3Piece>> find_segments(S3Shared& shared, const ObjectKey& key,
                                           const S3Version& version);
Result<std::unique_ptr<RangedSource>> open_s3_source(S3SharedPtr shared, const ObjectKey& key,
                                                     const S3Version& version);

// VersionRepair; `key` has been checked.
Result<std::vector<std::unique_ptr<RangedSource>>> other_s3_copies(S3SharedPtr shared,
                                                                   const ObjectKey& key,
                                                                   const S3Version& version);
Status restore_s3_version(S3Shared& shared, const ObjectKey& key, const S3Version& version,
                          const RangedSource& sealed, const std::atomic<bool>* cancelled);

}  // namespace oa
