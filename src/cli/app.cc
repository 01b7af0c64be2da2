#include "oa/cli/app.h"

#include <CLI/CLI.hpp>
#include <functional>

#include "asset_commands.h"
#include "cluster_commands.h"
#include "commands.h"
#include "doctor_commands.h"
#include "drill_commands.h"
#include "node_commands.h"
#include "oa/archive_cli/difference.h"
#include "oa/console/program.h"
#include "oa/crypto/secret.h"
#include "restore_commands.h"
#include "serve_commands.h"
#include "storage_commands.h"
#include "continuity_commands.h"
#include "encryption_commands.h"
#include "privacy_commands.h"
#include "user_commands.h"

namespace oa::cli {
namespace {

// Binds options to structs that live as long as the parser, and remembers which command was chosen.
class Parser {
 public:
  Parser() : app_("Backup, restore and disaster recovery for OneAnalytics tenants.", "oa-backup") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", OA_VERSION);
    app_.set_help_all_flag("--help-all", "Help of every command");
    globals_.data_folder = default_data_folder();
    app_.add_option("--data", globals_.data_folder, "Data folder ($OA_DATA)")
        ->capture_default_str();
    globals_.config_file = default_config_file();
    app_.add_option("--config", globals_.config_file,
                    "Deployment file, for a database, objects or keys elsewhere ($OA_CONFIG)");
    app_.add_option("--passphrase-file", globals_.passphrase_file,
                    "File whose first line opens the key store instead of its root key file");
    app_.add_flag("--json", globals_.json, "One JSON document instead of text");
    app_.footer(
        "Examples:\n"
        "  oa-backup demo                                   the main job on generated data\n"
        "  oa-backup archive create --tenant Demo --rows    an archive, kept sealed\n"
        "  oa-backup restore plan ID --tenant Demo --asset report:ID\n\n" +
        console::exit_statuses() +
        "\nA comparison that finds a difference: 6 of `archive probe`, 20 of `archive diff "
        "--exit-code`");
    add_instance();
    add_tenant();
    add_keys();
    add_user_commands(app_, users_,
                      [this](CLI::App* parent, const std::string& name, const std::string& what,
                             const std::string& example, Command run) {
                        return command(parent, name, what, example, std::move(run));
                      });
    add_continuity_commands(app_, continuity_,
                            [this](CLI::App* parent, const std::string& name,
                                   const std::string& what, const std::string& example,
                                   Command run) {
                              return command(parent, name, what, example, std::move(run));
                            });
    add_cluster();
    add_privacy_commands(app_, privacy_,
                         [this](CLI::App* parent, const std::string& name, const std::string& what,
                                const std::string& example, Command run) {
                           return command(parent, name, what, example, std::move(run));
                         });
    add_drill_commands(app_, drill_,
                       [this](CLI::App* parent, const std::string& name, const std::string& what,
                              const std::string& example, Command run) {
                         return command(parent, name, what, example, std::move(run));
                       });
    add_storage_commands(app_, storage_,
                         [this](CLI::App* parent, const std::string& name, const std::string& what,
                                const std::string& example, Command run) {
                           return command(parent, name, what, example, std::move(run));
                         });
    add_asset_commands(app_, assets_,
                       [this](CLI::App* parent, const std::string& name, const std::string& what,
                              const std::string& example, Command run) {
                         return command(parent, name, what, example, std::move(run));
                       });
    add_archive();
    add_node_commands(app_, node_,
                      [this](CLI::App* parent, const std::string& name, const std::string& what,
                             const std::string& example, Command run) {
                        return command(parent, name, what, example, std::move(run));
                      });
    add_restore_commands(app_, restore_,
                         [this](CLI::App* parent, const std::string& name, const std::string& what,
                                const std::string& example, Command run) {
                           return command(parent, name, what, example, std::move(run));
                         });
  }

  CLI::App& app() { return app_; }
  const GlobalOptions& globals() const { return globals_; }
  const Command& chosen() const { return chosen_; }

 private:
  CLI::App* command(CLI::App* parent, const std::string& name, const std::string& what,
                    const std::string& example, Command run) {
    CLI::App* sub = parent->add_subcommand(name, what);
    sub->footer("Example:\n  " + example +
                "\n--data, --config, --passphrase-file and --json go with every command (oa-backup "
                "--help).");
    sub->fallthrough();
    sub->callback([this, run = std::move(run)] { chosen_ = run; });
    return sub;
  }

  void add_instance() {
    auto* up = command(&app_, "up", "Start the embedded default and serve it",
                       "oa-backup up --data /srv/oa --demo",
                       [this](const Context& c) { return run_up(c, serve_); });
    up->add_flag("--demo", serve_.demo, "With a demo tenant, whose sign-in is printed");
    up->add_option("--rows", serve_.demo_rows, "Rows of the demo's orders table")
        ->capture_default_str()
        ->check(CLI::Range(1, 50'000'000));
    up->add_option("--continuity", serve_.continuity_folder,
                   "Where backups and log go, best on another volume; at the first start");
    up->add_flag("--synchronous", serve_.synchronous,
                 "Commits wait until the received log has them: nothing acknowledged is ever lost");
    auto* serve = command(&app_, "serve", "Serve an instance that is there, beside others who do",
                          "oa-backup serve --data /srv/oa --port 8081",
                          [this](const Context& c) { return run_serve(c, serve_); });
    for (auto* each : {up, serve}) add_serving(each);
    command(&app_, "doctor", "Check that the deployment keeps what is promised: exit status 12 when not",
            "oa-backup doctor --data /srv/oa --config /etc/oa/oa.json",
            [this](const Context& c) { return run_doctor(c, doctor_); })
        ->add_option("--tls-cert", doctor_.certificate, "PEM file with the service's certificate");
    auto* demo = command(&app_, "demo", "Run the main job end to end on a demo tenant",
                         "oa-backup demo --data /tmp/oa-demo",
                         [this](const Context& c) { return run_demo(c, demo_); });
    demo->add_option("--rows", demo_.rows, "Rows of the generated orders table")
        ->capture_default_str()
        ->check(CLI::Range(1, 50'000'000));
  }

  void add_serving(CLI::App* sub) {
    sub->add_option("--address", serve_.address, "Address to listen on")->capture_default_str();
    sub->add_option("--port", serve_.port, "Port; 0 takes one that is free")->capture_default_str();
    sub->add_option("--tls-cert", serve_.certificate, "PEM file with the chain of certificates");
    sub->add_option("--tls-key", serve_.private_key, "PEM file with its private key");
    sub->add_option("--operator-port", serve_.operator_port,
                    "Port on this machine for the operators' API and /metrics; 0 takes a free one");
    sub->add_option("--trusted-proxy", serve_.trusted_proxies,
                    "Address of a proxy whose X-Forwarded-For and -Proto are believed; repeatable");
    sub->add_option("--drill-sample", serve_.drill_sample,
                    "Organisations drilled each quarter by itself; 0: none")
        ->check(CLI::Range(0, 10'000));
    sub->add_option("--job-workers", serve_.job_workers, "Long operations at a time")
        ->capture_default_str()
        ->check(CLI::Range(1, 64));
    sub->add_option("--scrub-days", serve_.scrub_days,
                    "Within so many days everything that is stored is read back and verified")
        ->capture_default_str()
        ->check(CLI::Range(1, 3650));
    sub->add_option("--scrub-rate", serve_.scrub_rate_mib, "MiB a second for that; 0: no bound")
        ->capture_default_str()
        ->check(CLI::Range(0, 100'000));
    sub->add_option("--drain", serve_.drain_seconds,
                    "Seconds to go on serving after SIGTERM, while /readyz says 503")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    sub->add_flag("--strict", serve_.strict,
                  "Do not start while `oa-backup doctor` finds a promise broken");
    sub->add_option("--log", serve_.log, "File for the log, a JSON object a line; - for stderr");
  }

  void add_cluster() {
    auto* group = app_.add_subcommand("cluster", "A Postgres cluster that is there already");
    group->require_subcommand(1);
    group->fallthrough();
    auto* setup = command(group, "setup", "Make it ready for this service; once, and again at will",
                          "oa-backup cluster setup --config /etc/oa/oa.json --data /srv/oa",
                          [this](const Context& c) { return run_cluster_setup(c, cluster_); });
    setup->add_option("--superuser", cluster_.superuser, "Role that sets up")->capture_default_str();
    setup->add_option("--superuser-passfile", cluster_.superuser_passfile,
                      "libpq passfile with its password, else that of the deployment file");
    setup->add_flag("--replace-archiving", cluster_.replace_archiving,
                    "Even when the cluster archives its log elsewhere, whose backups end then");
    setup->add_option("--continuity", cluster_.continuity_folder,
                      "Where backups and log go, best on another volume; at the first time");
  }

  void add_tenant() {
    auto* tenant = app_.add_subcommand("tenant", "Make, list, show, change and import tenants");
    tenant->require_subcommand(1);
    tenant->fallthrough();
    auto* create = command(tenant, "create", "Make a blank tenant on its own key",
                           "oa-backup tenant create Acme --plan growth",
                           [this](const Context& c) { return run_tenant_create(c, tenant_); });
    create->add_option("name", tenant_.name, "Name")->required();
    create->add_option("--plan", tenant_.plan, "starter, growth or scale")->capture_default_str();
    command(tenant, "list", "List tenants", "oa-backup tenant list --json", run_tenant_list);
    auto* set_plan = command(tenant, "set-plan", "Change what a tenant's plan is",
                             "oa-backup tenant set-plan Acme scale",
                             [this](const Context& c) { return run_tenant_set_plan(c, tenant_); });
    set_plan->add_option("tenant", tenant_.name, "Id or name")->required();
    set_plan->add_option("plan", tenant_.plan, "starter, growth or scale")->required();
    command(tenant, "show", "List what a tenant owns, with ids", "oa-backup tenant show Demo",
            [this](const Context& c) { return run_tenant_show(c, tenant_); })
        ->add_option("tenant", tenant_.name, "Id or name")
        ->required();
    auto* import =
        command(tenant, "import", "Make a tenant out of an archive",
                "oa-backup tenant import acme.oa-archive --name \"Acme 2\" --plan growth --owner "
                "ada@acme.example --trust acme.pub",
                [this](const Context& c) { return run_tenant_import(c, import_); });
    import
        ->add_option("archive", import_.archive,
                     "Archive file, or an archive's id with --from-tenant")
        ->required();
    import->add_option("--name", import_.name, "Name of the new tenant")->required();
    import->add_option("--plan", import_.plan, "starter, growth or scale")->capture_default_str();
    import->add_option("--owner", import_.owner, "E-mail of its Owner, who is invited afterwards")
        ->required();
    import->add_option("--from-tenant", import_.from_tenant,
                       "Tenant that has the archive and whose signature is trusted");
    import->add_flag("--leave-out-blocked", import_.leave_out_blocked,
                     "Import the rest when something is blocked");
    archive_cli::add_trust_options(*import, import_.trust);
  }

  CLI::App* key_command(CLI::App* keys, const std::string& name, const std::string& what,
                        const std::string& example,
                        Status (*run)(const Context&, const KeyOptions&)) {
    auto* sub =
        command(keys, name, what, example, [this, run](const Context& c) { return run(c, keys_); });
    sub->add_option("tenant", keys_.tenant, "Id or name")->required();
    return sub;
  }

  void add_keys() {
    auto* keys =
        app_.add_subcommand("keys", "Keys that sign a tenant's archives, trusted ones, and those that seal its data");
    keys->require_subcommand(1);
    keys->fallthrough();
    key_command(keys, "list", "Public keys, the retired ones too", "oa-backup keys list Demo",
                run_keys_list);
    key_command(keys, "rotate", "Sign with a new key from now on", "oa-backup keys rotate Demo",
                run_keys_rotate);
    key_command(keys, "accepted", "Signers whose archives are trusted beside the tenant's own",
                "oa-backup keys accepted Demo", run_keys_accepted);
    auto* accept = key_command(keys, "accept", "Trust archives of another signer from now on",
                               "oa-backup keys accept Demo --public-key acme.pub --fingerprint "
                               "64-HEX-DIGITS --owner ada@example.com",
                               run_keys_accept);
    accept->add_option("--public-key", keys_.public_key, "minisign public key file of the signer")
        ->required();
    accept->add_option("--note", keys_.note, "Why, for those who look later");
    auto* revoke = key_command(
        keys, "revoke", "Trust an accepted signer, or a retired key, no more",
        "oa-backup keys revoke Demo --fingerprint 64-HEX-DIGITS --owner ada@example.com",
        run_keys_revoke);
    for (auto* decision : {accept, revoke}) {
      decision
          ->add_option("--fingerprint", keys_.fingerprint,
                       "What the signer told the Owner by another way")
          ->required();
      decision->add_option("--owner", keys_.owner, "E-mail of the Owner who decides")->required();
    }
    add_encryption_commands(*keys, *app_.get_subcommand("tenant"), encryption_,
                            [this](CLI::App* parent, const std::string& name, const std::string& what,
                                   const std::string& example, Command run) {
                              return command(parent, name, what, example, std::move(run));
                            });
  }

  CLI::App* archive_command(CLI::App* parent, const std::string& name, const std::string& what,
                            const std::string& example, Command run) {
    auto* sub = command(parent, name, what, example, std::move(run));
    sub->add_option("archive", archive_.read.archive,
                    "Archive file, or the id of an archive in store")
        ->required();
    sub->add_option("--tenant", archive_.tenant,
                    "Tenant that has it in store, and whose signature is trusted");
    archive_cli::add_trust_options(*sub, archive_.read.trust);
    return sub;
  }

  void add_archive() {
    auto* archive = app_.add_subcommand("archive", "Make, list, verify and read archives");
    archive->require_subcommand(1);
    archive->fallthrough();
    auto* create = command(archive, "create", "Make an archive of a tenant",
                           "oa-backup archive create --tenant Demo --rows --output demo.oa-archive",
                           [this](const Context& c) { return run_archive_create(c, create_); });
    create->add_option("--tenant", create_.tenant, "Id or name")->required();
    create->add_flag("--rows", create_.rows, "With the imported rows");
    create->add_flag("--audit", create_.audit, "With the audit events");
    create
        ->add_option("--workspace", create_.workspaces, "Only this workspace (id; may be repeated)")
        ->take_all();
    create->add_option("--output", create_.output, "Save it as a file too");
    command(archive, "list", "List archives in store", "oa-backup archive list --tenant Demo",
            [this](const Context& c) { return run_archive_list(c, create_.tenant); })
        ->add_option("--tenant", create_.tenant, "Id or name")
        ->required();
    for (const auto& each : archive_cli::read_commands()) {
      auto* sub = archive_command(
          archive, each.name, each.what,
          std::string("oa-backup archive ").append(each.name).append(" ").append(each.example),
          [this, &each](const Context& c) { return run_archive_read(c, each, archive_); });
      each.add_options(*sub, archive_.read);
    }
    add_diff(archive);
    archive_command(archive, "probe",
                    "Open the reports that an archive has digests of, and compare what they show",
                    "oa-backup archive probe demo.oa-archive --tenant Demo",
                    [this](const Context& c) { return run_archive_probe(c, archive_); });
    add_removal(archive);
    archive_command(archive, "download", "Save an archive from the store as a file",
                    "oa-backup archive download ID --tenant Demo --output demo.oa-archive",
                    [this](const Context& c) { return run_archive_download(c, archive_); })
        ->add_option("--output", archive_.read.output, "File")
        ->required();
  }

  void add_removal(CLI::App* archive) {
    auto* remove = command(archive, "delete", "Delete an archive from the store for good",
                           "oa-backup archive delete ID --tenant Demo",
                           [this](const Context& c) { return run_archive_delete(c, delete_); });
    remove->add_option("archive", delete_.id, "Id, as `archive list` shows it")->required();
    remove->add_option("--tenant", delete_.tenant, "Id or name")->required();
    remove->add_flag("--yes", delete_.yes, "Delete without asking");
    command(archive, "sweep", "Remove what interrupted calls left of archives",
            "oa-backup archive sweep --tenant Demo",
            [this](const Context& c) { return run_archive_sweep(c, delete_.tenant); })
        ->add_option("--tenant", delete_.tenant, "Id or name")
        ->required();
  }

  void add_diff(CLI::App* archive) {
    auto* diff =
        command(archive, "diff", "Show what differs between two archives, or an archive and now",
                "oa-backup archive diff monday.oa-archive friday.oa-archive --tenant Demo",
                [this](const Context& c) { return run_archive_diff(c, diff_); });
    diff->add_option("before", diff_.archives.before,
                     "Archive file, or the id of an archive in store")
        ->required();
    diff->add_option("after", diff_.archives.after,
                     "The same; without it, what the tenant has now is compared");
    diff->add_option("--tenant", diff_.tenant,
                     "Tenant that has them in store, and whose signature is trusted");
    archive_cli::add_diff_options(*diff, diff_.archives);
  }

  CLI::App app_;
  GlobalOptions globals_;
  DemoOptions demo_;
  ServeOptions serve_;
  DoctorOptions doctor_;
  ClusterSetupOptions cluster_;
  TenantOptions tenant_;
  KeyOptions keys_;
  EncryptionOptions encryption_;
  AssetOptions assets_;
  PrivacyOptions privacy_;
  UserOptions users_;
  ContinuityOptions continuity_;
  ImportOptions import_;
  ArchiveCreateOptions create_;
  ArchiveOptions archive_;
  ArchiveDeleteOptions delete_;
  DiffOptions diff_;
  RestoreOptions restore_;
  NodeCommandOptions node_;
  StorageOptions storage_;
  DrillOptions drill_;
  Command chosen_;
};

int run_chosen(int argc, const char* const* argv) {
  Parser parser;
  if (const auto status = console::parse(parser.app(), argc, argv)) return *status;
  const Output output(parser.globals().json);
  int when_done = 0;
  const int status = console::run_command(output, [&](Progress& progress) {
    return parser.chosen()({parser.globals(), output, progress, when_done});
  });
  return status == 0 ? when_done : status;
}

}  // namespace

int run(int argc, const char* const* argv) {
  forbid_core_dumps();
  const int status = console::run_guarded(argc, argv, run_chosen);
  return calls_restore_wal(argc, argv) ? restore_wal_status(status) : status;
}

}  // namespace oa::cli
