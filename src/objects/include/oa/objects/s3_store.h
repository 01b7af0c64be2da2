// The `s3` driver: objects in one versioned bucket of Amazon S3 or of a server that speaks as S3
// does (Ceph RADOS Gateway; give its frontend tcp_nodelay=1, else each small answer waits 40 ms).
// How an object lies in the bucket: docs/format.md, "A bucket".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/aws/client.h"
#include "oa/objects/object_store.h"

namespace oa {

/// Makes the ledger class write-once: each object of it is locked (S3 Object Lock) until `days`
/// have passed since its commit. The bucket must have been made with object lock.
struct LedgerLock {
  /// Nobody can remove it before, the account's owner included; else whoever has the permission
  /// s3:BypassGovernanceRetention can.
  bool compliance = true;
  int days = 3650;  // 1 to 36,500
};

struct S3Settings {
  aws::ClientSettings connection;  // scope.service "s3"
  std::string bucket;
  std::string prefix = {};  // of all keys, e.g. "backup/"; empty, or names parted and ended by '/'
  bool virtual_host = false;  // the bucket in the host name, as AWS wants it; else in the path
  /// The key of the server's KMS for a tenant's objects (SSE-KMS): an id or an ARN, no alias. Sent
  /// with every PUT; an answer that does not name it is an error, and what was put is removed. May
  /// be empty, and may say that a tenant has none. Thread-safe.
  std::function<std::optional<std::string>(TenantId)> kms_key_of = {};
  /// An object that is longer is stored in segments of this size, a PUT each: 64 KiB to 256 MiB. A
  /// writer holds `uploads_at_once` + 1 of them in memory, so that it can sign each with its real
  /// hash and send it again; nothing is ever on a disk.
  std::size_t segment_bytes = std::size_t{16} << 20;
  int uploads_at_once = 2;  // of one writer; 1 to 16
  std::optional<LedgerLock> ledger_lock = {};
  /// A writer that has not got on for so long is taken for dead by sweep(), and cannot commit any
  /// more after half of it.
  std::chrono::seconds abandoned_after{24 * 3600};
};

struct S3Sweep {
  std::size_t uploads = 0;  // abandoned ones that were removed
  std::size_t kept = 0;     // abandoned ones that the server does not remove yet (locked)
  std::size_t segments = 0;
};

/// One piece of an object's stored (sealed) bytes.
struct SignedPiece {
  std::string url;  // a secret, good for reading this piece and nothing else
  std::uint64_t size_bytes = 0;
};

/// Errors beside those of ObjectStore: kObjectStoreUnavailable (no answer; also when the bucket is
/// gone), kPermissionDenied, kKeyDisabled and kKeyDestroyed (of the server's KMS), kDiskFull (a
/// quota too), kSealCorrupt (what came is not what was stored), kIo (any other refusal, a KMS key
/// that was not honoured). After an error of commit() that is kObjectStoreUnavailable the version
/// may have become visible all the same; nobody knows its id. A version's id begins with the
/// microsecond of its commit, at least one more than that of the newest one there is then: S3's own
/// version ids have no order. Costs one list request for each commit.
class S3Store : public ObjectStore {
 public:
  /// Removes the segments of writers that died (`abandoned_after`). Any process may do it at any
  /// time.
  virtual Result<S3Sweep> sweep() = 0;
  /// Addresses for fetching the stored bytes without credentials: one for a small object, else one
  /// a segment. `lifetime`: 1 s to 7 days.
  virtual Result<std::vector<SignedPiece>> presigned_get(const ObjectKey& key,
                                                         const VersionId& version,
                                                         std::chrono::seconds lifetime) = 0;
  /// Whether the bucket answers, keeps versions and can lock, as open_s3_store() asks; but asks
  /// once and waits two seconds at most for each of two answers.
  virtual Status look() = 0;
  virtual aws::ClientCounts counts() const = 0;
};

/// Asks whether the bucket is there, keeps versions and can lock: kPreconditionFailed when it does
/// not keep versions, or `ledger_lock` is wanted and it cannot. Needs the permissions
/// s3:GetBucketVersioning and s3:GetBucketObjectLockConfiguration, and for objects those to put,
/// tag, get, list and delete versions (and to put retention).
Result<std::unique_ptr<S3Store>> open_s3_store(S3Settings settings);
/// Asks nothing; fails for settings that cannot be alone. What the bucket lacks is found by look(),
/// and by each PUT, which stores nothing in a bucket that keeps no versions.
Result<std::unique_ptr<S3Store>> open_s3_store_unasked(S3Settings settings);

}  // namespace oa
