#include "oa/catalog/accounts.h"

#include <fmt/format.h>

#include <algorithm>

#include "bulk_writer.h"
#include "connection.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

// One row for each role that the person of `u` holds, or one without.
constexpr const char* kPerson =
    "u.id, u.email, u.first_name, u.last_name, u.active, u.owner, r.workspace_id, r.role";
constexpr const char* kRoles =
    "LEFT JOIN LATERAL ("
    "SELECT workspace_id, role FROM workspace_roles WHERE user_id = u.id UNION ALL "
    "SELECT w.workspace_id, w.role FROM team_members m "
    "JOIN workspace_roles w ON w.team_id = m.team_id WHERE m.user_id = u.id) r ON true";

Person read_person(RowReader& row) {
  Person person;
  person.id = row.id<UserId>();
  person.email = row.text();
  person.first_name = row.text();
  person.last_name = row.text();
  person.active = row.boolean();
  person.owner = row.boolean();
  return person;
}

// The roles of a person in rows of which each has `before` columns and then kPerson.
Result<Person> read_person(const Rows& rows, int before) {
  constexpr int kRoleColumns = 6;
  RowReader first(rows, 0);
  first.skip(before);
  Person person = read_person(first);
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    row.skip(before + kRoleColumns);
    const auto workspace = row.optional_uuid();
    if (!workspace.has_value()) continue;
    OA_ASSIGN(const auto role, row.enumerator<Role>());
    person.member_of.insert(WorkspaceId(*workspace));
    if (role == Role::kAdmin) person.admin_of.insert(WorkspaceId(*workspace));
  }
  return person;
}

SessionRecord read_session(RowReader& row) {
  SessionRecord session;
  session.id = row.id<SessionId>();
  session.user = row.id<UserId>();
  session.created_at = row.timestamp();
  session.last_used_at = row.timestamp();
  session.expires_at = row.timestamp();
  session.revoked_at = row.optional_timestamp();
  return session;
}
constexpr int kSessionColumns = 6;

TokenRecord read_token(RowReader& row) {
  TokenRecord token;
  token.id = row.id<TokenId>();
  token.user = row.id<UserId>();
  token.name = row.text();
  const std::string scopes = row.text();
  for (std::size_t at = 0; at < scopes.size();) {
    const std::size_t end = std::min(scopes.find(' ', at), scopes.size());
    token.scopes.push_back(scopes.substr(at, end - at));
    at = end + 1;
  }
  token.created_at = row.timestamp();
  token.expires_at = row.optional_timestamp();
  token.revoked_at = row.optional_timestamp();
  token.last_used_at = row.optional_timestamp();
  return token;
}
constexpr int kTokenColumns = 8;
constexpr const char* kToken =
    "t.id, t.user_id, t.name, array_to_string(t.scopes, ' '), t.created_at, t.expires_at, "
    "t.revoked_at, t.last_used_at";

Result<std::optional<Credential>> read_credential(TenantTransaction& transaction,
                                                  const char* condition,
                                                  const Parameter& parameter) {
  const std::string sql = fmt::format("SELECT u.password_hash, {} FROM users u {} WHERE {}",
                                      kPerson, kRoles, condition);
  OA_ASSIGN(const Rows rows, transaction.connection().query(sql.c_str(), {parameter}));
  if (rows.count() == 0) return std::optional<Credential>();
  Credential credential;
  credential.password_hash = RowReader(rows, 0).optional_text();
  OA_ASSIGN(credential.person, read_person(rows, 1));
  return std::optional(std::move(credential));
}

}  // namespace

Status Sessions::add(const SessionRecord& session, const Sha256Digest& secret_hash) {
  return tx_.connection().execute(
      "INSERT INTO sessions (id, user_id, token_hash, created_at, last_used_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6)",
      {Parameter::of(session.id), Parameter::of(session.user), Parameter::of(ByteView(secret_hash)),
       Parameter::of(session.created_at), Parameter::of(session.last_used_at),
       Parameter::of(session.expires_at)});
}

Result<std::optional<Holder<SessionRecord>>> Sessions::find(const Sha256Digest& secret_hash) {
  const std::string sql = fmt::format(
      "SELECT s.id, s.user_id, s.created_at, s.last_used_at, s.expires_at, s.revoked_at, {} "
      "FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id {} "
      "WHERE s.token_hash = $1",
      kPerson, kRoles);
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(sql.c_str(), {Parameter::of(ByteView(secret_hash))}));
  if (rows.count() == 0) return std::optional<Holder<SessionRecord>>();
  RowReader row(rows, 0);
  Holder<SessionRecord> found;
  found.record = read_session(row);
  OA_ASSIGN(found.person, read_person(rows, kSessionColumns));
  return std::optional(std::move(found));
}

Status Sessions::touch(SessionId id, Timestamp used_at) {
  return tx_.connection().execute(
      "UPDATE sessions SET last_used_at = greatest(last_used_at, $2) WHERE id = $1",
      {Parameter::of(id), Parameter::of(used_at)});
}

Result<std::uint64_t> Sessions::end(UserId user, Timestamp at, std::optional<SessionId> id,
                                    std::optional<SessionId> except) {
  OA_ASSIGN(
      const Rows rows,
      tx_.connection().query(
          "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL "
          "AND ($3::uuid IS NULL OR id = $3) AND ($4::uuid IS NULL OR id <> $4)",
          {Parameter::of(user), Parameter::of(at), Parameter::of(id), Parameter::of(except)}));
  return rows.affected();
}

Status Sessions::remove_old(UserId user, Timestamp moment, std::size_t keep) {
  return tx_.connection().execute(
      "DELETE FROM sessions WHERE user_id = $1 AND (least(expires_at, revoked_at) < $2 OR id IN "
      "(SELECT id FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, id OFFSET $3))",
      {Parameter::of(user), Parameter::of(moment), Parameter::of(static_cast<std::int64_t>(keep))});
}

Status Tokens::add(const TokenRecord& token, const Sha256Digest& secret_hash) {
  OA_TRY(check_name("name", token.name));
  return tx_.connection().execute(
      "INSERT INTO tokens (id, user_id, name, token_hash, scopes, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, string_to_array($5, ' '), $6, $7)",
      {Parameter::of(token.id), Parameter::of(token.user), Parameter::of(token.name),
       Parameter::of(ByteView(secret_hash)),
       Parameter::of(fmt::format("{}", fmt::join(token.scopes, " "))),
       Parameter::of(token.created_at), Parameter::of(token.expires_at)});
}

Result<std::optional<Holder<TokenRecord>>> Tokens::find(const Sha256Digest& secret_hash) {
  const std::string sql = fmt::format(
      "SELECT {}, {} FROM tokens t JOIN users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id "
      "{} WHERE t.token_hash = $1",
      kToken, kPerson, kRoles);
  OA_ASSIGN(const Rows rows,
            tx_.connection().query(sql.c_str(), {Parameter::of(ByteView(secret_hash))}));
  if (rows.count() == 0) return std::optional<Holder<TokenRecord>>();
  RowReader row(rows, 0);
  Holder<TokenRecord> found;
  found.record = read_token(row);
  OA_ASSIGN(found.person, read_person(rows, kTokenColumns));
  return std::optional(std::move(found));
}

Result<std::vector<TokenRecord>> Tokens::list(UserId user) {
  const std::string sql = fmt::format(
      "SELECT {} FROM tokens t WHERE t.user_id = $1 ORDER BY t.revoked_at IS NOT NULL, "
      "t.created_at DESC, t.id LIMIT 500",
      kToken);
  OA_ASSIGN(const Rows rows, tx_.connection().query(sql.c_str(), {Parameter::of(user)}));
  std::vector<TokenRecord> tokens;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    tokens.push_back(read_token(row));
  }
  return tokens;
}

Status Tokens::touch(TokenId id, Timestamp used_at) {
  return tx_.connection().execute(
      "UPDATE tokens SET last_used_at = greatest(last_used_at, $2) WHERE id = $1",
      {Parameter::of(id), Parameter::of(used_at)});
}

Status Tokens::revoke(TokenId id, UserId user, Timestamp at) {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("UPDATE tokens SET revoked_at = $3 "
                                   "WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL",
                                   {Parameter::of(id), Parameter::of(user), Parameter::of(at)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "tokens.revoke", "no token in use has this id");
}

Result<std::uint64_t> Tokens::revoke_all(UserId user, Timestamp at) {
  OA_ASSIGN(const Rows rows, tx_.connection().query("UPDATE tokens SET revoked_at = $2 "
                                                    "WHERE user_id = $1 AND revoked_at IS NULL",
                                                    {Parameter::of(user), Parameter::of(at)}));
  return rows.affected();
}

Result<std::uint64_t> Tokens::remove_ended_before(Timestamp moment) {
  // least() passes over a moment that there is not.
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM tokens WHERE least(expires_at, revoked_at) < $1",
                                   {Parameter::of(moment)}));
  return rows.affected();
}

Result<std::vector<Standing>> standings(TenantTransaction& transaction,
                                        const std::vector<SessionId>& sessions,
                                        const std::vector<TokenId>& tokens) {
  OA_ASSIGN(
      const Rows rows,
      transaction.connection().query(
          "SELECT s.id, s.expires_at, s.revoked_at, s.last_used_at, u.active, u.owner FROM sessions "
          "s JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id WHERE s.id = ANY($1) "
          "UNION ALL "
          "SELECT t.id, t.expires_at, t.revoked_at, NULL, u.active, u.owner FROM tokens t "
          "JOIN users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id WHERE t.id = ANY($2)",
          {Parameter::uuids(uuids_of(std::span<const SessionId>(sessions))),
           Parameter::uuids(uuids_of(std::span<const TokenId>(tokens)))}));
  std::vector<Standing> found;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    Standing standing;
    standing.id = row.uuid();
    standing.expires_at = row.optional_timestamp();
    standing.revoked_at = row.optional_timestamp();
    standing.last_used_at = row.optional_timestamp();
    standing.active = row.boolean();
    standing.owner = row.boolean();
    found.push_back(standing);
  }
  return found;
}

Result<std::optional<Credential>> find_credential(TenantTransaction& transaction,
                                                  std::string_view email) {
  return read_credential(transaction, "lower(u.email COLLATE \"C\") = lower($1 COLLATE \"C\")",
                         Parameter::of(email));
}

Result<std::optional<Credential>> find_credential(TenantTransaction& transaction, UserId user) {
  return read_credential(transaction, "u.id = $1", Parameter::of(user));
}

Result<bool> replace_password_hash(TenantTransaction& transaction, UserId user,
                                   const std::string& present, const std::string& next) {
  OA_TRY(check_name("password_hash", next));
  OA_ASSIGN(const Rows rows,
            transaction.connection().query(
                "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
                {Parameter::of(user), Parameter::of(present), Parameter::of(next)}));
  return rows.affected() == 1;
}

Result<std::set<UserId>> users_with_password(TenantTransaction& transaction) {
  OA_ASSIGN(const Rows rows,
            transaction.connection().query("SELECT id FROM users WHERE password_hash IS NOT NULL"));
  std::set<UserId> users;
  for (int i = 0; i < rows.count(); ++i) users.insert(RowReader(rows, i).id<UserId>());
  return users;
}

Status set_workspace_role(TenantTransaction& transaction, UserId user, WorkspaceId workspace,
                          std::optional<Role> role) {
  auto& connection = transaction.connection();
  // As whoever changes a workspace: not while a restore reads it.
  OA_ASSIGN(const Rows rows,
            connection.query("SELECT id FROM workspaces WHERE id = $1 FOR NO KEY UPDATE",
                             {Parameter::of(workspace)}));
  if (rows.count() == 0) {
    return make_error(ErrorCode::kNotFound, "workspaces.set_role", "no workspace has this id")
        .with_hint("`oa-backup tenant show NAME` lists them");
  }
  if (!role.has_value()) {
    return connection.execute(
        "DELETE FROM workspace_roles WHERE workspace_id = $1 AND user_id = $2",
        {Parameter::of(workspace), Parameter::of(user)});
  }
  return connection.execute(
      "INSERT INTO workspace_roles (workspace_id, user_id, role) VALUES ($1, $2, $3) "
      "ON CONFLICT (tenant_id, workspace_id, principal) DO UPDATE SET role = excluded.role",
      {Parameter::of(workspace), Parameter::of(user), Parameter::of(to_text(*role))});
}

}  // namespace oa::catalog
