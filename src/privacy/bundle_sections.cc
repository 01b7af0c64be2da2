#include "bundle_sections.h"

#include <cctype>

namespace oa::privacy {
namespace {

// "@name" becomes the moment of the column `name` as RFC 3339 has it.
std::string with_moments(std::string_view sql) {
  std::string out;
  for (std::size_t at = 0; at < sql.size();) {
    if (sql[at] != '@') {
      out += sql[at++];
      continue;
    }
    std::size_t end = at + 1;
    while (end < sql.size() && (std::islower(static_cast<unsigned char>(sql[end])) != 0 ||
                                sql[end] == '_' || sql[end] == '.'))
      ++end;
    out += "to_char(" + std::string(sql.substr(at + 1, end - at - 1)) +
           R"( AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))";
    at = end;
  }
  return out;
}

// Events of the person, about them, and those that hold their address or name.
constexpr std::string_view kConcerns = R"(
  (actor_id = $1 OR (resource_type = 'user' AND resource_id = $1::text)
   OR EXISTS (SELECT FROM json_each(personal) p
              WHERE lower(p.value->>'value') <> '' AND lower(p.value->>'value') IN (lower($2), lower($3)))))";

// What of an event is the person's: who they were and where they came from, what an event about them
// says, their own values anywhere. Not what names others.
constexpr std::string_view kOwnValues = R"(
  (SELECT coalesce(json_object_agg(p.key, p.value->>'value'), '{}') FROM json_each(personal) p
   WHERE NOT (p.value->>'redacted')::boolean AND (
     (actor_id = $1 AND starts_with(p.key, 'actor.'))
     OR (starts_with(p.key, 'detail.') AND CASE resource_type WHEN 'user' THEN resource_id = $1::text
                                                               ELSE coalesce(actor_id = $1, false) END)
     OR (lower(p.value->>'value') <> '' AND lower(p.value->>'value') IN (lower($2), lower($3))))))";

// Assets that the person changed: looking at one changes nothing.
constexpr std::string_view kChanged = R"(
  SELECT resource_type AS kind, resource_id AS id, max(ts) AS changed_at FROM audit_events
  WHERE actor_id = $1 AND resource_type IN ('workspace', 'dataset', 'report', 'alert')
    AND action NOT IN ('report.view', 'dataset.refresh.failure')
  GROUP BY 1, 2)";

constexpr std::string_view kAssets = R"(
  SELECT 'alert' AS kind, id, name, workspace_id, created_by, created_at, updated_at FROM alerts
  UNION ALL SELECT 'dataset', id, name, workspace_id, created_by, created_at, updated_at FROM datasets
  UNION ALL SELECT 'report', id, name, workspace_id, created_by, created_at, updated_at FROM reports
  UNION ALL SELECT 'workspace', id, name, id, NULL, created_at, NULL FROM workspaces)";

// Where an asset `a` is looked at.
constexpr std::string_view kLink = R"(
  $4 || CASE a.kind WHEN 'report' THEN '/reports/' || a.id ELSE '/workspaces/' || a.workspace_id END)";

// Documents in which the address or the full name stands, not as a part of a longer one.
constexpr std::string_view kMentions = R"(
  SELECT DISTINCT d.kind, d.id, d.name, d.workspace_id FROM (
    SELECT 'alert' AS kind, id, name, workspace_id, lower(concat_ws(' ', name, measure, condition, channels)) AS words FROM alerts
    UNION ALL SELECT 'dataset', id, name, workspace_id, lower(concat_ws(' ', name, model_yaml)) FROM datasets
    UNION ALL SELECT 'report', id, name, workspace_id, lower(concat_ws(' ', name, document)) FROM reports
    UNION ALL SELECT 'workspace', id, name, id, lower(name) FROM workspaces) d,
    (VALUES (lower($2)), (lower($3))) n (needle)
  WHERE needle <> '' AND strpos(words, needle) > 0
    AND words ~ ('(^|[^[:alnum:]._%+-])' || regexp_replace(needle, '([^[:alnum:] ])', '\\\1', 'g') || '($|[^[:alnum:]_-])'))";

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto part : parts) out += part;
  return with_moments(out);
}

std::string count_of(std::string_view what) {
  return "SELECT count(*) FROM " + std::string(what);
}

BundleSection profile() {
  return {"profile", true,
          join({R"(SELECT json_build_object('id', id, 'email', email, 'first_name', first_name, 'last_name', last_name,
                 'attributes', attributes, 'active', active, 'owner', owner, 'has_password', password_hash IS NOT NULL,
                 'created_at', @created_at)::text FROM users WHERE id = $1)"}),
          count_of("users WHERE id = $1")};
}

std::vector<BundleSection> memberships() {
  return {
      {"memberships", false,
       join({R"(SELECT json_build_object('team_id', t.id, 'name', t.name)::text
             FROM team_members m LEFT JOIN teams t ON t.id = m.team_id WHERE m.user_id = $1 ORDER BY m.team_id)"}),
       count_of("team_members WHERE user_id = $1")},
      {"roles", false,
       join({R"(SELECT json_build_object('workspace_id', r.workspace_id, 'workspace', w.name, 'role', r.role,
                'team_id', r.team_id)::text
             FROM workspace_roles r LEFT JOIN workspaces w ON w.id = r.workspace_id
             WHERE r.user_id = $1 OR r.team_id IN (SELECT team_id FROM team_members WHERE user_id = $1)
             ORDER BY r.workspace_id, r.team_id NULLS FIRST)"}),
       count_of("workspace_roles WHERE principal IN "
                "(SELECT $1 UNION SELECT team_id FROM team_members WHERE user_id = $1)")},
      {"grants", false,
       join({R"(SELECT json_build_object('report_id', g.report_id, 'report', r.name, 'role', g.role,
                'team_id', g.team_id)::text
             FROM report_grants g LEFT JOIN reports r ON r.id = g.report_id
             WHERE g.user_id = $1 OR g.team_id IN (SELECT team_id FROM team_members WHERE user_id = $1)
             ORDER BY g.report_id, g.team_id NULLS FIRST)"}),
       count_of("report_grants WHERE principal IN "
                "(SELECT $1 UNION SELECT team_id FROM team_members WHERE user_id = $1)")}};
}

std::vector<BundleSection> credentials() {
  return {{"sessions", false,
           join({R"(SELECT json_build_object('id', id, 'created_at', @created_at, 'last_used_at', @last_used_at,
                    'expires_at', @expires_at, 'revoked_at', @revoked_at)::text
                 FROM sessions WHERE user_id = $1 ORDER BY created_at, id)"}),
           count_of("sessions WHERE user_id = $1")},
          {"tokens", false,
           join({R"(SELECT json_build_object('id', id, 'name', name, 'scopes', array_to_json(scopes), 'created_at', @created_at,
                    'last_used_at', @last_used_at, 'expires_at', @expires_at, 'revoked_at', @revoked_at)::text
                 FROM tokens WHERE user_id = $1 ORDER BY created_at, id)"}),
           count_of("tokens WHERE user_id = $1")}};
}

BundleSection activity() {
  return {"activity", false,
          join({R"(SELECT json_build_object('sequence', sequence, 'at', @ts, 'action', action, 'actor', actor_type,
                   'by_the_person', coalesce(actor_id = $1, false),
                   'resource', json_build_object('type', resource_type, 'id', resource_id),
                   'detail', detail, 'personal', )",
                kOwnValues, R"(, 'trace_id', trace_id)::text FROM audit_events WHERE )", kConcerns,
                " ORDER BY sequence"}),
          "SELECT count(*) FROM audit_events WHERE " + std::string(kConcerns)};
}

std::vector<BundleSection> authorship() {
  return {
      {"assets", false,
       join({"WITH changed AS (", kChanged, "), a AS (", kAssets,
             R"() SELECT json_build_object('type', a.kind, 'id', a.id, 'name', a.name, 'workspace_id', a.workspace_id,
                'workspace', w.name, 'created', coalesce(a.created_by = $1, false), 'created_at', @a.created_at,
                'updated_at', @a.updated_at, 'changed_at', @c.changed_at, 'link', )",
             kLink,
             R"()::text FROM a LEFT JOIN workspaces w ON w.id = a.workspace_id
                LEFT JOIN changed c ON c.kind = a.kind AND c.id = a.id::text
                WHERE a.created_by = $1 OR c.id IS NOT NULL ORDER BY a.kind, a.id)"}),
       "WITH c AS (" + std::string(kChanged) + R"()
         SELECT (SELECT count(*) FROM alerts WHERE created_by = $1 OR ('alert', id::text) IN (SELECT kind, id FROM c))
              + (SELECT count(*) FROM datasets WHERE created_by = $1 OR ('dataset', id::text) IN (SELECT kind, id FROM c))
              + (SELECT count(*) FROM reports WHERE created_by = $1 OR ('report', id::text) IN (SELECT kind, id FROM c))
              + (SELECT count(*) FROM workspaces WHERE ('workspace', id::text) IN (SELECT kind, id FROM c)))"},
      {"archives", false,
       join({R"(SELECT json_build_object('id', id, 'origin', origin, 'snapshot_time', @snapshot_time, 'size_bytes', size_bytes,
                'created_at', @created_at, 'expires_at', @expires_at, 'link', $4 || '/settings/backup/archives/' || id)::text
             FROM archives WHERE created_by = $1 ORDER BY created_at, id)"}),
       count_of("archives WHERE created_by = $1")},
      {"restores", false,
       join({R"(SELECT json_build_object('id', id, 'kind', kind, 'state', state, 'purpose', purpose, 'created_at', @created_at,
                'planned', coalesce(created_by = $1, false), 'approved', coalesce(approved_by = $1, false),
                'applied_at', @applied_at, 'link', $4 || '/settings/backup/restores/' || id)::text
             FROM restores WHERE created_by = $1 OR approved_by = $1 ORDER BY created_at, id)"}),
       count_of("restores WHERE $1 IN (created_by, approved_by)")},
      {"jobs", false,
       join({R"(SELECT json_build_object('id', id, 'kind', kind, 'state', state, 'created_at', @created_at,
                'finished_at', @finished_at)::text FROM jobs WHERE created_by = $1 ORDER BY created_at, id)"}),
       count_of("jobs WHERE created_by = $1")},
      {"accepted_signers", false,
       join({R"(SELECT json_build_object('fingerprint', fingerprint, 'note', note, 'accepted_at', @accepted_at,
                'revoked_at', @revoked_at)::text
             FROM accepted_signers WHERE accepted_by = $1 ORDER BY accepted_at, fingerprint)"}),
       count_of("accepted_signers WHERE accepted_by = $1")},
      {"uploads", false,
       join({R"(SELECT json_build_object('id', id, 'file_name', file_name, 'length_bytes', length_bytes,
                'created_at', @created_at, 'expires_at', @expires_at)::text
             FROM uploads WHERE created_by = $1 ORDER BY created_at, id)"}),
       count_of("uploads WHERE created_by = $1")},
      {"mentions", false,
       join({"SELECT json_build_object('type', a.kind, 'id', a.id, 'name', a.name, 'workspace_id', "
             "a.workspace_id, 'link', ",
             kLink, ")::text FROM (", kMentions, ") a ORDER BY a.kind, a.id"}),
       "SELECT count(*) FROM (" + std::string(kMentions) + ") m"}};
}

std::vector<BundleSection> privacy() {
  return {{"exports", false,
           join({R"(SELECT json_build_object('id', id, 'requested_by_the_person', coalesce(requested_by = $1, false),
                    'requested_at', @requested_at, 'made_at', @made_at, 'expires_at', @expires_at,
                    'downloads', downloads, 'last_download_at', @last_download_at)::text
                 FROM personal_exports WHERE user_id = $1 ORDER BY requested_at, id)"}),
           count_of("personal_exports WHERE user_id = $1")},
          {"erasures", false,
           join({R"(SELECT json_build_object('id', id, 'state', state, 'requested_by_the_person',
                    coalesce(requested_by = $1, false), 'requested_at', @requested_at, 'execute_at', @execute_at,
                    'erased_at', @erased_at)::text FROM erasures WHERE user_id = $1 ORDER BY requested_at, id)"}),
           count_of("erasures WHERE user_id = $1")}};
}

std::vector<BundleSection> all_sections() {
  std::vector<BundleSection> sections{profile()};
  const auto add = [&](std::vector<BundleSection> more) {
    for (auto& section : more) sections.push_back(std::move(section));
  };
  add(memberships());
  add(credentials());
  sections.push_back(activity());
  add(authorship());
  add(privacy());
  return sections;
}

}  // namespace

std::vector<catalog::SqlValue> section_values(const catalog::User& person,
                                              const std::string& base_url) {
  const bool named = !person.first_name.empty() && !person.last_name.empty();
  return {person.id.uuid(), person.email,
          named ? person.first_name + " " + person.last_name : std::string(), base_url};
}

const std::vector<BundleSection>& bundle_sections() {
  static const std::vector<BundleSection> sections = all_sections();
  return sections;
}

}  // namespace oa::privacy
