// The audit chain (docs/format.md, "Audit chain"): append-only per tenant. The hashed form of an
// event carries a salted commitment in place of each personal value; the row keeps salt and value.
// Redaction destroys both and every hash still verifies.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "oa/base/clock.h"
#include "oa/base/ids.h"
#include "oa/base/json.h"
#include "oa/crypto/hash.h"

namespace oa {

/// A personal value behind its commitment: SHA-256("oa-audit-commit:v1" ‖ salt ‖ path ‖ 0x00 ‖
/// value).
struct PersonalValue {
  Bytes salt;         // 16 random bytes; empty once redacted
  std::string value;  // or "redacted-<hash>"
  Sha256Digest commitment{};
  bool redacted = false;
  bool operator==(const PersonalValue&) const = default;
};

struct AuditEvent {
  EventId id;
  std::uint64_t sequence = 0;  // from 1, without gaps
  Timestamp ts;
  std::string actor_type;  // user, system, operator
  std::optional<Uuid> actor_id;
  std::string action;  // dotted
  std::string resource_type;
  std::string resource_id;
  JsonText detail;  // nothing personal
  std::string trace_id;
  std::map<std::string, PersonalValue> personal;  // "actor.email", "actor.ip", "detail.<name>"
  Sha256Digest previous_hash{};
  Sha256Digest hash{};
  bool operator==(const AuditEvent&) const = default;
};

/// What a caller appends; id, sequence, salts, commitments and hashes are made on the way in.
struct NewAuditEvent {
  Timestamp ts;
  std::string actor_type = "system";
  std::optional<Uuid> actor_id;
  std::string action;
  std::string resource_type;
  std::string resource_id;
  JsonText detail;
  std::string trace_id;
  std::map<std::string, std::string> personal;
};

/// What one event may hold; kInvalidArgument, naming the field and never its content.
Status check_limits(const AuditEvent& event);
/// SHA-256(previous hash ‖ canonical JSON of the hashed form).
Sha256Digest audit_hash(const AuditEvent& event);
/// One line of audit/events.ndjson without the line break: canonical JSON with personal values,
/// salts and hashes.
std::string audit_to_json(const AuditEvent& event);
/// Strict reverse; kInvalidArgument.
Result<AuditEvent> audit_from_json(std::string_view line);

/// What the first event of a tenant's chain carries as its previous hash, so that a chain belongs
/// to its tenant: SHA-256("oa-audit-chain:v1" ‖ the tenant's UUID).
Sha256Digest audit_chain_start(TenantId tenant);

/// An event that the chain may begin behind: those up to it were removed when the plan's time was
/// over, and a signed checkpoint says what the last of them was.
struct AuditMark {
  std::uint64_t sequence = 0;
  Sha256Digest hash{};
  bool operator==(const AuditMark&) const = default;
};
/// Before the first event.
inline AuditMark audit_begin(TenantId tenant) { return {0, audit_chain_start(tenant)}; }

/// Walks a tenant's chain in order. check() fails (kAuditBroken, naming the sequence number) at the
/// first event whose hash, commitment, sequence or link does not fit.
class AuditChainVerifier {
 public:
  explicit AuditChainVerifier(TenantId tenant) : AuditChainVerifier(audit_begin(tenant)) {}
  explicit AuditChainVerifier(const AuditMark& behind) : begin_(behind.sequence), last_(behind) {}
  Status check(const AuditEvent& event);
  std::uint64_t events() const { return last_.sequence - begin_; }
  const AuditMark& last() const { return last_; }

 private:
  std::uint64_t begin_;
  AuditMark last_;
};

}  // namespace oa
