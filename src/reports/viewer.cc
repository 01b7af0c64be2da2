#include "oa/reports/viewer.h"

#include <algorithm>

namespace oa::reports {
namespace {

struct Person {
  catalog::User user;
  std::vector<catalog::Team> teams;
  std::optional<catalog::Role> role;
};

// The highest of the roles that these grants give the person, by themselves or through a team.
std::optional<catalog::Role> role_from(const std::vector<catalog::RoleGrant>& grants,
                                       const Person& person) {
  std::optional<catalog::Role> role;
  for (const auto& grant : grants) {
    const bool held = grant.principal == person.user.id.uuid() ||
                      std::ranges::any_of(person.teams, [&](const catalog::Team& team) {
                        return team.id.uuid() == grant.principal;
                      });
    if (held) role = std::max(role, std::optional(grant.role));
  }
  return role;
}

Result<Person> person_of(catalog::TenantTransaction& transaction, UserId id,
                         WorkspaceId workspace_id) {
  Person person;
  OA_ASSIGN(person.user, catalog::Users(transaction).get(id));
  OA_ASSIGN(auto teams, catalog::Teams(transaction).list());
  for (auto& team : teams) {
    if (std::ranges::binary_search(team.members, id)) person.teams.push_back(std::move(team));
  }
  OA_ASSIGN(const auto workspace, catalog::Workspaces(transaction).get(workspace_id));
  person.role = person.user.owner ? catalog::Role::kAdmin : role_from(workspace.roles, person);
  return person;
}

void add_roles(const json::value& attributes, std::vector<std::string>& roles) {
  for (const char* name : {"role", "roles"}) {
    const json::value* value = attributes.as_object().if_contains(name);
    if (value == nullptr) continue;
    if (value->is_string()) roles.emplace_back(value->as_string());
    if (!value->is_array()) continue;
    for (const json::value& each : value->as_array()) {
      if (each.is_string()) roles.emplace_back(each.as_string());
    }
  }
}

Result<semantics::Viewer> to_viewer(const Person& person) {
  semantics::Viewer viewer;
  viewer.user = person.user.id;
  viewer.attributes = person.user.attributes;
  if (person.role.has_value()) viewer.roles.emplace_back(catalog::to_text(*person.role));
  const json::value attributes = person.user.attributes.value();
  if (attributes.is_object()) add_roles(attributes, viewer.roles);
  for (const catalog::Team& team : person.teams) {
    viewer.teams.push_back(team.name);
    viewer.teams.push_back(team.id.str());
  }
  return viewer;
}

Result<semantics::Viewer> to_reader(const Person& person, std::string without_role) {
  if (person.user.active && person.role.has_value()) return to_viewer(person);
  return make_error(
             ErrorCode::kPermissionDenied, "reports.read",
             person.user.active ? std::move(without_role) : "this person's account is not active")
      .with_hint("an Admin of the workspace can grant a role");
}

}  // namespace

Result<std::optional<catalog::Role>> role_in(catalog::TenantTransaction& transaction, UserId user,
                                             WorkspaceId workspace) {
  OA_ASSIGN(const Person person, person_of(transaction, user, workspace));
  return person.user.active ? person.role : std::nullopt;
}

Result<semantics::Viewer> viewer_of(catalog::TenantTransaction& transaction, UserId user,
                                    WorkspaceId workspace) {
  OA_ASSIGN(const Person person, person_of(transaction, user, workspace));
  return to_viewer(person);
}

Result<semantics::Viewer> reader_of(catalog::TenantTransaction& transaction, UserId user,
                                    WorkspaceId workspace) {
  OA_ASSIGN(const Person person, person_of(transaction, user, workspace));
  return to_reader(person, "this person has no role in the workspace");
}

Result<semantics::Viewer> reader_of(catalog::TenantTransaction& transaction, UserId user,
                                    const catalog::Report& report) {
  OA_ASSIGN(Person person, person_of(transaction, user, report.workspace_id));
  if (!person.role.has_value()) person.role = role_from(report.grants, person);
  return to_reader(person,
                   "this person has no role in the workspace, and the report is not shared with "
                   "them");
}

Result<catalog::Dataset> dataset_in(catalog::TenantTransaction& transaction, DatasetId id,
                                    WorkspaceId workspace) {
  OA_ASSIGN(auto dataset, catalog::Datasets(transaction).get(id));
  if (dataset.workspace_id == workspace) return dataset;
  return make_error(ErrorCode::kNotFound, "reports.read", "the workspace has no such dataset")
      .with_hint("a report and an alert ask datasets of their own workspace");
}

}  // namespace oa::reports
