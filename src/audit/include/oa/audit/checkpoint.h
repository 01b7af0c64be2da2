// Audit events are kept for the time that the plan says. What a chain begins with once older events
// are gone is stated in a signed checkpoint (docs/format.md, "Checkpoints").
#pragma once

#include <string>

#include "oa/audit/audit.h"
#include "oa/crypto/sign.h"

namespace oa {

/// `statement` is canonical JSON and says the rest; `signature` is minisign's, over it.
struct AuditCheckpoint {
  AuditMark mark;  // the last event that was removed
  Timestamp made_at;
  std::string statement;
  std::string signature;
  bool operator==(const AuditCheckpoint&) const = default;
};

/// `last`: when the last removed event was.
AuditCheckpoint make_checkpoint(TenantId tenant, const AuditMark& mark, Timestamp last,
                                Timestamp made_at, const SigningKey& signer);
/// Who made it, once everything fits: statement, tenant, mark and signature. Whether that signer is to
/// be trusted is the caller's question. kAuditBroken.
Result<PublicKey> check_checkpoint(TenantId tenant, const AuditCheckpoint& checkpoint);

/// As an archive carries it, in `options.audit_checkpoint` of its manifest.
json::object to_json(const AuditCheckpoint& checkpoint);
/// Strict reverse; kInvalidArgument. Not checked yet.
Result<AuditCheckpoint> checkpoint_from_json(const json::value& value);

}  // namespace oa
