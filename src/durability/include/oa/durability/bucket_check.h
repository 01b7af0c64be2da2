// What a bucket must be set to so that nothing is lost or seen, how far it is from that, and how it gets
// there.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "oa/objects/bucket_configuration.h"

namespace oa::durability {

enum class BucketAspect {
  kVersioning,
  kObjectLock,
  kLedger,
  kEncryption,
  kLifecycle,
  kAcl,
  kPolicy,
  kPublicAccess,
  kReplication,
};
/// "versioning" … Stable: operators match on it.
std::string_view to_text(BucketAspect);

enum class FindingLevel { kNote, kWarning, kCritical };
std::string_view to_text(FindingLevel);

/// The required state, derived from a deployment. No rule of a lifecycle removes objects of ours, or what
/// S3 keeps behind them: how long an object is kept follows from the catalog (when a dataset left its
/// rows, which archive was deleted), which no bucket knows, so the service removes each version by its
/// id and nothing else may (ADR 0023). What may go by itself are delete markers that hide nothing and uploads
/// in parts that nobody finished. A version behind the current one is what a repair needs when somebody
/// wrote over an object: a rule may remove those only when the scrub has been there before.
struct RequiredBucket {
  std::string name, prefix;
  std::string place;                  // "primary" or "replica"
  std::optional<LedgerLock> lock;     // none: none is wanted
  std::string kms_key;                // of the default encryption; empty: each tenant has its own
  bool replica_named = false;         // the deployment says where its copy is
  int noncurrent_days = 0;            // at least, before a rule removes versions that are not current
};

/// `kept_days`: as long as the longest plan may ask for what was, regret and margin included.
RequiredBucket required_bucket(const S3Settings& settings, bool replica_named, int kept_days,
                               int scrub_days);
/// The bucket that `settings` copy to. Only what may go wrong there is required of it.
RequiredBucket required_replica(const S3Settings& settings, int kept_days, int scrub_days);

struct BucketFinding {
  BucketAspect aspect = BucketAspect::kVersioning;
  FindingLevel level = FindingLevel::kNote;
  std::string place;
  std::string message;  // what is so
  std::string remedy;   // what to do; empty for a note
  std::string change;   // what apply_bucket() does about it; empty: nothing
};

/// Pure. Notes say what the server does not know, and how the bucket is replicated.
std::vector<BucketFinding> bucket_findings(const RequiredBucket& required,
                                           const BucketConfiguration& seen,
                                           const std::vector<LedgerLockSeen>& ledger,
                                           Timestamp now);

/// Whether it must be seen to: something is worse than a note.
bool drifted(const std::vector<BucketFinding>& findings);

/// Reads the bucket and compares. Errors of BucketAdmin.
Result<std::vector<BucketFinding>> check_bucket(BucketAdmin& admin, const RequiredBucket& required);

/// Makes the changes that bucket_findings() announces for a bucket that is as `seen`, and no others: a
/// rule of somebody else's that removes our objects is disabled and stays there to be read, every other
/// one stays as it is; a statement of the policy that lets everybody in goes, the others stay. What it
/// did, in order; the first error ends it. Whoever calls checks again.
Result<std::vector<std::string>> apply_bucket(BucketAdmin& admin, const RequiredBucket& required,
                                              const BucketConfiguration& seen);

/// kObjectStoreDrift, with how much, unless nothing drifted.
Status drift_status(const std::vector<BucketFinding>& findings);

json::object to_json(const BucketFinding& finding);

/// The buckets of a deployment, primary first, each with what is required of it.
struct CheckedBucket {
  RequiredBucket required;
  std::unique_ptr<BucketAdmin> admin;
};
Result<std::vector<CheckedBucket>> open_buckets(const S3Settings& primary,
                                                const std::optional<S3Settings>& replica,
                                                int kept_days, int scrub_days);

}  // namespace oa::durability
