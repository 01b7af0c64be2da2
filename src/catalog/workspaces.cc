#include <map>

#include "bulk_writer.h"
#include "grant_writer.h"
#include "oa/catalog/repositories.h"
#include "record_limits.h"
#include "row_reader.h"

namespace oa::catalog {
namespace {

Result<std::vector<Workspace>> read_workspaces(Connection& connection,
                                               const std::optional<WorkspaceId>& only) {
  OA_ASSIGN(const Rows rows, connection.query("SELECT id, name, created_at FROM workspaces "
                                              "WHERE $1 IS NULL OR id = $1 ORDER BY id",
                                              {Parameter::of(only)}));
  std::vector<Workspace> workspaces;
  std::map<WorkspaceId, std::size_t> index;
  for (int i = 0; i < rows.count(); ++i) {
    RowReader row(rows, i);
    Workspace workspace;
    workspace.id = row.id<WorkspaceId>();
    workspace.name = row.text();
    workspace.created_at = row.timestamp();
    index.emplace(workspace.id, workspaces.size());
    workspaces.push_back(std::move(workspace));
  }
  // In the order of RoleGrant: users before teams, then by id.
  OA_ASSIGN(const Rows grants,
            connection.query(
                "SELECT workspace_id, user_id IS NOT NULL, principal, role FROM workspace_roles "
                "WHERE $1 IS NULL OR workspace_id = $1 "
                "ORDER BY workspace_id, user_id IS NULL, principal",
                {Parameter::of(only)}));
  for (int i = 0; i < grants.count(); ++i) {
    RowReader row(grants, i);
    const auto workspace = index.find(row.id<WorkspaceId>());
    if (workspace == index.end())
      continue;  // appeared between the two statements, under READ COMMITTED
    RoleGrant grant;
    grant.kind = row.boolean() ? PrincipalKind::kUser : PrincipalKind::kTeam;
    grant.principal = row.uuid();
    OA_ASSIGN(grant.role, row.enumerator<Role>());
    workspaces[workspace->second].roles.push_back(grant);
  }
  return workspaces;
}

}  // namespace

Result<std::vector<Workspace>> Workspaces::list() {
  return read_workspaces(tx_.connection(), std::nullopt);
}

Result<Workspace> Workspaces::get(WorkspaceId id) {
  OA_ASSIGN(auto workspaces, read_workspaces(tx_.connection(), id));
  if (workspaces.empty())
    return make_error(ErrorCode::kNotFound, "workspaces.get", "no workspace has this id");
  return std::move(workspaces.front());
}

Status Workspaces::put(std::span<const Workspace> workspaces) {
  OA_TRY(check_all(workspaces));
  BulkWriter writer(
      tx_.connection(), "workspaces",
      {{"id", SqlType::kUuid}, {"name", SqlType::kText}, {"created_at", SqlType::kTimestamp}},
      Write::kReplace);
  for (const auto& workspace : workspaces) {
    OA_TRY(writer.add(workspace.id).add(workspace.name).add(workspace.created_at).end_row());
  }
  OA_TRY(writer.finish());
  OA_TRY(delete_where(tx_.connection(), "workspace_roles", "workspace_id", writer.replaced()));
  GrantWriter grants(tx_.connection(), "workspace_roles", "workspace_id");
  for (const auto& workspace : workspaces) OA_TRY(grants.add(workspace.id.uuid(), workspace.roles));
  return grants.finish();
}

Status Workspaces::remove(WorkspaceId id) {
  // Not by ON DELETE CASCADE: only here is it meant that a workspace takes its content along.
  for (const char* sql :
       {"DELETE FROM reports WHERE workspace_id = $1", "DELETE FROM alerts WHERE workspace_id = $1",
        "DELETE FROM datasets WHERE workspace_id = $1"}) {
    OA_TRY(tx_.connection().execute(sql, {Parameter::of(id)}));
  }
  OA_ASSIGN(const Rows rows,
            tx_.connection().query("DELETE FROM workspaces WHERE id = $1", {Parameter::of(id)}));
  if (rows.affected() == 1) return {};
  return make_error(ErrorCode::kNotFound, "workspaces.remove", "no workspace has this id");
}

Status Workspaces::remove_empty(std::span<const WorkspaceId> ids) {
  return delete_where(tx_.connection(), "workspaces", "id", uuids_of(ids));
}

}  // namespace oa::catalog
