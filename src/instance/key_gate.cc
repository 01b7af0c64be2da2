#include "key_gate.h"

namespace oa::instance {
namespace {

constexpr const char* kOp = "tenant.key";
constexpr std::size_t kMostKnown = 65'536;

Status refused(ErrorCode code, const std::string& message) {
  return make_error(code, kOp, message).with_hint("ask those who operate this service");
}

Status judge(const TenantKeyInfo& key) {
  switch (key.state) {
    case KeyState::kEnabled:
      return {};
    case KeyState::kDisabled:
      return refused(ErrorCode::kKeyDisabled, "the key of this organisation is disabled");
    case KeyState::kPendingDestruction:
      return refused(ErrorCode::kKeyDisabled, "the key of this organisation will be destroyed at " +
                                                  key.destroy_at.rfc3339());
  }
  OA_ASSERT(false);
}

}  // namespace

Status KeyGate::check(KeyService& keys, TenantId tenant) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(tenant); known != known_.end()) {
      if (Clock::now() < known->second.ask_at) return known->second.answer;
      known->second.ask_at = Clock::now() + kAfterFailure;
    }
  }
  const auto asked = keys.describe(tenant);
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  Known& known = known_[tenant];
  known.ask_at = Clock::now() + kFor;
  if (asked.ok()) {
    known.answer = judge(*asked);
  } else if (asked.error().code == ErrorCode::kKeyDestroyed) {
    known.answer = refused(ErrorCode::kKeyDestroyed, "the key of this organisation was destroyed");
  } else {
    known.ask_at = Clock::now() + kAfterFailure;
  }
  return known.answer;
}

}  // namespace oa::instance
