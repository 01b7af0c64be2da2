// One store over a bucket and its copy in another region, which the servers' own replication keeps.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "oa/objects/s3_store.h"

namespace oa {

struct ReplicatedSettings {
  /// How long reads leave a primary alone that did not answer, before one of them looks whether it
  /// is back.
  std::chrono::milliseconds rest{10'000};
};

struct ReplicatedCounts {
  bool primary_answers = true;       // as far as the last read knows
  std::uint64_t outages = 0;         // times the primary was found not to answer
  std::uint64_t replica_reads = 0;   // answers that came from the replica
  std::uint64_t damaged_copies = 0;  // copies that were found damaged
};

struct DamagedVersion {
  ObjectKey key;
  VersionId version;
  auto operator<=>(const DamagedVersion&) const = default;
};

/// Writes go to the primary alone, and fail as it does: the replication copies them. Reads go to
/// the primary; what it cannot answer (kObjectStoreUnavailable, after its client's retries) or has
/// damaged (kSealCorrupt) is read from the replica, also in the middle of an object. Always the
/// very version that was asked for. While the primary rests, the replica is asked first; what that
/// does not have is asked of the primary again. So kNotFound is only ever the primary's word: when
/// the replica knows nothing and the primary does not answer it is kObjectStoreUnavailable.
/// Errors are the primary's, with the replica's as cause.
///
/// Of the replica, head() may be an older version and list() lack what is new; list_versions() of
/// an object that it does not know is kObjectStoreUnavailable.
///
/// remove() removes from the replica first, then from the primary, because S3's replication leaves
/// removals of versions out: kObjectStoreUnavailable unless both answer. A replica whose access key
/// may not remove (kPermissionDenied) keeps it.
///
/// get_copy(): place 0 is the primary, 1 the replica.
class ReplicatedStore : public ObjectStore {
 public:
  /// Each side by itself, for who compares and repairs; never null.
  virtual S3Store& primary() = 0;
  virtual S3Store& replica() = 0;
  /// Versions of which a reader found a damaged copy since this was last called; at most 1000 are
  /// remembered.
  virtual std::vector<DamagedVersion> take_damaged() = 0;
  virtual ReplicatedCounts counts() const = 0;
};

/// Asks nothing of either. Both buckets must have the same prefix, and versions the same ids of S3
/// in both, as S3's replication and that of Ceph's gateways leave them.
std::unique_ptr<ReplicatedStore> open_replicated_store(std::unique_ptr<S3Store> primary,
                                                       std::unique_ptr<S3Store> replica,
                                                       ReplicatedSettings settings = {});

}  // namespace oa
