#include "session.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "oa/base/io.h"
#include "oa/catalog/repositories.h"
#include "oa/restore/apply.h"

namespace oa::cli {
namespace {

constexpr std::uint64_t kMaxPassphraseBytes = 4096;
constexpr std::uint64_t kMaxKeyFileBytes = 4096;

Result<SecretBytes> read_passphrase(const std::string& path) {
  OA_ASSIGN(Bytes bytes, read_file(path, kMaxPassphraseBytes));
  const auto end = std::find(bytes.begin(), bytes.end(), '\n');
  auto passphrase =
      SecretBytes::copy_of({bytes.data(), static_cast<std::size_t>(end - bytes.begin())});
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
  if (!passphrase.empty()) return passphrase;
  return make_error(ErrorCode::kInvalidArgument, "passphrase",
                    "the first line of " + path + " is empty");
}

Result<archive::TrustPolicy> trust_policy(instance::Instance* instance,
                                          const catalog::Tenant* tenant,
                                          const TrustOptions& options) {
  archive::TrustPolicy policy;
  if (instance != nullptr && tenant != nullptr) {
    OA_ASSIGN(policy.trusted, instance->trusted_keys(tenant->id));
  }
  for (const auto& path : options.key_files) {
    OA_ASSIGN(const Bytes text, read_file(path, kMaxKeyFileBytes));
    OA_ASSIGN(const auto key, PublicKey::parse_file(as_text(text)));
    policy.trusted.push_back(key);
  }
  return policy;
}

// A fingerprint on the command line accepts exactly that signer: look who signed, then open again
// with its key trusted.
Result<std::unique_ptr<archive::ArchiveReader>> open_reader(const RangedSource& source,
                                                            archive::TrustPolicy policy,
                                                            const TrustOptions& options) {
  if (options.fingerprints.empty()) return archive::ArchiveReader::open(source, policy);
  auto look = policy;
  look.accept_unknown_signer = true;
  OA_ASSIGN(const auto seen, archive::ArchiveReader::open(source, look));
  const auto& signer = seen->manifest().signer;
  const auto& accepted = options.fingerprints;
  if (std::find(accepted.begin(), accepted.end(), signer.fingerprint()) != accepted.end())
    policy.trusted.push_back(signer);
  return archive::ArchiveReader::open(source, policy);
}

}  // namespace

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
    OA_ASSIGN(settings.passphrase, read_passphrase(options.passphrase_file));
  }
  return instance::Instance::open(settings);
}

bool is_archive_id(const std::string& name) { return Uuid::parse(name).ok(); }

Result<NamedArchive> open_archive(const std::string& name, instance::Instance* instance,
                                  const catalog::Tenant* tenant, const TrustOptions& trust) {
  OA_ASSIGN(const auto policy, trust_policy(instance, tenant, trust));
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
  auto reader = open_reader(*opened.source, policy, trust);
  if (!reader.ok() && reader.error().code == ErrorCode::kArchiveUntrustedSigner) {
    auto error = std::move(reader).error();
    error.hint +=
        "; here: --accept-signer FINGERPRINT, --trust KEYFILE, or --tenant for one of its own "
        "archives";
    return error;
  }
  if (!reader.ok()) return std::move(reader).error();
  opened.reader = std::move(reader).value();
  return opened;
}

}  // namespace oa::cli
