#include "oa/objects/damage_log.h"

namespace oa {

void DamageLog::note(const ObjectKey& key, const VersionId& version) {
  const std::lock_guard lock(mutex_);
  if (noted_.size() < kMax) noted_.emplace(key, version);
}

std::vector<DamageLog::Version> DamageLog::take() {
  const std::lock_guard lock(mutex_);
  const auto noted = std::exchange(noted_, {});
  return {noted.begin(), noted.end()};
}

DamageLog& damage_log() {
  static DamageLog log;
  return log;
}

}  // namespace oa
