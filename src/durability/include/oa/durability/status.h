// How safe what is stored is: what the last check of the bucket and the scrub found, and what puts it
// at risk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/durability/bucket_check.h"
#include "oa/durability/scrub.h"

namespace oa::durability {

enum class StorageAlarmCode { kBucketDrift, kBucketUnchecked, kObjectDamaged, kScrubBehind };
inline constexpr int kStorageAlarmCodes = static_cast<int>(StorageAlarmCode::kScrubBehind) + 1;
/// "bucket-drift" … Stable: operators match on it.
std::string_view to_text(StorageAlarmCode);

struct StorageAlarm {
  StorageAlarmCode code = StorageAlarmCode::kBucketDrift;
  bool critical = false;
  std::string message;
};

struct StorageStatus {
  Timestamp now;
  bool in_bucket = false;               // else in a folder: there is no bucket to be checked
  std::optional<Timestamp> checked_at;  // the last check that came to its end
  json::array findings;                 // of that one
  std::optional<std::string> check_failed;  // why there is none since: a code
  Coverage coverage;
  std::vector<Damage> damage;        // at most 100 a tenant
  std::vector<StorageAlarm> alarms;  // what is critical first
};

/// From what was recorded; looks at no store.
Result<StorageStatus> storage_status(catalog::Database& database, bool in_bucket, int days,
                                     Timestamp now);
json::object to_json(const StorageStatus& status);

/// A check of the buckets, as a record of the chain: what it found or why there was none.
Status record_check(catalog::Database& database,
                    const Result<std::vector<BucketFinding>>& found, Timestamp now);
/// The coverage of all tenants, as a record.
Result<Coverage> record_coverage(catalog::Database& database, int days, Timestamp now);

}  // namespace oa::durability
