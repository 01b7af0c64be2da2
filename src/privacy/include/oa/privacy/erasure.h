// A person is erased: everything that the registry (registry.h) lists, in one transaction, after the
// ledger has it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oa/base/json.h"
#include "oa/base/progress.h"
#include "oa/catalog/database.h"
#include "oa/privacy/ledger.h"

namespace oa::privacy {

/// By what was done, as documented: "sessions", "tokens", "memberships", "audit_events", "documents" …
using Counts = std::map<std::string, std::uint64_t>;

/// What an erasure would do. Changes nothing.
struct Preview {
  catalog::User user;
  bool erased = false;      // already
  bool last_owner = false;  // then it is refused
  Counts effects;           // as erase_rows() would count them
  std::map<std::string, std::uint64_t> assets;  // kept, by kind; they will read "Erased user"
  std::vector<catalog::ArchiveRecord> archives;  // kept here, that hold the person
};
Result<Preview> preview_erasure(catalog::TenantTransaction& transaction, UserId user);
/// Its archives alone, without counting anything.
Result<std::vector<catalog::ArchiveRecord>> archives_with(catalog::TenantTransaction& transaction,
                                                          const catalog::User& user);

/// Blanks, revokes, removes and redacts all that the registry says of this person. Repeating is
/// harmless; a person who is not there has rows that name the id cleaned all the same. The caller commits.
Result<Counts> erase_rows(catalog::TenantTransaction& transaction, const Ledger& ledger,
                          UserId user);
/// kNotFound; kLastOwner when no other active Owner would be left. What it found stays so until the
/// transaction ends.
Status check_may_be_erased(catalog::TenantTransaction& transaction, UserId user);

enum class ArchivePolicy { kList, kRewrite };
std::string_view to_text(ArchivePolicy);
struct PrivacySettings {
  ArchivePolicy archives = ArchivePolicy::kList;
  std::uint32_t cooling_off_days = 0;  // 0 to 30
  bool operator==(const PrivacySettings&) const = default;
};

enum class ErasureState { kScheduled, kCancelled, kDone };
std::string_view to_text(ErasureState);
struct ErasureRecord {
  Uuid id;
  UserId user;
  ErasureState state = ErasureState::kScheduled;
  std::optional<UserId> requested_by;  // none: the operator
  Timestamp requested_at, execute_at;
  std::optional<Timestamp> erased_at;
  std::optional<std::uint64_t> ledger_number;
  Counts effects;
  JsonText certificate;  // {} until done: {"statement":{…},"signature":"…","public_key":"…"}
};

/// Carries erasures out. Thread-safe. `ledger` and `database` are borrowed.
class Eraser {
 public:
  Eraser(catalog::Database& database, Ledger& ledger) : database_(database), ledger_(ledger) {}

  /// Writes the wish down, audited; carried out after `wait` by carry_out_due() or at once by
  /// carry_out(). Of one who is scheduled or erased already the record that there is. kNotFound;
  /// kLastOwner.
  Result<ErasureRecord> request(TenantId tenant, UserId user, std::optional<UserId> by,
                                std::chrono::seconds wait, const std::string& trace_id);
  /// kConflict when it does not wait any more.
  Result<ErasureRecord> cancel(TenantId tenant, Uuid id, std::optional<UserId> by,
                               const std::string& trace_id);
  /// First the ledger, then one transaction with everything; a crash in between is completed by
  /// replay(). The record with its certificate. kLastOwner.
  Result<ErasureRecord> carry_out(TenantId tenant, Uuid id, const std::string& trace_id,
                                  Progress& progress);
  /// Those whose time has come, of all tenants; how many.
  Result<std::uint64_t> carry_out_due(Timestamp now, Progress& progress);
  /// Carries out what the ledger has and this database does not: after a restore to an earlier
  /// moment, a failover that lost a commit, a crash. How many entries. Until it succeeded nobody
  /// may be served.
  Result<std::uint64_t> replay(Progress& progress);
  /// How many entries replay() would carry out; kLedgerBroken when this database knows of entries
  /// that the ledger does not have.
  Result<std::uint64_t> behind();

  Result<ErasureRecord> get(TenantId tenant, Uuid id);
  Result<std::vector<ErasureRecord>> list(TenantId tenant, std::optional<UserId> user = {});
  Result<PrivacySettings> settings(TenantId tenant);
  Status set_settings(TenantId tenant, const PrivacySettings& settings, std::optional<UserId> by,
                      const std::string& trace_id);

 private:
  catalog::Database& database_;
  Ledger& ledger_;
};

}  // namespace oa::privacy
