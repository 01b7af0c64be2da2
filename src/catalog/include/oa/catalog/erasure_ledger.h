// What a database has carried out of the ledger of erasures, and the rows that go with it.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oa/catalog/database.h"
#include "oa/crypto/hash.h"

namespace oa::catalog {

/// An entry of the ledger as a row of the database.
struct CarriedOut {
  std::uint64_t number = 0;
  TenantId tenant;
  UserId user;
  Timestamp erased_at;
  Sha256Digest address{};  // keyed
  Sha256Digest hash{};
  bool operator==(const CarriedOut&) const = default;
};

/// How far a database has come.
struct CarriedOutMark {
  std::uint64_t number = 0;           // of the newest entry; 0: none
  std::optional<Sha256Digest> hash;   // its own; none before the first
  std::uint64_t entries = 0;          // as many as `number` when there are no gaps
  Timestamp server_started_at;        // tells one run of a server from another
};
Result<CarriedOutMark> carried_out_mark(Database& database);
/// The same without `entries` and `hash`, which cost a look at more than one row.
Result<CarriedOutMark> quick_mark(Database& database);

/// Until the transaction ends nobody else appends to the ledger on behalf of this database; waits.
Status lock_ledger(TenantTransaction& transaction);
/// Until the transaction ends no restore of the tenant writes; waits for one that does.
Status lock_out_restores(TenantTransaction& transaction);
/// In the tenant's transaction; kConflict when the number is there.
Status add_carried_out(TenantTransaction& transaction, const CarriedOut& entry);

/// Of `archived` people (when they were made, and the keyed hash of their address) those who are not
/// to come back into `tenant`: whose id was erased there; whose id was erased in another tenant,
/// unless they are in this one by themselves; whose address was erased there after they were made.
struct ArchivedPerson {
  UserId id;
  Timestamp created_at;
  Sha256Digest address{};
};
Result<std::vector<UserId>> erased_among(Database& database, TenantId tenant,
                                         std::span<const ArchivedPerson> archived);

/// An erasure that is to be carried out; its row is locked until the transaction ends. `state` as in
/// the table. kNotFound.
struct LockedErasure {
  UserId user;
  std::string state;
};
Result<LockedErasure> lock_erasure(TenantTransaction& transaction, Uuid id);
/// The scheduled erasure of this person, and who asked for it, locked.
struct ScheduledErasure {
  Uuid id;
  std::optional<UserId> requested_by;
};
Result<std::optional<ScheduledErasure>> lock_scheduled_erasure(TenantTransaction& transaction,
                                                               UserId user);
/// The scheduled erasure `id` is done now; made when there is none of this id.
struct DoneErasure {
  Uuid id;
  UserId user;
  Timestamp erased_at;
  std::uint64_t ledger_number = 0;
  JsonText effects, certificate;
};
Status finish_erasure(TenantTransaction& transaction, const DoneErasure& done);

/// Those whose time has come, of all tenants, the longest due first.
struct DueErasure {
  TenantId tenant;
  Uuid id;
};
Result<std::vector<DueErasure>> due_erasures(Database& database, Timestamp now, std::size_t limit);

}  // namespace oa::catalog
