// The audit chain (docs/format.md, "Audit chain"): append-only per tenant. The hashed form of an
// event carries a salted commitment in place of each personal value; the row keeps salt and value.
// Redaction destroys both and every hash still verifies.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "oa/catalog/records.h"

namespace oa::catalog {

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

/// Walks a tenant's chain in order. check() fails (kConflict, naming the sequence number) at the
/// first event whose hash, commitment, sequence or link does not fit.
class AuditChainVerifier {
 public:
  explicit AuditChainVerifier(TenantId tenant) : previous_hash_(audit_chain_start(tenant)) {}
  Status check(const AuditEvent& event);
  std::uint64_t events() const { return next_sequence_ - 1; }

 private:
  std::uint64_t next_sequence_ = 1;
  Sha256Digest previous_hash_;
};

}  // namespace oa::catalog
