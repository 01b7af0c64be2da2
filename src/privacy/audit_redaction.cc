#include "audit_redaction.h"

#include <charconv>

#include "like_patterns.h"
#include "oa/audit/personal_values.h"
#include "oa/catalog/statements.h"

namespace oa::privacy {
namespace {

using catalog::SqlRow;
using catalog::SqlValue;
using catalog::Statements;

// As oa.redact_audit_events() has it.
const std::string kTheirs = R"(
  (e.actor_id = $1 OR e.resource_type = 'user' AND e.resource_id = $1::text)
  AND EXISTS (SELECT FROM json_each(e.personal) p WHERE NOT (p.value->>'redacted')::boolean
    AND CASE WHEN starts_with(p.key, 'actor.') THEN coalesce(e.actor_id = $1, false)
             ELSE e.resource_type = 'user' AND e.resource_id = $1::text END))";

// Those behind $1 that may name the person, $4: their own too. What JSON escapes would hide begins with
// a backslash. One walk over the table, whose pages are fetched between changes of what was found.
const std::string kMayName = R"(
  DECLARE may_name NO SCROLL CURSOR FOR
  SELECT sequence::text, coalesce(actor_id::text, ''), resource_type, resource_id, personal::text
  FROM audit_events e WHERE sequence > $1
    AND ($4 OR NOT (coalesce(actor_id = $3, false) OR resource_type = 'user' AND resource_id = $3::text))
    AND (lower(personal::text COLLATE "C") LIKE ANY ($2) OR strpos(personal::text, '\') > 0))";

std::vector<std::string> patterns_of(const PersonValues& person) {
  std::vector<std::string> patterns;
  for (const auto& needle : person.needles) patterns.push_back(containing(needle));
  for (const auto& value : person.values) patterns.push_back(containing('"' + value + '"'));
  return patterns;
}

Result<AuditEvent> read(const SqlRow& row) {
  AuditEvent event;
  const std::string& sequence = row.at(0).value();
  std::from_chars(sequence.data(), sequence.data() + sequence.size(), event.sequence);
  if (!row.at(1)->empty()) {
    OA_ASSIGN(event.actor_id, Uuid::parse(*row.at(1)));
  }
  event.resource_type = row.at(2).value();
  event.resource_id = row.at(3).value();
  OA_ASSIGN(const auto personal, JsonText::parse(row.at(4).value()));
  OA_ASSIGN(event.personal, personal_from_json(personal.value(), "event.personal"));
  return event;
}

bool is_theirs(const AuditEvent& event, UserId person) {
  return event.actor_id == person.uuid() ||
         (event.resource_type == "user" && event.resource_id == person.str());
}

// The paths of what is to be redacted.
std::vector<std::string> named_in(const AuditEvent& event, const PersonValues& person) {
  AuditEvent redacted = event;
  redact(redacted, {&person, 1});
  std::vector<std::string> paths;
  for (const auto& [path, value] : redacted.personal) {
    if (value != event.personal.at(path)) paths.push_back(path);
  }
  return paths;
}

// Those behind `after` that name the person without being theirs; `erase`: or redacts them, and what
// others' values in events of theirs name.
Result<std::uint64_t> walk(Statements& statements, const PersonValues& person, std::int64_t after,
                           bool erase) {
  const auto patterns = patterns_of(person);
  if (patterns.empty()) return std::uint64_t{0};
  std::uint64_t found = 0;
  OA_ASSIGN(const auto declared,
            statements.execute(kMayName, {after, patterns, person.id.uuid(), erase}));
  (void)declared;
  for (;;) {
    OA_ASSIGN(const auto rows, statements.rows("FETCH 500 FROM may_name"));
    for (const auto& row : rows) {
      OA_ASSIGN(const AuditEvent event, read(row));
      const auto paths = named_in(event, person);
      if (paths.empty()) continue;
      if (!is_theirs(event, person.id)) ++found;
      if (!erase) continue;
      OA_ASSIGN(const auto changed, statements.number("SELECT oa.redact_audit_values($1, $2, $3)",
                                                      {static_cast<std::int64_t>(event.sequence),
                                                       paths, person.tombstone}));
      OA_ASSERT(changed == 1);
    }
    if (rows.empty()) break;
  }
  OA_ASSIGN(const auto closed, statements.execute("CLOSE may_name"));
  (void)closed;
  return found;
}

Result<std::uint64_t> redact_behind(Statements& statements, const PersonValues& person,
                                    std::int64_t after) {
  OA_ASSIGN(const auto theirs,
            statements.number("SELECT oa.redact_audit_events($1, $2, $3)",
                              {person.id.uuid(), person.tombstone, after}));
  OA_ASSIGN(const auto others, walk(statements, person, after, true));
  return static_cast<std::uint64_t>(theirs) + others;
}

}  // namespace

Result<std::uint64_t> count_audit_events(catalog::TenantTransaction& transaction,
                                         const PersonValues& person) {
  Statements statements(transaction);
  OA_ASSIGN(const auto theirs, statements.number("SELECT count(*) FROM audit_events e WHERE " + kTheirs,
                                                 {person.id.uuid()}));
  OA_ASSIGN(const auto others, walk(statements, person, 0, false));
  return static_cast<std::uint64_t>(theirs) + others;
}

Result<std::uint64_t> redact_audit_events(catalog::TenantTransaction& transaction,
                                          const PersonValues& person) {
  Statements statements(transaction);
  constexpr const char* kHead = "SELECT coalesce((SELECT sequence FROM audit_heads), 0)";
  OA_ASSIGN(const auto head, statements.number(kHead));
  OA_ASSIGN(const auto before, redact_behind(statements, person, 0));
  // Whoever appends waits from here on; what came meanwhile is seen now.
  OA_ASSIGN(const auto locked, statements.rows("SELECT sequence::text FROM audit_heads FOR UPDATE"));
  if (locked.empty()) return before;
  OA_ASSIGN(const auto meanwhile, redact_behind(statements, person, head));
  return before + meanwhile;
}

}  // namespace oa::privacy
