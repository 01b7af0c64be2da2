#include "oa/archive_cli/app.h"

#include <CLI/CLI.hpp>
#include <functional>

#include "oa/archive_cli/audit.h"
#include "oa/archive_cli/difference.h"
#include "oa/archive_cli/keys.h"
#include "oa/archive_cli/pack.h"
#include "oa/archive_cli/reading.h"
#include "oa/base/io.h"
#include "oa/console/program.h"
#include "oa/crypto/hash.h"
#include "oa/crypto/secret.h"

namespace oa::archive_cli {
namespace {

using console::Output;
using Command = std::function<Status(const Output&, Progress&)>;

constexpr auto kName = "oa-archive";

std::string version_text() {
  return std::string(kName) + " " + OA_VERSION + "\narchive format " +
         std::to_string(archive::kFormatMajor) + "." + std::to_string(archive::kFormatMinor);
}

// Binds options to structs that live as long as the parser, and remembers which command was chosen.
class Parser {
 public:
  Parser() : app_("Checks, reads and makes .oa-archive files. Needs nothing but itself.", kName) {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", version_text());
    app_.set_help_all_flag("--help-all", "Help of every command");
    app_.add_flag("--json", json_, "One JSON document instead of text");
    app_.footer(
        "Examples:\n"
        "  oa-archive verify demo.oa-archive --trust demo.pub --every-signature\n"
        "  oa-archive extract demo.oa-archive --trust demo.pub --output demo/\n"
        "  oa-archive keys new --secret me.key --public me.pub\n"
        "  oa-archive pack demo/ new.oa-archive --key me.key\n\n"
        "An archive is trusted by its signer's public key, which you have from its maker and not\n"
        "beside the archive. Keys are minisign's. --json goes with every command.\n\n" +
        console::exit_statuses());
    for (const auto& each : read_commands()) add_read(each);
    add_audit_log();
    add_diff();
    add_pack();
    add_keys();
  }

  CLI::App& app() { return app_; }
  bool json() const { return json_; }
  const Command& chosen() const { return chosen_; }
  /// The exit status of a command that succeeded.
  int when_done() const { return when_done_; }

 private:
  CLI::App* command(CLI::App& parent, const std::string& name, const std::string& what,
                    const std::string& example, Command run) {
    CLI::App* sub = parent.add_subcommand(name, what);
    sub->footer("Example:\n  " + example + "\n--json goes with every command (oa-archive --help).");
    sub->fallthrough();
    sub->callback([this, run = std::move(run)] { chosen_ = run; });
    return sub;
  }

  void add_read(const ReadCommand& each) {
    const auto run = [this, &each](const Output& output, Progress& progress) -> Status {
      OA_ASSIGN(const auto source, FileSource::open(read_.archive));
      OA_ASSIGN(const auto reader, open_trusted(*source, {}, read_.trust));
      return each.run(*reader, read_, output, progress);
    };
    auto* sub = command(app_, each.name, each.what,
                        std::string(kName) + " " + each.name + " " + each.example, run);
    sub->add_option("archive", read_.archive, "Archive file")->required();
    add_trust_options(*sub, read_.trust);
    each.add_options(*sub, read_);
  }

  void add_audit_log() {
    auto* sub = command(app_, "audit-log", "Check an audit chain that was taken out of an archive",
                        "oa-archive audit-log events.ndjson --tenant-id "
                        "7d1f0c52-7c5e-4a0e-9a4e-0b6f2a3c9d10",
                        [this](const Output& output, Progress& progress) {
                          return run_audit_log(audit_log_, output, progress);
                        });
    sub->add_option("file", audit_log_.file, "audit/events.ndjson of an archive")->required();
    sub->add_option("--tenant-id", audit_log_.tenant_id, "UUID of the tenant, out of the manifest")
        ->required();
    sub->add_option("--checkpoint", audit_log_.checkpoint_file,
                    "options.audit_checkpoint of the manifest, when there is one");
  }

  void add_diff() {
    auto* sub = command(app_, "diff", "Show by asset what differs between two archives",
                        "oa-archive diff monday.oa-archive friday.oa-archive --trust demo.pub",
                        [this](const Output& output, Progress& progress) {
                          return run_diff(diff_, output, progress, when_done_);
                        });
    sub->add_option("before", diff_.before, "Archive file")->required();
    sub->add_option("after", diff_.after, "Archive file")->required();
    add_diff_options(*sub, diff_);
  }

  void add_pack() {
    auto* sub = command(app_, "pack", "Put a folder's files into a signed archive",
                        "oa-archive pack demo/ demo.oa-archive --key me.key",
                        [this](const Output& output, Progress& progress) {
                          return run_pack(pack_, output, progress);
                        });
    sub->add_option("folder", pack_.folder, "Folder; its regular files are taken")->required();
    sub->add_option("file", pack_.file, "Archive to make, outside of the folder")->required();
    sub->add_option("--key", pack_.key_file, "minisign secret key file that signs")->required();
    add_passphrase_file(*sub, pack_.passphrase_file);
    sub->add_option("--level", pack_.level, "zstd level")
        ->capture_default_str()
        ->check(CLI::Range(1, 19));
    sub->add_option("--threads", pack_.threads,
                    "Threads, 0 for one per core; the archive does not depend on it")
        ->capture_default_str()
        ->check(CLI::Range(0, 256));
    sub->add_option("--archive-id", pack_.archive_id, "UUID of the archive (default: random)");
    sub->add_option("--snapshot-time", pack_.snapshot_time,
                    "Moment that the archive shows, as 2026-04-16T09:00:00Z (default: now)");
    sub->add_option("--tenant-id", pack_.tenant_id,
                    "UUID of the tenant that it belongs to (default: the nil UUID)");
    sub->add_flag("--force", pack_.force, "Replace the file when it exists");
  }

  static void add_passphrase_file(CLI::App& sub, std::string& file) {
    sub.add_option("--passphrase-file", file,
                   "File whose first line is the key's passphrase (default: ask)");
  }

  void add_keys() {
    auto* keys = app_.add_subcommand("keys", "Make and show keys that sign archives");
    keys->require_subcommand(1);
    keys->fallthrough();
    const auto bound = [this](auto run) {
      return [this, run](const Output& output, Progress& progress) {
        return run(keys_, output, progress);
      };
    };
    auto* make =
        command(*keys, "new", "Make a key pair in minisign's formats",
                "oa-archive keys new --secret me.key --public me.pub", bound(run_keys_new));
    make->add_option("--secret", keys_.secret_file, "Secret key file to make")->required();
    make->add_option("--public", keys_.public_file, "Public key file to make")->required();
    auto* passphrase = make->add_option("--passphrase-file", keys_.passphrase_file,
                                        "File whose first line is its passphrase (default: ask)");
    make->add_flag("--no-passphrase", keys_.no_passphrase, "Write the secret key unencrypted")
        ->excludes(passphrase);
    auto* show = command(*keys, "show", "Show key id, fingerprint and public key of key files",
                         "oa-archive keys show me.pub", bound(run_keys_show));
    show->add_option("file", keys_.files, "Public or secret key file")->required();
    add_passphrase_file(*show, keys_.passphrase_file);
    auto* change =
        command(*keys, "change-passphrase", "Encrypt a secret key file anew",
                "oa-archive keys change-passphrase me.key", bound(run_keys_change_passphrase));
    change->add_option("file", keys_.secret_file, "Secret key file")->required();
    add_passphrase_file(*change, keys_.passphrase_file);
    auto* renewed =
        change->add_option("--new-passphrase-file", keys_.new_passphrase_file,
                           "File whose first line is the new passphrase (default: ask)");
    change->add_flag("--no-passphrase", keys_.no_passphrase, "Write the secret key unencrypted")
        ->excludes(renewed);
  }

  CLI::App app_;
  bool json_ = false;
  int when_done_ = 0;
  ReadOptions read_;
  AuditLogOptions audit_log_;
  DiffOptions diff_;
  PackOptions pack_;
  KeysOptions keys_;
  Command chosen_;
};

int run_chosen(int argc, const char* const* argv) {
  Parser parser;
  if (const auto status = console::parse(parser.app(), argc, argv)) return *status;
  const Output output(parser.json());
  const int status = console::run_command(
      output, [&](Progress& progress) { return parser.chosen()(output, progress); });
  return status == 0 ? parser.when_done() : status;
}

}  // namespace

int run(int argc, const char* const* argv) {
  forbid_core_dumps();
  ignore_openssl_configuration();
  return console::run_guarded(argc, argv, run_chosen);
}

}  // namespace oa::archive_cli
