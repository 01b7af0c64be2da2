// Commands over the people of a tenant.
#pragma once

#include "commands.h"

namespace CLI {
class App;
}

namespace oa::cli {

struct UserOptions {
  std::string tenant;
  std::string email;  // or id
  std::string first_name, last_name;
  bool owner = false;
  bool activate = false;
  std::string password_file;
  std::string workspace;
  std::string role;
};

Status run_user_list(const Context& context, const UserOptions& options);
Status run_user_add(const Context& context, const UserOptions& options);
Status run_user_set_password(const Context& context, const UserOptions& options);
Status run_user_deactivate(const Context& context, const UserOptions& options);
Status run_user_role(const Context& context, const UserOptions& options);

using AddUserCommand =
    std::function<CLI::App*(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, std::function<Status(const Context&)> run)>;
void add_user_commands(CLI::App& app, UserOptions& options, const AddUserCommand& add);

}  // namespace oa::cli
