// The ledger of erasures: one signed chain for each installation, in the write-once class of the object
// store, sealed under the cell's key. It outlives every database that is restored to an earlier moment,
// so that whoever was erased stays erased (docs/adr/0024).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/base/clock.h"
#include "oa/base/ids.h"
#include "oa/crypto/hash.h"
#include "oa/crypto/secret.h"
#include "oa/crypto/sign.h"
#include "oa/keys/key_service.h"
#include "oa/objects/sealed_objects.h"

namespace oa::privacy {

/// What is known of an erasure for ever. Of the person only the id and a keyed hash of the address.
struct Erased {
  TenantId tenant;
  UserId user;
  Timestamp at;
  Sha256Digest address{};  // Ledger::address_of()
  bool operator==(const Erased&) const = default;
};

struct LedgerEntry {
  std::uint64_t number = 0;  // from 1, without gaps
  Erased erased;
  Sha256Digest previous{};
  Sha256Digest hash{};
  std::string signature;  // minisign's, by signing_key()
  bool operator==(const LedgerEntry&) const = default;
};

/// Where a database stands in the ledger.
struct LedgerMark {
  std::uint64_t number = 0;  // 0: before the first
  Sha256Digest hash{};       // of a new ledger its beginning
  bool operator==(const LedgerMark&) const = default;
};

/// The secrets of the ledger come out of a seed in its first object, so that they are there wherever
/// object store and keys are. Thread-safe but for append(), whose callers take turns (see Eraser).
class Ledger {
 public:
  /// Makes the ledger, and the key of `owner` that seals it, when there is none. Both are borrowed;
  /// `keys` for the call. Errors: those of the store and the keys; kLedgerBroken.
  static Result<std::unique_ptr<Ledger>> open(SealedObjects& objects, KeyService& keys,
                                              TenantId owner);
  virtual ~Ledger() = default;

  /// Durable, and not to be changed, when it returns. `last`: the newest there is. kConflict when it
  /// is not, or another process was quicker; nothing counts of what was written then.
  virtual Result<LedgerEntry> append(const LedgerMark& last, const Erased& erased) = 0;
  /// The entries behind `mark`, in order, at most `limit`; each verified: number, link, hash and
  /// signature. kLedgerBroken, also when `mark` is not of this ledger or lies behind its end.
  virtual Result<std::vector<LedgerEntry>> after(const LedgerMark& mark, std::size_t limit) = 0;
  virtual LedgerMark begin() const = 0;

  /// Signs entries, certificates of erasure and checkpoints of audit chains.
  virtual const SigningKey& signing_key() const = 0;
  virtual PublicKey public_key() const = 0;
  /// Equal for one address (in any case) within a tenant; HMAC-SHA-256, cannot be guessed.
  virtual Sha256Digest address_of(TenantId tenant, std::string_view address) const = 0;
  /// "redacted-" and 32 hex digits; equal for one person within a tenant.
  virtual std::string tombstone(TenantId tenant, UserId user) const = 0;
};

}  // namespace oa::privacy
