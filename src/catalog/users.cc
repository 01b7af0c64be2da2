#include <map>

#include "bulk_writer.h"
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

// All users, or the one of `id`.
Result<std::vector<User>> read_users(Connection& connection, const std::optional<UserId>& id) {
  OA_ASSIGN(const Rows rows,
            connection.query(
                "SELECT id, email, first_name, last_name, attributes, active, owner, created_at "
                "FROM users WHERE $1::uuid IS NULL OR id = $1 ORDER BY id",
                {Parameter::of(id)}));
  std::vector<User> users;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    User user;
    user.id = row.id<UserId>();
    user.email = row.text();
    user.first_name = row.text();
    user.last_name = row.text();
    OA_ASSIGN(user.attributes, row.json());
    user.active = row.boolean();
    user.owner = row.boolean();
    user.created_at = row.timestamp();
    users.push_back(std::move(user));
  }
  return users;
}

}  // namespace

Result<std::vector<User>> Users::list() { return read_users(tx_.connection(), std::nullopt); }

Result<User> Users::get(UserId id) {
  OA_ASSIGN(auto users, read_users(tx_.connection(), id));
  if (users.empty()) return make_error(ErrorCode::kNotFound, "users.get", "no user has this id");
  return std::move(users.front());
}

Status Users::put(std::span<const User> users) {
  OA_TRY(check_all(users));
  BulkWriter writer(tx_.connection(), "users",
                    {{"id", SqlType::kUuid},
                     {"email", SqlType::kText},
                     {"first_name", SqlType::kText},
                     {"last_name", SqlType::kText},
                     {"attributes", SqlType::kJson},
                     {"active", SqlType::kBoolean},
                     {"owner", SqlType::kBoolean},
                     {"created_at", SqlType::kTimestamp}},
                    Write::kReplace);
  for (const auto& user : users) {
    writer.add(user.id).add(user.email).add(user.first_name).add(user.last_name);
    writer.add(user.attributes).add(user.active).add(user.owner).add(user.created_at);
    OA_TRY(writer.end_row());
  }
  return writer.finish();
}

Status Users::set_password_hash(UserId id, const std::string& phc_text) {
  OA_TRY(check_name("password_hash", phc_text));
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("UPDATE users SET password_hash = $2 WHERE id = $1",
                                   {Parameter::of(id), Parameter::of(phc_text)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "users.set_password_hash", "no user has this id");
}

Result<std::vector<Team>> Teams::list() {
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("SELECT id, name, created_at FROM teams ORDER BY id"));
  std::vector<Team> teams;
  std::map<TeamId, std::size_t> index;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    Team team;
    team.id = row.id<TeamId>();
    team.name = row.text();
    team.created_at = row.timestamp();
    index.emplace(team.id, teams.size());
    teams.push_back(std::move(team));
  }
  OA_ASSIGN(const Rows members,
            tx_.connection().query(
                "SELECT team_id, user_id FROM team_members ORDER BY team_id, user_id"));
  for (int i = 0; i < members.count(); ++i) {
    RowReader row(members, i);
    // Under READ COMMITTED a team may have appeared between the two statements.
    const auto team = index.find(row.id<TeamId>());
    if (team != index.end()) teams[team->second].members.push_back(row.id<UserId>());
  }
  return teams;
}

Status Teams::put(std::span<const Team> teams) {
  OA_TRY(check_all(teams));
  BulkWriter writer(
      tx_.connection(), "teams",
      {{"id", SqlType::kUuid}, {"name", SqlType::kText}, {"created_at", SqlType::kTimestamp}},
      Write::kReplace);
  for (const auto& team : teams) {
    OA_TRY(writer.add(team.id).add(team.name).add(team.created_at).end_row());
  }
  OA_TRY(writer.finish());
  OA_TRY(delete_where(tx_.connection(), "team_members", "team_id", writer.replaced()));
  BulkWriter members(tx_.connection(), "team_members",
                     {{"team_id", SqlType::kUuid}, {"user_id", SqlType::kUuid}}, Write::kInsert);
  for (const auto& team : teams) {
    for (const auto& member : team.members) OA_TRY(members.add(team.id).add(member).end_row());
  }
  return members.finish();
}

Status Users::remove_unused(std::span<const UserId> ids) {
  return tx_.connection().execute(
      "DELETE FROM users u WHERE id = ANY($1) "
      "AND NOT EXISTS (SELECT FROM datasets WHERE created_by = u.id) "
      "AND NOT EXISTS (SELECT FROM reports WHERE created_by = u.id) "
      "AND NOT EXISTS (SELECT FROM alerts WHERE created_by = u.id) "
      "AND NOT EXISTS (SELECT FROM archives WHERE created_by = u.id) "
      "AND NOT EXISTS (SELECT FROM workspace_roles WHERE user_id = u.id) "
      "AND NOT EXISTS (SELECT FROM report_grants WHERE user_id = u.id) "
      "AND NOT EXISTS (SELECT FROM team_members WHERE user_id = u.id)",
      {Parameter::uuids(uuids_of(ids))});
}

Status Teams::remove_unused(std::span<const TeamId> ids) {
  return tx_.connection().execute(
      "DELETE FROM teams t WHERE id = ANY($1) "
      "AND NOT EXISTS (SELECT FROM workspace_roles WHERE team_id = t.id) "
      "AND NOT EXISTS (SELECT FROM report_grants WHERE team_id = t.id)",
      {Parameter::uuids(uuids_of(ids))});
}

}  // namespace oa::catalog
