// A tenant made unreadable for good: its key is destroyed after a waiting time.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "oa/base/progress.h"
#include "oa/instance/instance.h"

namespace oa::operations {

inline constexpr std::chrono::hours kShredWait{7 * 24};

/// From now on the tenant's people are refused with kKeyDisabled; after `wait` the key is
/// destroyed, and with it all that is sealed under it. The moment, which may be later than asked
/// where a provider counts in days. kInvalidArgument outside of the provider's
/// destruction_window(), kConflict when it waits already.
Result<Timestamp> schedule_shredding(instance::Instance& instance, const catalog::Tenant& tenant,
                                     std::chrono::seconds wait);
/// The key is what it was. kConflict when it does not wait, kKeyDestroyed when it is too late.
Status cancel_shredding(instance::Instance& instance, const catalog::Tenant& tenant);

struct Remains {
  std::uint64_t rows = 0, objects = 0;  // removed
  std::uint64_t kept_objects = 0;       // write-once, sealed under the key that is gone
};
/// Once the key is destroyed: removes what the database and the store have of the tenant, but for
/// its name. kConflict while the key is there. May be run again.
Result<Remains> remove_remains(instance::Instance& instance, const catalog::Tenant& tenant,
                               Progress& progress);

/// What was tried, and what came of it.
struct ShredProof {
  json::object statement;  // docs/operations.md, "A tenant destroyed"
  bool proven = false;     // the key is destroyed, and of all that was tried nothing opened
  std::string signature;   // minisign's, over the statement in canonical form
  PublicKey signer;        // the service's key for statements
};
/// Tries to open every version in the store and every sealed value in the database. Changes
/// nothing.
Result<ShredProof> prove_shredding(instance::Instance& instance, const catalog::Tenant& tenant,
                                   Progress& progress);

}  // namespace oa::operations
