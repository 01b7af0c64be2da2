#include "audit_note.h"

#include "oa/catalog/repositories.h"

namespace oa::accounts {

Status record(catalog::TenantTransaction& transaction, std::string_view actor_type,
              const std::optional<UserId>& actor, AuditNote note) {
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = actor_type;
  if (actor.has_value()) event.actor_id = actor->uuid();
  event.action = note.action;
  event.resource_type = note.resource_type;
  event.resource_id = std::move(note.resource_id);
  event.detail = JsonText::of(std::move(note.detail));
  event.personal = std::move(note.personal);
  event.trace_id = std::move(note.trace_id);
  return catalog::Audit(transaction).append({&event, 1});
}

Status record(catalog::TenantTransaction& transaction, const Identity& actor, AuditNote note) {
  note.personal["actor.email"] = actor.email;
  return record(transaction, "user", actor.user, std::move(note));
}

Identity identity_of(TenantId tenant, catalog::Person person) {
  Identity identity;
  identity.tenant = tenant;
  identity.user = person.id;
  identity.email = std::move(person.email);
  identity.first_name = std::move(person.first_name);
  identity.last_name = std::move(person.last_name);
  identity.owner = person.owner;
  identity.admin_of = std::move(person.admin_of);
  identity.member_of = std::move(person.member_of);
  return identity;
}

}  // namespace oa::accounts
