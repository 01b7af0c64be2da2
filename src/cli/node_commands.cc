#include "node_commands.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "oa/archive_cli/passphrase.h"
#include "oa/base/io.h"
#include "oa/continuity/node.h"
#include "oa/instance/deployment.h"
#include "oa/keys/local_key_service.h"
#include "oa/postgres/process.h"
#include "oa/wal/restore_server.h"

namespace oa::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* kOp = "node";
// Of a command that succeeded in finding out that the file is not there; no error has it.
constexpr int kNotThere = 200;
constexpr std::size_t kMaxNodeFile = 64 << 10;

Result<NodeOptions> resolve(const Context& context, NodeOptions options) {
  if (!options.file.empty()) {
    OA_ASSIGN(const Bytes text, read_file(options.file, kMaxNodeFile));
    const auto document = parse_json(as_text(text), {kMaxNodeFile, 4});
    if (!document.ok()) return document.error();
    ObjectReader reader(*document, options.file);
    const auto cell = reader.optional_text("cell"), keys = reader.optional_text("keys");
    options.config_file = reader.optional_text("config").value_or("");
    OA_TRY(reader.finish());
    if (options.cell_folder.empty()) options.cell_folder = cell.value_or("");
    if (options.key_folder.empty()) options.key_folder = keys.value_or("");
  }
  if (options.config_file.empty() && options.key_folder.empty())
    options.config_file = context.options.config_file;
  const bool keys_named = options.key_folder.starts_with('/') || !options.config_file.empty();
  if (options.cell_folder.starts_with('/') && keys_named) return options;
  return make_error(ErrorCode::kInvalidArgument, kOp, "where the cell and its keys are is not said")
      .with_hint(
          "absolute paths, as --cell FOLDER --keys FOLDER, or \"cell\" and \"keys\" in a file that "
          "--node names; for keys with a provider, \"config\" instead of \"keys\"");
}

std::string store_in(const std::string& key_folder) { return key_folder + "/keystore"; }
std::string root_in(const std::string& key_folder) { return key_folder + "/root.key"; }

Result<RootKeySource> root_of(const Context& context, const NodeOptions& node) {
  RootKeySource root;
  if (!context.options.passphrase_file.empty()) {
    OA_ASSIGN(root.passphrase, archive_cli::read_passphrase_file(context.options.passphrase_file));
  } else {
    root.key_file = root_in(node.key_folder);
  }
  return root;
}

Result<std::unique_ptr<KeyService>> open_keys(const Context& context, const NodeOptions& node) {
  if (!node.config_file.empty()) {
    OA_ASSIGN(const auto deployment, instance::read_deployment(node.config_file));
    if (deployment.keys.has_value())
      return instance::open_key_provider(*deployment.keys, node.cell_folder + "/token.lock");
    if (node.key_folder.empty()) {
      return make_error(ErrorCode::kInvalidArgument, kOp,
                        "the deployment file names no provider of keys: " + node.config_file)
          .with_hint("name the folder with the node's keys: --keys FOLDER");
    }
  }
  OA_ASSIGN(const RootKeySource root, root_of(context, node));
  return LocalKeyService::open(store_in(node.key_folder), root);
}

// A line of the server's log.
Status in_one_line(const Context& context, const Status& done) {
  if (done.ok() || context.output.json()) return done;
  const Error& error = done.error();
  std::string line = fmt::format("error: {} [{}]", error.message, error_info(error.code).name);
  if (!error.hint.empty()) line += "; " + error.hint;
  if (!error.cause.empty()) line += "; cause: " + error.cause;
  fmt::print(stderr, "{}\n", console::printable(line));
  context.exit_status = error_info(error.code).exit_status;
  return {};
}

Result<wal::RestoreAnswer> restore_piece(const Context& context, const RestoreWalOptions& options) {
  if (!options.socket.empty())
    return wal::restore_wal(options.socket, options.file, options.target);
  OA_ASSIGN(const NodeOptions node, resolve(context, options.node));
  OA_ASSIGN(const std::string data, continuity::data_folder_of(options.target));
  OA_ASSIGN(const auto keys, open_keys(context, node));
  OA_ASSIGN(const auto opened, continuity::Node::open({node.cell_folder, data}, *keys));
  return opened->restore_wal(options.file, options.target);
}

Status run_restore_wal(const Context& context, const RestoreWalOptions& options) {
  const auto answer = restore_piece(context, options);
  if (!answer.ok()) return in_one_line(context, answer.error());
  if (*answer == wal::RestoreAnswer::kNotThere) context.exit_status = kNotThere;
  return {};
}

Status archive_piece(const Context& context, const ArchiveWalOptions& options) {
  OA_ASSIGN(const NodeOptions node, resolve(context, options.node));
  OA_ASSIGN(const std::string data, continuity::data_folder_of(options.path));
  OA_ASSIGN(const auto keys, open_keys(context, node));
  OA_ASSIGN(const auto opened, continuity::Node::open({node.cell_folder, data}, *keys));
  return opened->archive_wal(options.path);
}

Status run_archive_wal(const Context& context, const ArchiveWalOptions& options) {
  return in_one_line(context, archive_piece(context, options));
}

// For Patroni's log: a line for each tenth.
class LinesOfProgress final : public Progress {
 public:
  explicit LinesOfProgress(Progress& asked) : asked_(asked) {}
  void begin(std::string_view step, std::uint64_t total, std::string_view) override {
    step_ = step;
    total_ = total;
    told_ = 0;
    fmt::print(stderr, "{} …\n", step);
  }
  void update(std::uint64_t done) override {
    constexpr std::uint64_t kTenths = 10;
    if (total_ == 0) return;
    const std::uint64_t tenths = std::min(done, total_) * kTenths / total_;
    if (tenths <= told_) return;
    told_ = tenths;
    fmt::print(stderr, "{}: {} %\n", step_, tenths * kTenths);
  }
  bool cancelled() const override { return asked_.cancelled(); }

 private:
  Progress& asked_;
  std::string step_;
  std::uint64_t total_ = 0, told_ = 0;
};

// For a shell in a setting of Postgres, which replaces %f and %p.
std::string setting_word(const std::string& text) {
  std::string word;
  for (const char c : shell_word(text)) word += c == '%' ? std::string("%%") : std::string(1, c);
  return word;
}

Result<std::string> restore_command(const Context& context, const NodeOptions& node) {
  std::error_code error;
  const std::string program = fs::read_symlink("/proc/self/exe", error);
  if (error) return errno_error(error.value(), kOp, "/proc/self/exe");
  std::string command = fmt::format("{} restore-wal --cell {}", setting_word(program),
                                    setting_word(node.cell_folder));
  if (!node.key_folder.empty()) command += " --keys " + setting_word(node.key_folder);
  if (!node.config_file.empty())
    command += " --config " + setting_word(fs::absolute(node.config_file, error).string());
  if (!context.options.passphrase_file.empty())
    command += " --passphrase-file " +
               setting_word(fs::absolute(context.options.passphrase_file, error).string());
  return command + " \"%f\" \"%p\"";
}

Status run_bootstrap_node(const Context& context, const BootstrapNodeOptions& options) {
  OA_ASSIGN(const NodeOptions node, resolve(context, options.node));
  if (int{options.replica} + int{!options.to.empty()} + int{!options.kept.empty()} != 1) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "say what the data folder is made of")
        .with_hint("one of --to TARGET, --replica, --kept FOLDER");
  }
  continuity::NodeBootstrap bootstrap;
  bootstrap.target = continuity::Target::latest();
  if (!options.label.empty()) bootstrap.label = options.label;
  if (!options.to.empty()) {
    OA_ASSIGN(bootstrap.target, continuity::Target::parse(options.to));
  }
  if (!options.replica) {
    OA_ASSIGN(bootstrap.restore_command, restore_command(context, node));
  }
  std::error_code error;
  const std::string data = fs::absolute(options.data_folder, error).lexically_normal();
  if (!options.kept.empty())
    bootstrap.kept_folder = fs::absolute(options.kept, error).lexically_normal();
  OA_ASSIGN(const auto keys, open_keys(context, node));
  OA_ASSIGN(const auto opened, continuity::Node::open({node.cell_folder, data}, *keys));
  LinesOfProgress progress(context.progress);
  OA_ASSIGN(const auto path, opened->bootstrap(bootstrap, progress));
  json::object document{{"backup", nullptr},
                        {"data_folder", data},
                        {"target", bootstrap.target.text()},
                        {"replica", options.replica}};
  if (path) document["backup"] = path->backup.label;
  context.output.document(document);
  const std::string from = path ? "restored " + path->backup.label : "moved " + options.kept;
  context.output.line(options.replica ? fmt::format("{} into {}", from, data)
                                      : fmt::format("{} into {}; its server recovers to {}", from,
                                                    data, bootstrap.target.text()));
  return {};
}

// The cell's key alone, for the account of the server.
Status run_node_keys(const Context& context, const NodeKeysOptions& options) {
  OA_ASSIGN(const NodeOptions node, resolve(context, options.node));
  if (node.key_folder.empty()) {
    return make_error(ErrorCode::kUnsupported, kOp, "a provider gives no key away")
        .with_hint("give the node a deployment file with the section `keys` alone, as \"config\"");
  }
  OA_ASSIGN(const RootKeySource root, root_of(context, node));
  OA_ASSIGN(const auto keys, LocalKeyService::open(store_in(node.key_folder), root));
  // Of the cell's servers none is asked for here.
  OA_ASSIGN(const auto opened, continuity::Node::open({node.cell_folder, "/"}, *keys));
  OA_ASSIGN(const auto account, postgres::server_account());
  if (::mkdir(options.into.c_str(), 0700) != 0)
    return errno_error(errno, kOp, "cannot make the folder " + options.into);
  OA_TRY(LocalKeyService::copy_key(store_in(node.key_folder), root, opened->cell(),
                                   store_in(options.into), {root_in(options.into), {}}));
  for (const auto& path : {store_in(options.into), root_in(options.into), options.into})
    if (account.other && ::chown(path.c_str(), account.uid, account.gid) != 0)
      return errno_error(errno, kOp, path);
  context.output.document(json::object{{"folder", options.into}, {"cell", opened->cell().str()}});
  context.output.line(fmt::format("{} has the key of the cell alone, for the account {} of a node",
                                  options.into, account.name));
  return {};
}

void add_node_options(CLI::App* sub, NodeOptions& node) {
  sub->add_option("--node", node.file, "File with the next two: {\"cell\": …, \"keys\": …}, or \"config\" for keys elsewhere");
  sub->add_option("--cell", node.cell_folder, "The cell's folder: repository and received log");
  sub->add_option("--keys", node.key_folder, "Folder of key store and root key");
}

}  // namespace

void add_node_commands(CLI::App& app, NodeCommandOptions& options, const AddCommand& add) {
  auto& restore = options.restore_wal;
  auto* sub = add(&app, "restore-wal",
                  "Give Postgres a piece of its log while it recovers (restore_command)",
                  "oa-backup restore-wal --node /etc/oa-backup/node.json \"%f\" \"%p\"\n"
                  "Exit status: 0 found, 1 not there, 126 trouble, which stops the recovery",
                  [&restore](const Context& c) { return run_restore_wal(c, restore); });
  sub->add_option("--socket", restore.socket, "Socket of the process that restores");
  add_node_options(sub, restore.node);
  sub->add_option("file", restore.file, "Name of the file")->required();
  sub->add_option("target", restore.target, "Where to put it")->required();

  auto& archive = options.archive_wal;
  sub = add(&app, "archive-wal",
            "Take a piece of the log into the repository (archive_command of a node)",
            "oa-backup archive-wal --node /etc/oa-backup/node.json \"%p\"\n"
            "Exit status 0: it is safely there",
            [&archive](const Context& c) { return run_archive_wal(c, archive); });
  add_node_options(sub, archive.node);
  sub->add_option("path", archive.path, "Path of the file")->required();

  auto& bootstrap = options.bootstrap;
  sub = add(&app, "bootstrap-node",
            "Make a node's data folder out of the repository (Patroni's custom bootstrap)",
            "oa-backup bootstrap-node --node /etc/oa-backup/node.json --to 2026-11-23T09:41:00Z "
            "--datadir /var/lib/postgresql/15/main",
            [&bootstrap](const Context& c) { return run_bootstrap_node(c, bootstrap); });
  add_node_options(sub, bootstrap.node);
  sub->add_option("--to", bootstrap.to,
                  "A moment with its offset, a place in the log (0/3000060), the name of a restore "
                  "point, or latest");
  sub->add_flag("--replica", bootstrap.replica,
                "The files of the newest backup alone, of which Patroni makes a replica");
  sub->add_option("--kept", bootstrap.kept,
                  "A data folder that was renamed, to go on from its end: it is moved");
  sub->add_option("--datadir", bootstrap.data_folder, "Empty, or not there yet")->required();
  sub->add_option("--backup", bootstrap.label, "Label of the backup to begin with");
  for (const char* told : {"--scope", "--role", "--connstring"})
    sub->add_option(told, bootstrap.ignored, "As Patroni calls it; makes no difference");

  auto& keys = options.keys;
  auto* copy = add(&app, "node-keys", "Make a folder of keys for a node: with the cell's key alone",
                   "oa-backup node-keys --cell /srv/cell --keys /srv/oa/keys --into node-keys",
                   [&keys](const Context& c) { return run_node_keys(c, keys); });
  add_node_options(copy, keys.node);
  copy->add_option("--into", keys.into, "A new folder, of the account of the server")->required();
}

bool calls_restore_wal(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--data" || argument == "--config" || argument == "--passphrase-file") {
      ++i;
    } else if (!argument.starts_with('-')) {
      return argument == "restore-wal";
    }
  }
  return false;
}

int restore_wal_status(int status) {
  if (status == 0) return wal::kRestoreFound;
  return status == kNotThere ? wal::kRestoreNotThere : wal::kRestoreTrouble;
}

}  // namespace oa::cli
