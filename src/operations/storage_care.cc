#include "oa/operations/storage_care.h"

#include <algorithm>

#include "oa/continuity/retention.h"

namespace oa::operations {
namespace {

// So long the longest plan may ask for rows that a dataset has left.
int kept_days() {
  return catalog::window_days_of(catalog::Plan::kScale) + continuity::kRegretDays +
         continuity::kMarginDays;
}

}  // namespace

durability::ScrubParts scrub_parts(instance::Instance& instance) {
  ObjectStore* const bucket = instance.bucket();
  ObjectStore& store = bucket != nullptr ? *bucket : instance.objects().store();
  return {instance.database(), instance.keys(), store, instance.replica(), instance::ledger_owner()};
}

Result<std::vector<durability::CheckedBucket>> buckets_of(const instance::BucketSettings& settings) {
  if (!settings.primary.has_value()) return std::vector<durability::CheckedBucket>();
  return durability::open_buckets(*settings.primary, settings.replica, kept_days(),
                                  durability::kScrubDays);
}

Result<std::vector<durability::BucketFinding>> check_buckets(
    const instance::BucketSettings& settings) {
  OA_ASSIGN(const auto buckets, buckets_of(settings));
  std::vector<durability::BucketFinding> all;
  for (const auto& bucket : buckets) {
    auto found = durability::check_bucket(*bucket.admin, bucket.required);
    if (!found.ok() && bucket.required.place != "replica") return found;
    if (!found.ok()) {
      all.push_back({durability::BucketAspect::kReplication, durability::FindingLevel::kWarning,
                     bucket.required.place,
                     "the replica cannot be looked at: " + found.error().message,
                     "see to the region that config.objects.replica names", ""});
      continue;
    }
    std::ranges::move(*found, std::back_inserter(all));
  }
  std::ranges::stable_sort(all, std::greater(), &durability::BucketFinding::level);
  return all;
}

}  // namespace oa::operations
