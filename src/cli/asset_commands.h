// Commands over what a tenant owns: datasets, reports, alerts, secrets.
#pragma once

#include "commands.h"
#include "oa/analytics/file_options.h"

namespace CLI {
class App;
}

namespace oa::cli {

/// What these commands are told; each uses some of it.
struct AssetOptions {
  std::string tenant;
  std::string id;
  std::string workspace;
  std::string name;
  std::string file;   // to import or upload, or of a secret's value
  std::string model;  // a file
  std::string user;   // id or e-mail; empty: the tenant's first Owner
  std::string bookmark;
  std::string with;  // user:EMAIL or team:NAME, or an id behind the colon
  std::string role;
  std::string query;  // JSON, @FILE or - for standard input
  std::string cursor;
  std::string kind;  // of a secret
  std::string at;    // RFC 3339; empty: now
  std::uint64_t history = 20;
  bool force = false;
  bool allow_private_networks = false;
  analytics::FileOptions import;
  std::string delimiter;
};

Status run_dataset_list(const Context& context, const AssetOptions& options);
Status run_dataset_show(const Context& context, const AssetOptions& options);
Status run_dataset_import(const Context& context, const AssetOptions& options);
Status run_dataset_upload(const Context& context, const AssetOptions& options);
Status run_dataset_connect(const Context& context, const AssetOptions& options);
Status run_dataset_model(const Context& context, const AssetOptions& options);
Status run_dataset_refresh(const Context& context, const AssetOptions& options);
Status run_dataset_pause(const Context& context, const AssetOptions& options);
Status run_dataset_resume(const Context& context, const AssetOptions& options);
Status run_dataset_query(const Context& context, const AssetOptions& options);
Status run_dataset_expire(const Context& context, const AssetOptions& options);

Status run_report_list(const Context& context, const AssetOptions& options);
Status run_report_open(const Context& context, const AssetOptions& options);
Status run_report_share(const Context& context, const AssetOptions& options);
Status run_report_unshare(const Context& context, const AssetOptions& options);
Status run_alert_list(const Context& context, const AssetOptions& options);
Status run_alert_evaluate(const Context& context, const AssetOptions& options);
Status run_alert_history(const Context& context, const AssetOptions& options);

Status run_secret_put(const Context& context, const AssetOptions& options);
Status run_secret_rotate(const Context& context, const AssetOptions& options);
Status run_secret_list(const Context& context, const AssetOptions& options);
Status run_secret_remove(const Context& context, const AssetOptions& options);
Status run_secret_rewrap(const Context& context, const AssetOptions& options);

/// The instance, and the tenant that is named.
struct OpenTenant {
  std::unique_ptr<instance::Instance> instance;
  catalog::Tenant tenant;
};
Result<OpenTenant> open_tenant(const Context& context, const AssetOptions& options);
/// The person named by id or e-mail, else the tenant's first Owner; kNotFound.
Result<UserId> chosen_user(catalog::TenantTransaction& transaction, const std::string& user);
/// An answer as lines for people, at most 20 rows of it.
void show_answer(const Context& context, const json::value& answer);

/// Binds the commands to the command line. `add` makes one command below a parent.
using Command = std::function<Status(const Context&)>;
using AddCommand =
    std::function<CLI::App*(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, Command run)>;
void add_asset_commands(CLI::App& app, AssetOptions& options, const AddCommand& add);

}  // namespace oa::cli
