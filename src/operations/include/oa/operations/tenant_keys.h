// What operators do to a tenant's key, and what hangs on which version of it.
#pragma once

#include <map>
#include <string>

#include "oa/base/progress.h"
#include "oa/instance/instance.h"

namespace oa::operations {

/// Into the tenant's audit chain as the operator's: `key.disable`, `key.enable`. Errors as
/// KeyService's.
Status disable_key(instance::Instance& instance, const catalog::Tenant& tenant);
Status enable_key(instance::Instance& instance, const catalog::Tenant& tenant);

/// What is sealed under one version of a tenant's key.
struct KeyCounts {
  std::uint64_t objects = 0;  // versions in the object store
  std::uint64_t secrets = 0, signing_keys = 0;
};
struct KeyUse {
  TenantKeyInfo key;
  std::string current;                      // what seals now; empty while the key is disabled
  std::map<std::string, KeyCounts> by_key;  // by the id of key and version
  std::uint64_t damaged = 0;                // objects whose key cannot be read
};
/// Looks at every version and sealed value of the tenant; reads headers, opens nothing.
Result<KeyUse> key_use(instance::Instance& instance, TenantId tenant, Progress& progress);

/// A new version of the tenant's key. Returns the id that sealed until now, for RewrapKeys, which
/// whoever calls adds as a job: without it, what is there stays under the older version and opens.
Result<std::string> rotate_key(instance::Instance& instance, const catalog::Tenant& tenant);

struct Rewrapped {
  std::string key_id;                                        // of the newest version
  std::uint64_t objects = 0, secrets = 0, signing_keys = 0;  // wrapped anew
  std::uint64_t already = 0;                                 // were under the newest
  std::uint64_t damaged = 0;  // objects whose key cannot be read: `storage scrub` names and mends them
};
/// Wraps every data key of the tenant under the newest version of its key: those of objects beside
/// them, sealed values in the database as a whole. Never touches data. May be stopped or killed at
/// any point and run again: what is done is not done twice. `old_key`: waits up to two minutes
/// until the provider seals with another; empty: with whatever it seals with now. kCancelled,
/// kKeyServiceUnavailable (no new version was seen), those of store, keys and database.
Result<Rewrapped> rewrap_keys(instance::Instance& instance, TenantId tenant,
                              const std::string& old_key, Progress& progress);

/// Calls `each` for every version in the store, class by class.
Status for_each_version(ObjectStore& store, TenantId tenant,
                        const std::function<Status(const ObjectVersion&)>& each);

}  // namespace oa::operations
