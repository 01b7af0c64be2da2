#include "user_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "oa/accounts/accounts.h"
#include "oa/accounts/people.h"
#include "oa/archive_cli/passphrase.h"

namespace oa::cli {
namespace {

struct Opened {
  std::unique_ptr<instance::Instance> instance;
  catalog::Tenant tenant;
  catalog::Database& database() const { return instance->database(); }
  Result<catalog::User> person(const UserOptions& options) const {
    return accounts::find_person(database(), tenant.id, options.email);
  }
};

Result<Opened> open(const Context& context, const UserOptions& options) {
  Opened opened;
  OA_ASSIGN(opened.instance, open_instance(context.options, false));
  OA_ASSIGN(opened.tenant, opened.database().find_tenant(options.tenant));
  return opened;
}

json::object to_json(const catalog::User& user) {
  return {{"id", user.id.str()},         {"email", user.email}, {"first_name", user.first_name},
          {"last_name", user.last_name}, {"owner", user.owner}, {"active", user.active}};
}

}  // namespace

Status run_user_list(const Context& context, const UserOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(const auto people, accounts::list_people(opened.database(), opened.tenant.id));
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [user, has_password] : people) {
    json::object item = to_json(user);
    item["has_password"] = has_password;
    items.push_back(std::move(item));
    rows.push_back({user.id.str(), user.email, user.first_name + " " + user.last_name,
                    user.owner ? "Owner" : "", user.active ? "active" : "inactive",
                    has_password ? "set" : "none"});
  }
  context.output.document(json::object{{"data", std::move(items)}});
  context.output.table({"id", "e-mail", "name", "rights", "state", "password"}, rows,
                       "no users yet; add one with `oa-backup user add EMAIL`");
  return {};
}

Status run_user_add(const Context& context, const UserOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(const auto user, accounts::add_person(opened.database(), opened.tenant.id,
                                                  {options.email, options.first_name,
                                                   options.last_name, options.owner}));
  context.output.document(to_json(user));
  context.output.line(fmt::format("user {} added: {}", user.email, user.id.str()));
  context.output.line(fmt::format("`oa-backup user set-password {} --tenant {}` lets them sign in",
                                  shell_word(user.email), shell_word(opened.tenant)));
  return {};
}

Status run_user_set_password(const Context& context, const UserOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(auto user, opened.person(options));
  OA_ASSIGN(const auto password,
            archive_cli::passphrase_from(options.password_file, "New password of " + user.email,
                                         true, {"password", "--password-file"}));
  accounts::Accounts accounts(opened.database());
  OA_TRY(accounts.set_password(opened.tenant.id, user.id, password));
  if (options.activate) {
    OA_TRY(accounts::set_active(opened.database(), opened.tenant.id, user.id, true));
    user.active = true;
  }
  context.output.document(to_json(user));
  context.output.line(
      fmt::format("{} has another password and is signed out everywhere", user.email));
  if (!user.active)
    context.output.line("they are inactive and cannot sign in; --activate makes them active");
  return {};
}

Status run_user_deactivate(const Context& context, const UserOptions& options) {
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(auto user, opened.person(options));
  OA_TRY(accounts::set_active(opened.database(), opened.tenant.id, user.id, false));
  user.active = false;
  context.output.document(to_json(user));
  context.output.line(fmt::format("{} is signed out and cannot sign in", user.email));
  return {};
}

Status run_user_role(const Context& context, const UserOptions& options) {
  std::optional<catalog::Role> role;
  if (options.role != "none") {
    OA_ASSIGN(role, catalog::parse_text<catalog::Role>(options.role));
  }
  OA_ASSIGN(const auto workspace, WorkspaceId::parse(options.workspace));
  OA_ASSIGN(const auto opened, open(context, options));
  OA_ASSIGN(const auto user, opened.person(options));
  OA_TRY(accounts::set_role(opened.database(), opened.tenant.id, user.id, workspace, role));
  context.output.document(json::object{
      {"user", user.id.str()}, {"workspace", workspace.str()}, {"role", options.role}});
  context.output.line(role.has_value() ? fmt::format("{} is {} of workspace {}", user.email,
                                                     options.role, workspace.str())
                                       : fmt::format("{} has no role of their own in workspace {}",
                                                     user.email, workspace.str()));
  return {};
}

void add_user_commands(CLI::App& app, UserOptions& options, const AddUserCommand& add) {
  auto* group = app.add_subcommand("user", "People of a tenant and their passwords");
  group->require_subcommand(1);
  group->fallthrough();
  const auto command = [&](const std::string& name, const std::string& what,
                           const std::string& example,
                           Status (*run)(const Context&, const UserOptions&)) {
    auto* sub = add(group, name, what, "oa-backup user " + example,
                    [&options, run](const Context& context) { return run(context, options); });
    sub->add_option("--tenant", options.tenant, "Id or name")->required();
    return sub;
  };
  const auto with_person = [&](CLI::App* sub) {
    sub->add_option("email", options.email, "E-mail address, or id")->required();
    return sub;
  };
  command("list", "List people", "list --tenant Demo", run_user_list);
  auto* made = command("add", "Add somebody",
                       "add ada@example.com --first Ada --last Lovelace --owner --tenant Demo",
                       run_user_add);
  made->add_option("email", options.email, "E-mail address")->required();
  made->add_option("--first", options.first_name, "First name");
  made->add_option("--last", options.last_name, "Last name");
  made->add_flag("--owner", options.owner, "An Owner of the tenant");
  auto* password =
      with_person(command("set-password", "Give somebody a password, asked for on the terminal",
                          "set-password ada@example.com --tenant Demo", run_user_set_password));
  password->add_option("--password-file", options.password_file,
                       "File whose first line is the password, instead of asking");
  password->add_flag("--activate", options.activate, "Make them active too");
  with_person(command("deactivate", "Sign somebody out for good",
                      "deactivate ada@example.com --tenant Demo", run_user_deactivate));
  auto* role = with_person(
      command("role", "Give somebody a role in a workspace, or take it away",
              "role ada@example.com --workspace ID --role editor --tenant Demo", run_user_role));
  role->add_option("--workspace", options.workspace, "Id")->required();
  role->add_option("--role", options.role, "viewer, editor, admin or none")
      ->required()
      ->check(CLI::IsMember({"viewer", "editor", "admin", "none"}).description(""));
}

}  // namespace oa::cli
