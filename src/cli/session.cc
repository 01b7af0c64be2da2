#include "session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "oa/archive_cli/passphrase.h"
#include "oa/base/io.h"
#include "oa/catalog/repositories.h"
#include "oa/restore/engine.h"

namespace oa::cli {
std::string default_data_folder() {
  if (const char* folder = std::getenv("OA_DATA"); folder != nullptr && *folder != '\0')
    return folder;
  if (geteuid() == 0) return "/var/lib/oa-backup";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/share/oa-backup";
}

std::string default_config_file() {
  const char* file = std::getenv("OA_CONFIG");
  return file == nullptr ? "" : file;
}

Status read_place(const GlobalOptions& options, instance::Settings& settings) {
  settings.data_folder = options.data_folder;
  if (!options.config_file.empty()) {
    OA_ASSIGN(settings.deployment, instance::read_deployment(options.config_file));
  }
  if (options.passphrase_file.empty()) return {};
  OA_ASSIGN(settings.passphrase, archive_cli::read_passphrase_file(options.passphrase_file));
  return {};
}

Result<std::unique_ptr<instance::Instance>> open_unfenced(const GlobalOptions& options,
                                                          instance::Settings settings) {
  OA_TRY(read_place(options, settings));
  return instance::Instance::open(settings);
}

Result<std::unique_ptr<instance::Instance>> open_instance(const GlobalOptions& options,
                                                          instance::Settings settings) {
  OA_ASSIGN(auto instance, open_unfenced(options, std::move(settings)));
  const auto replayed = instance->erasures().replay(no_progress());
  if (!replayed.ok()) return replayed.error();
  return instance;
}

Result<std::unique_ptr<instance::Instance>> open_instance(const GlobalOptions& options,
                                                          bool create) {
  instance::Settings settings;
  settings.create = create;
  return open_instance(options, std::move(settings));
}

namespace {

// Who may be trusted by which command, when a signer is not.
std::string accepting_hint(const RangedSource& source, const catalog::Tenant* tenant,
                           std::string_view tenant_option) {
  if (tenant == nullptr) return fmt::format("; or {} for one of its own archives", tenant_option);
  const auto seen = archive::ArchiveReader::open(source, {{}, true});
  if (!seen.ok()) return {};
  return fmt::format(
      "; or an Owner accepts it for good: `oa-backup keys accept {} --public-key KEYFILE "
      "--fingerprint {} --owner EMAIL`",
      shell_word(*tenant), (*seen)->manifest().signer.fingerprint());
}

}  // namespace

bool is_archive_id(const std::string& name) { return Uuid::parse(name).ok(); }

Result<NamedArchive> open_archive(const std::string& name, instance::Instance* instance,
                                  const catalog::Tenant* tenant, const TrustOptions& trust,
                                  std::string_view tenant_option) {
  std::vector<PublicKey> trusted;
  if (instance != nullptr && tenant != nullptr) {
    OA_ASSIGN(trusted, instance->trusted_keys(tenant->id));
  }
  NamedArchive opened;
  if (!is_archive_id(name)) {
    OA_ASSIGN(opened.source, FileSource::open(name));
  } else {
    if (instance == nullptr || tenant == nullptr) {
      return make_error(ErrorCode::kInvalidArgument, "archive.open",
                        "an archive in store belongs to a tenant")
          .with_hint(fmt::format("add {} NAME, or name a file", tenant_option));
    }
    OA_ASSIGN(auto transaction,
              instance->database().begin(tenant->id, catalog::Isolation::kSnapshot));
    OA_ASSIGN(const auto record, catalog::Archives(transaction).get(*ArchiveId::parse(name)));
    const ObjectKey key{tenant->id, RetentionClass::kArchives, record.object_name};
    OA_ASSIGN(opened.source, instance->objects().open(key, VersionId{record.object_version}));
  }
  auto reader = archive_cli::open_trusted(*opened.source, std::move(trusted), trust);
  if (!reader.ok() && reader.error().code == ErrorCode::kArchiveUntrustedSigner) {
    auto error = std::move(reader).error();
    error.hint += accepting_hint(*opened.source, tenant, tenant_option);
    return error;
  }
  if (!reader.ok()) return std::move(reader).error();
  opened.reader = std::move(reader).value();
  return opened;
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@=+,-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

std::string shell_word(const catalog::Tenant& tenant) {
  const std::string& name = tenant.name;
  if (name.empty() || name.front() == '-' || console::printable(name) != name)
    return tenant.id.str();
  return shell_word(name);
}

Status confirm(const Output& output, const catalog::Tenant& tenant, std::string_view what,
               const Error& unattended) {
  if (output.json() || isatty(STDIN_FILENO) != 1) return unattended;
  OA_TRY(Output::flush());  // what could not be shown cannot be confirmed
  fmt::print("Type the tenant's name ({}) {}: ", tenant.name, what);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == tenant.name) return {};
  return make_error(ErrorCode::kCancelled, unattended.op, "not confirmed; nothing was changed");
}

Status tell_applied(RestoreId restore, const catalog::Tenant& tenant,
                    const std::function<Status()>& tell) {
  Status told = tell();
  if (told.ok()) told = Output::flush();
  if (told.ok() || Output::reader_gone()) return {};
  return make_error(told.error().code, "restore.result",
                    fmt::format("the restore {} was applied, but its result could not be written",
                                restore.str()))
      .with_hint(
          fmt::format("do not run it again: `oa-backup restore show {} --tenant {}` shows it",
                      restore.str(), shell_word(tenant)))
      .with_cause(told.error().cause);
}

}  // namespace oa::cli
