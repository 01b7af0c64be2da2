// Reads back what is stored, authenticates every byte of it, and repairs what is damaged.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "oa/base/progress.h"
#include "oa/catalog/object_checks.h"
#include "oa/keys/key_service.h"
#include "oa/objects/object_store.h"

namespace oa::durability {

/// Within so many days every stored byte is to be verified once.
inline constexpr int kScrubDays = 30;

/// What a scrub works on; borrowed.
struct ScrubParts {
  catalog::Database& database;
  KeyService& keys;
  ObjectStore& store;              // that is verified: one place, not several behind one another
  ObjectStore* replica = nullptr;  // where else each version should be
  /// Of no tenant, so that no table has a line for its objects: verified and repaired at each scrub.
  std::optional<TenantId> ledger_owner = {};
};

struct ScrubSettings {
  int days = kScrubDays;                             // what is verified twice as often is not due yet
  bool everything = false;                           // also what is not due
  bool list = false;                                 // ask the store what it has, even if it was asked lately
  std::uint64_t bytes_per_second = std::uint64_t{20} << 20;  // 0: as fast as it goes
  std::optional<std::chrono::seconds> at_most = {};  // then it stops, and the next one goes on
};

struct Damage {
  TenantId tenant;
  catalog::ObjectName object;
  std::string code;  // of the error
  Timestamp found_at;
  std::optional<catalog::ObjectHolder> holder;  // none: nobody needs it
};
struct Repaired {
  TenantId tenant;
  catalog::ObjectName object;
  std::string code;
  std::string from;  // "replica" or "kept-copy"
};
struct Trouble {
  TenantId tenant;
  Error error;
};

struct ScrubResult {
  std::uint64_t verified_versions = 0, verified_bytes = 0;  // sealed bytes
  std::uint64_t gone = 0;     // removed by their owner since they were listed
  std::uint64_t locked = 0;   // whose key is disabled
  std::vector<Repaired> repaired;
  std::vector<Damage> damaged;  // beyond repair, of those that were looked at
  std::vector<Trouble> troubles;
  bool complete = false;  // nothing that is due is left
};

/// Verifies what is due of these tenants, what waits longest first. Each version's result is written
/// before the next is read, so that whoever comes next goes on where this one stopped, after kill -9
/// too. Memory does not grow with objects. Two at a time do each other no harm, and no good.
///
/// A version is damaged when its bytes do not authenticate under its tenant's key for its name, differ
/// from those that were verified before, or are not there although the catalog names it. It is put
/// back under its name and version (VersionRepair) out of the first copy that authenticates: that of
/// `replica`, then what the store keeps beside it. While a tenant's key is disabled its versions are
/// locked: their damage cannot be told from the lock.
///
/// What fails for a tenant (its key's provider does not answer, the store does not) is a trouble, and
/// the next one's turn comes. kCancelled; kDatabaseUnavailable and other errors of the database.
Result<ScrubResult> scrub(const ScrubParts& parts, std::span<const TenantId> tenants,
                          const ScrubSettings& settings, Progress& progress);

/// Versions that readers met damage in are verified next.
Status suspect_damage(catalog::Database& database);

/// How much of what is stored was verified lately: a number to be published.
struct Coverage {
  int days = kScrubDays;
  Timestamp now;
  catalog::ObjectTotals totals;  // verified: within `days`
  std::uint64_t tenants = 0;
  /// Of bytes; 1 when nothing is stored. What is shredded does not count, what is damaged does.
  double share() const;
  /// Something waits longer than `days`.
  bool behind() const;
};
/// Of one tenant, or of all. What was stored since the store was asked last (at most a day ago while a
/// service runs) is not counted yet.
Result<Coverage> coverage(catalog::Database& database, std::optional<TenantId> tenant, int days,
                          Timestamp now);
/// What is known to be damaged, at most `limit` a tenant.
Result<std::vector<Damage>> known_damage(catalog::Database& database,
                                         std::optional<TenantId> tenant, std::size_t limit);

json::object to_json(const Coverage& coverage);
json::object to_json(const Damage& damage);
json::object to_json(const ScrubResult& result);
/// One sentence for an operator: tenant, class, object, and what cannot be read for it.
std::string describe(const Damage& damage);

}  // namespace oa::durability
