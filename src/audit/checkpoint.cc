#include "oa/audit/checkpoint.h"

#include <boost/json.hpp>

namespace oa {
namespace {

constexpr std::string_view kFormat = "oa-audit-checkpoint:v1";
constexpr std::size_t kMaxStatementBytes = 4096;

Sha256Digest read_digest(ObjectReader& reader, std::string_view name) {
  const auto bytes = from_hex(reader.text(name));
  Sha256Digest digest{};
  if (!bytes.ok() || bytes->size() != digest.size()) {
    reader.fail(name, "is not a SHA-256");
  } else {
    std::ranges::copy(*bytes, digest.begin());
  }
  return digest;
}

}  // namespace

AuditCheckpoint make_checkpoint(TenantId tenant, const AuditMark& mark, Timestamp last,
                                Timestamp made_at, const SigningKey& signer) {
  AuditCheckpoint checkpoint{mark, made_at, {}, {}};
  checkpoint.statement = canonical_json(json::object{{"format", kFormat},
                                                     {"tenant_id", tenant.str()},
                                                     {"sequence", mark.sequence},
                                                     {"hash", to_hex(mark.hash)},
                                                     {"last_event_at", last.rfc3339()},
                                                     {"made_at", made_at.rfc3339()},
                                                     {"signer", signer.public_key().base64()}});
  checkpoint.signature =
      signer.sign(Blake2b::of(as_bytes(checkpoint.statement)), "audit checkpoint " + tenant.str());
  return checkpoint;
}

Result<PublicKey> check_checkpoint(TenantId tenant, const AuditCheckpoint& checkpoint) {
  const auto broken = [](const std::string& what) {
    return make_error(ErrorCode::kAuditBroken, "audit.checkpoint",
                      "the checkpoint of the audit chain does not hold: " + what);
  };
  if (checkpoint.statement.size() > kMaxStatementBytes) return broken("it is too long");
  const auto value = parse_json(checkpoint.statement);
  if (!value.ok()) return broken("it is not JSON");
  ObjectReader reader(*value, "checkpoint");
  const bool known = reader.text("format") == kFormat;
  const bool own = reader.text("tenant_id") == tenant.str();
  const AuditMark mark{reader.unsigned_integer("sequence"), read_digest(reader, "hash")};
  reader.timestamp("last_event_at");
  const Timestamp made_at = reader.timestamp("made_at");
  const auto signer = PublicKey::parse(reader.text("signer"));
  const Status whole = reader.finish();
  if (!whole.ok()) return broken(whole.error().message);
  if (!known) return broken("its format is not known");
  if (!own) return broken("it is of another tenant");
  if (mark != checkpoint.mark || made_at != checkpoint.made_at)
    return broken("it does not say what it is kept as");
  if (!signer.ok()) return broken("its signer is not a key");
  if (!verify_signature(checkpoint.signature, *signer,
                        Blake2b::of(as_bytes(checkpoint.statement)))
           .ok())
    return broken("its signature does not verify");
  return *signer;
}

json::object to_json(const AuditCheckpoint& checkpoint) {
  return {{"sequence", checkpoint.mark.sequence},
          {"hash", to_hex(checkpoint.mark.hash)},
          {"made_at", checkpoint.made_at.rfc3339()},
          {"statement", checkpoint.statement},
          {"signature", checkpoint.signature}};
}

Result<AuditCheckpoint> checkpoint_from_json(const json::value& value) {
  ObjectReader reader(value, "audit_checkpoint");
  AuditCheckpoint checkpoint;
  checkpoint.mark = {reader.unsigned_integer("sequence"), read_digest(reader, "hash")};
  checkpoint.made_at = reader.timestamp("made_at");
  checkpoint.statement = reader.text("statement");
  checkpoint.signature = reader.text("signature");
  OA_TRY(reader.finish());
  return checkpoint;
}

}  // namespace oa
