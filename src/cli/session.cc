#include "session.h"

#include <unistd.h>

#include <cstdlib>

#include "oa/archive_cli/passphrase.h"
#include "oa/base/io.h"
#include "oa/catalog/repositories.h"
#include "oa/restore/apply.h"

namespace oa::cli {
std::string default_data_folder() {
  if (const char* folder = std::getenv("OA_DATA"); folder != nullptr && *folder != '\0')
    return folder;
  if (geteuid() == 0) return "/var/lib/oa-backup";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/share/oa-backup";
}

Result<std::unique_ptr<instance::Instance>> open_instance(const GlobalOptions& options, bool create,
                                                          bool run_server) {
  instance::Settings settings;
  settings.data_folder = options.data_folder;
  settings.create = create;
  settings.run_server = run_server;
  if (!options.passphrase_file.empty()) {
    OA_ASSIGN(settings.passphrase, archive_cli::read_passphrase_file(options.passphrase_file));
  }
  return instance::Instance::open(settings);
}

bool is_archive_id(const std::string& name) { return Uuid::parse(name).ok(); }

Result<NamedArchive> open_archive(const std::string& name, instance::Instance* instance,
                                  const catalog::Tenant* tenant, const TrustOptions& trust) {
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
          .with_hint("add --tenant NAME, or name a file");
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
    error.hint += "; or --tenant for one of its own archives";
    return error;
  }
  if (!reader.ok()) return std::move(reader).error();
  opened.reader = std::move(reader).value();
  return opened;
}

}  // namespace oa::cli
