#include "oa/audit/audit.h"

#include <algorithm>

#include "oa/audit/personal_values.h"
#include "oa/base/record_checker.h"
#include "oa/crypto/secret.h"

namespace oa {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kMaxPersonalValues = 32;
constexpr std::size_t kMaxPersonalBytes = 4096;
constexpr std::string_view kCommitmentDomain = "oa-audit-commit:v1";
constexpr std::string_view kChainDomain = "oa-audit-chain:v1";
constexpr std::string_view kRedactedPrefix = "redacted-";

Sha256Digest commitment(ByteView salt, std::string_view path, std::string_view value) {
  Sha256 hash;
  hash.update(as_bytes(kCommitmentDomain));
  hash.update(salt);
  hash.update(as_bytes(path));
  hash.update(as_bytes(std::string_view("\0", 1)));
  hash.update(as_bytes(value));
  return hash.finish();
}

bool holds(std::string_view path, const PersonalValue& personal) {
  if (personal.redacted)
    return personal.salt.empty() && personal.value.starts_with(kRedactedPrefix);
  return personal.salt.size() == kSaltBytes &&
         personal.commitment == commitment(personal.salt, path, personal.value);
}

// An event's members; what is personal or a hash differs between the hashed form and the line in an
// archive.
std::string to_json(const AuditEvent& event, bool hashed_form) {
  std::string text;
  ObjectWriter out(text);
  out.text("action", event.action);
  if (event.actor_id.has_value()) out.text("actor_id", event.actor_id->str());
  out.text("actor_type", event.actor_type);
  out.json("detail", event.detail);
  if (!hashed_form) out.text("hash", to_hex(event.hash));
  out.text("id", event.id.str());
  if (hashed_form) {
    ObjectWriter commitments(out.raw("personal"));
    for (const auto& [path, personal] : event.personal)
      commitments.text(path, to_hex(personal.commitment));
    commitments.close();
  } else {
    out.raw("personal") += personal_to_json(event.personal);
    out.text("previous_hash", to_hex(event.previous_hash));
  }
  out.text("resource_id", event.resource_id);
  out.text("resource_type", event.resource_type);
  out.number("sequence", event.sequence);
  out.text("trace_id", event.trace_id);
  out.moment("ts", event.ts);
  out.close();
  return text;
}

Bytes read_hex(ObjectReader& reader, std::string_view name) {
  auto bytes = from_hex(reader.text(name));
  if (bytes.ok()) return std::move(bytes).value();
  reader.fail(name, "is not hexadecimal");
  return {};
}

Sha256Digest read_digest(ObjectReader& reader, std::string_view name) {
  const Bytes bytes = read_hex(reader, name);
  Sha256Digest digest{};
  if (bytes.size() != digest.size()) {
    reader.fail(name, "is not a SHA-256");
  } else {
    std::copy(bytes.begin(), bytes.end(), digest.begin());
  }
  return digest;
}

}  // namespace

PersonalValue commit_to(std::string_view path, std::string value) {
  PersonalValue personal;
  personal.salt.resize(kSaltBytes);
  random_fill(personal.salt);
  personal.commitment = commitment(personal.salt, path, value);
  personal.value = std::move(value);
  return personal;
}

std::string personal_to_json(const PersonalValues& values) {
  std::string text;
  ObjectWriter out(text);
  for (const auto& [path, personal] : values) {
    ObjectWriter item(out.raw(path));
    item.text("commitment", to_hex(personal.commitment));
    item.boolean("redacted", personal.redacted);
    item.text("salt", to_hex(personal.salt));
    item.text("value", personal.value);
    item.close();
  }
  out.close();
  return text;
}

Result<PersonalValues> personal_from_json(const json::value& value, const std::string& path) {
  const auto* members = value.if_object();
  if (members == nullptr)
    return make_error(ErrorCode::kInvalidArgument, "json.decode", path + " is not an object");
  PersonalValues values;
  for (const auto& member : *members) {
    ObjectReader reader(member.value(), path + " item");
    PersonalValue personal;
    personal.commitment = read_digest(reader, "commitment");
    personal.redacted = reader.boolean("redacted");
    personal.salt = read_hex(reader, "salt");
    personal.value = reader.text("value");
    OA_TRY(reader.finish());
    values.emplace(std::string(member.key()), std::move(personal));
  }
  return values;
}

Status check_limits(const AuditEvent& event) {
  RecordChecker check("audit_event");
  check.that(
      event.actor_type == "user" || event.actor_type == "system" || event.actor_type == "operator",
      "actor_type", "must be user, system or operator");
  check.name("action", event.action);
  check.name("resource_type", event.resource_type);
  check.name("resource_id", event.resource_id);
  check.name("trace_id", event.trace_id);
  check.json("detail", event.detail);
  check.moment("ts", event.ts);
  check.amount("sequence", event.sequence);
  check.count("personal", event.personal.size(), kMaxPersonalValues);
  for (const auto& [path, personal] : event.personal) {
    check.name("personal path", path);
    check.text("personal value", personal.value, kMaxPersonalBytes);
  }
  return check.result();
}

Sha256Digest audit_chain_start(TenantId tenant) {
  Sha256 hash;
  hash.update(as_bytes(kChainDomain));
  hash.update(tenant.uuid().raw());
  return hash.finish();
}

Sha256Digest audit_hash(const AuditEvent& event) {
  Sha256 hash;
  hash.update(event.previous_hash);
  hash.update(as_bytes(to_json(event, true)));
  return hash.finish();
}

std::string audit_to_json(const AuditEvent& event) { return to_json(event, false); }

Result<AuditEvent> audit_from_json(std::string_view line) {
  OA_ASSIGN(const json::value value, parse_json(line));
  ObjectReader reader(value, "event");
  AuditEvent event;
  event.action = reader.text("action");
  if (const auto actor = reader.optional_id<UserId>("actor_id")) event.actor_id = actor->uuid();
  event.actor_type = reader.text("actor_type");
  event.detail = reader.raw("detail");
  event.hash = read_digest(reader, "hash");
  event.id = reader.id<EventId>("id");
  OA_ASSIGN(event.personal, personal_from_json(reader.member("personal"), "event.personal"));
  event.previous_hash = read_digest(reader, "previous_hash");
  event.resource_id = reader.text("resource_id");
  event.resource_type = reader.text("resource_type");
  event.sequence = reader.unsigned_integer("sequence");
  event.trace_id = reader.text("trace_id");
  event.ts = reader.timestamp("ts");
  OA_TRY(reader.finish());
  OA_TRY(check_limits(event));
  return event;
}

Status AuditChainVerifier::check(const AuditEvent& event) {
  const auto broken = [&](const std::string& what) {
    return make_error(
        ErrorCode::kAuditBroken, "audit.verify",
        "the audit chain is broken at event " + std::to_string(last_.sequence + 1) + ": " + what);
  };
  if (event.sequence != last_.sequence + 1) {
    return broken("the event found there has number " + std::to_string(event.sequence));
  }
  if (event.previous_hash != last_.hash)
    return broken("it does not follow the event before it");
  for (const auto& [path, personal] : event.personal) {
    if (!holds(path, personal)) return broken("a personal value does not match its commitment");
  }
  if (event.hash != audit_hash(event)) return broken("its content does not match its hash");
  last_ = {event.sequence, event.hash};
  return {};
}

}  // namespace oa
