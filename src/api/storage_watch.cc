#include "storage_watch.h"

#include "oa/operations/storage_care.h"

namespace oa::api {

Result<durability::StorageStatus> StorageWatch::status() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (last_.has_value() && now < looked_at_ + kFresh) return *last_;
  OA_ASSIGN(last_, durability::storage_status(instance_.database(), instance_.bucket() != nullptr,
                                              days_, Timestamp::now()));
  looked_at_ = now;
  return *last_;
}

Status StorageWatch::check_now() {
  if (instance_.bucket() == nullptr) {
    return make_error(ErrorCode::kConflict, "storage.check",
                      "objects are in the data folder: there is no bucket to be looked at");
  }
  const auto found = operations::check_buckets(instance_.bucket_settings());
  OA_TRY(durability::record_check(instance_.database(), found, Timestamp::now()));
  const std::lock_guard lock(mutex_);
  last_.reset();
  return found.ok() ? Status() : found.error();
}

}  // namespace oa::api
