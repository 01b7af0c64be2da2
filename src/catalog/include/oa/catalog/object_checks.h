// What is known of each stored version: when all of it was last read back, whether it is damaged. And
// the chain of records that says what was found.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oa/catalog/database.h"

namespace oa::catalog {

enum class ObjectState {
  kUnverified,
  kGood,
  kSuspect,   // something that read it met damage
  kDamaged,   // and could not be repaired
  kLocked,    // the tenant's key is disabled: not known
  kShredded,  // the tenant's key is destroyed
};
std::string_view to_text(ObjectState);

struct ObjectName {
  std::string retention_class, name, version;
  auto operator<=>(const ObjectName&) const = default;
};

struct ObjectCheck {
  ObjectName object;
  std::uint64_t size_bytes = 0;
  Timestamp first_seen_at;
  std::optional<Timestamp> listed_at, looked_at, verified_at;
  std::optional<Bytes> sealed_sha256;
  ObjectState state = ObjectState::kUnverified;
  std::optional<std::string> damage;  // a code
  std::optional<Timestamp> found_at, repaired_at;
  std::optional<std::string> repaired_from;  // "replica" or "kept-copy"
};

/// Who names a version: "dataset", "archive", "restore" (its undo archive), "upload", or "moment" (of
/// continuous backup, to which a dataset named it).
struct ObjectHolder {
  ObjectName object;
  std::string kind;
  std::optional<Uuid> id;
};

struct ObjectTotals {
  std::uint64_t versions = 0, bytes = 0;  // without those that are shredded
  std::uint64_t verified_versions = 0, verified_bytes = 0;
  std::uint64_t damaged = 0, locked = 0, shredded = 0, repaired = 0;
  /// When the one that waits longest was verified last, or first seen when it never was.
  std::optional<Timestamp> oldest;
};

/// Of the transaction's tenant. Borrows the transaction.
class ObjectChecks {
 public:
  explicit ObjectChecks(TenantTransaction& transaction) : tx_(transaction) {}
  struct Listed {
    ObjectName object;
    std::uint64_t size_bytes = 0;
  };
  /// The store lists them at `now`; new ones are unverified.
  Status note_listed(std::span<const Listed> listed, Timestamp now);
  /// Those that the catalog names and nobody has seen yet. How many.
  Result<std::uint64_t> note_named(Timestamp now);
  /// When the store was asked last what it has.
  Result<std::optional<Timestamp>> last_listed();
  struct Due {
    Timestamp verified_before;  // or never
    Timestamp listed_before;    // by the store; or never
    Timestamp looked_before;    // or never; else it is let be for now
  };
  /// What is to be verified: suspects, what the store does not list any more, what was verified last;
  /// in this order, those that wait longest first.
  Result<std::vector<ObjectCheck>> due(const Due& due, std::size_t limit);
  Result<std::optional<ObjectCheck>> find(const ObjectName& object);
  /// Of `check` all but first_seen_at and listed_at is written.
  Status put(const ObjectCheck& check);
  Status forget(const ObjectName& object);
  /// A version that is not known is one from now on.
  Status suspect(const ObjectName& object, Timestamp now);
  /// Who names it; the first in the order of ObjectHolder::kind.
  Result<std::optional<ObjectHolder>> holder(const ObjectName& object);
  /// Those in this state, by name, at most `limit`.
  Result<std::vector<ObjectCheck>> in_state(ObjectState state, std::size_t limit);
  /// What was verified since `since` counts as verified.
  Result<ObjectTotals> totals(Timestamp since);

 private:
  TenantTransaction& tx_;
};

enum class DurabilityKind { kBucket, kCoverage };
std::string_view to_text(DurabilityKind);

struct DurabilityRecord {
  std::int64_t number = 0;
  DurabilityKind kind = DurabilityKind::kBucket;
  Timestamp made_at;
  std::string body;  // canonical JSON, with number, kind and made_at
  Bytes previous, hash;
};

/// A chain, append-only, of all tenants; as the operator's role. Borrows the database. Thread-safe.
class DurabilityRecords {
 public:
  explicit DurabilityRecords(Database& database) : database_(database) {}
  /// `body`: a JSON object; number, kind and made_at are put into it. kBusy when others add all the time.
  Result<DurabilityRecord> append(DurabilityKind kind, Timestamp now, const json::value& body);
  Result<std::optional<DurabilityRecord>> last(DurabilityKind kind);
  /// Behind `after`, oldest first.
  Result<std::vector<DurabilityRecord>> list(std::int64_t after, std::size_t limit);
  /// Walks all of it; kDatabase, naming the number, where a record was changed, removed or put in.
  /// How many there are.
  Result<std::uint64_t> verify();

 private:
  Database& database_;
};

}  // namespace oa::catalog
