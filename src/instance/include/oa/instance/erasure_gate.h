// Nobody is let in while the database lacks erasures that the ledger has: after a restore to an earlier
// moment, a failover that lost a commit, a crash (docs/adr/0024).
#pragma once

#include <memory>
#include <mutex>

#include "oa/base/progress.h"
#include "oa/catalog/erasure_ledger.h"
#include "oa/privacy/ledger.h"

namespace oa::instance {

/// Whose key seals the ledger, and under whom it is stored: the same for each installation, so that it
/// is found wherever object store and keys are, whatever became of folder and database.
TenantId ledger_owner();

/// Closed until replay() succeeded. Thread-safe. Borrows what it is made of.
class ErasureGate {
 public:
  ErasureGate(catalog::Database& database, SealedObjects& objects, KeyService& keys)
      : database_(database), objects_(objects), keys_(keys) {}

  /// The ledger, opened at the first call; made when there is none.
  Result<privacy::Ledger*> ledger();

  /// Whether people and jobs may be let in: kReplayPending. From memory.
  Status check() const;
  /// Carries out what the ledger has and the database does not, and opens the gate; how many erasures.
  /// One caller at a time, others wait. While object store or keys do not answer, a gate that is open
  /// stays so as long as the database is the same server that never stopped: it cannot have lost an
  /// erasure. Any other failure closes it. Errors: kLedgerBroken, kDatabaseUnavailable, those of the
  /// store, the keys and erase_rows().
  Result<std::uint64_t> replay(Progress& progress);
  /// One cheap question to the database: when another server answers than at the last replay(), one
  /// that was started again, or none, the gate is closed until the next. check().
  Status look();
  /// Closes the gate until the next replay(): a connection was lost.
  void doubt();

 private:
  bool same_server(const catalog::CarriedOutMark& now) const;  // mutex_ held
  void close();
  Result<std::uint64_t> carry_out(Progress& progress);

  catalog::Database& database_;
  SealedObjects& objects_;
  KeyService& keys_;
  std::mutex opening_;  // of the ledger
  std::unique_ptr<privacy::Ledger> ledger_;
  std::mutex replaying_;
  mutable std::mutex mutex_;
  bool open_ = false;                  // guarded by mutex_, as are those below
  std::uint64_t doubts_ = 0;           // how often it was closed
  catalog::CarriedOutMark verified_;   // at the last replay
};

}  // namespace oa::instance
