// What a bucket itself is set to: read as the server tells it, and changed property by property. What it
// should be is not known here (durability/bucket_check.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oa/base/json.h"
#include "oa/objects/s3_store.h"

namespace oa {

/// Whether the server tells.
enum class Told { kYes, kUnsupported, kRefused };

template <class T>
struct Property {
  Told told = Told::kYes;
  T value{};
};

struct LifecycleRule {
  std::string id;
  bool enabled = false;
  std::string prefix;                                       // of keys; empty: all
  std::vector<std::pair<std::string, std::string>> tags;    // an object must have all of them
  std::optional<int> expires_days;     // current versions; 0 for a date
  std::optional<int> noncurrent_days;  // versions that are not the current one
  std::vector<std::string> transitions;  // storage classes
  std::string xml;  // all of it, as the server has it
};

struct BucketGrant {
  std::string grantee;  // URI of a group, or id of an account
  std::string permission;
};

struct PublicAccessBlock {
  bool block_acls = false, ignore_acls = false, block_policy = false, restrict_buckets = false;
  /// Ceph's gateways (seen with 16.2.15) answer 403 to every PUT once BlockPublicAcls is on. Without it
  /// a public list can be set and, by IgnorePublicAcls, lets nobody in.
  bool refuses_writes = false;
  bool right() const {
    return block_acls != refuses_writes && ignore_acls && block_policy && restrict_buckets;
  }
};

struct BucketReplication {
  std::string id, destination, prefix;
  bool enabled = false;
};

struct BucketConfiguration {
  Property<std::string> versioning;  // "Enabled", "Suspended", or empty: never turned on
  Property<bool> object_lock;
  std::optional<std::string> default_retention;  // "GOVERNANCE, 3 days": of every object
  Property<std::optional<std::string>> encryption;  // "aws:kms KEY", "AES256"; none
  Property<std::vector<LifecycleRule>> lifecycle;
  Property<std::vector<BucketGrant>> grants;  // but those of the owner
  Property<std::optional<json::value>> policy;
  Property<PublicAccessBlock> public_access;
  Property<std::vector<BucketReplication>> replication;
};

/// The lock of a tenant's newest object of the ledger.
struct LedgerLockSeen {
  TenantId tenant;
  Timestamp created_at;
  std::string mode;  // "COMPLIANCE", "GOVERNANCE"; empty: not locked
  std::optional<Timestamp> until;
};

/// Thread-safe. Errors are those of S3Store; kNotFound is no error of read(). Needs, beside what a store
/// needs, s3:GetBucket… and s3:PutBucket… of each property, s3:GetLifecycleConfiguration,
/// s3:PutLifecycleConfiguration, s3:GetReplicationConfiguration, s3:GetEncryptionConfiguration,
/// s3:PutEncryptionConfiguration and s3:GetObjectRetention.
class BucketAdmin {
 public:
  static Result<std::unique_ptr<BucketAdmin>> open(S3Settings settings);
  virtual ~BucketAdmin() = default;

  /// Each property by a request of its own. What the server refuses to tell, or does not know, is told
  /// so: servers that do not know a property answer with something else, also with 200.
  virtual Result<BucketConfiguration> read() = 0;
  /// Of at most `max` tenants that have a ledger.
  virtual Result<std::vector<LedgerLockSeen>> ledger_locks(std::size_t max) = 0;

  virtual Status enable_versioning() = 0;
  /// "AES256" or "aws:kms" with a key. Only where read() told of an encryption: other servers take the
  /// request for another.
  virtual Status set_encryption(const std::string& algorithm, const std::string& kms_key) = 0;
  /// Instead of all rules there are; `rules` are LifecycleRule::xml.
  virtual Status put_lifecycle(const std::vector<std::string>& rules) = 0;
  /// The owner alone.
  virtual Status make_private() = 0;
  /// None: without one.
  virtual Status put_policy(const std::optional<json::value>& policy) = 0;
  /// All four, or without BlockPublicAcls.
  virtual Status block_public_access(bool block_acls) = 0;
};

/// A rule that removes what nobody needs at the end of its life, of keys that begin with `prefix`: delete
/// markers that hide nothing any more, and uploads in parts that nobody finished within `days`.
std::string housekeeping_rule(const std::string& id, const std::string& prefix, int days);
/// The same rule, not enabled. kIo for what is no rule.
Result<std::string> disabled_rule(const std::string& xml);

}  // namespace oa
