// The embedded default: one data folder with key store, sealed object store and private Postgres,
// opened as a whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oa/catalog/audit.h"
#include "oa/catalog/database.h"
#include "oa/crypto/sign.h"
#include "oa/instance/volume.h"
#include "oa/keys/key_service.h"
#include "oa/objects/sealed_objects.h"

namespace oa::instance {

struct Settings {
  std::string data_folder;
  /// Opens (and, for a new folder, seals) the key store instead of the root key file.
  std::optional<SecretBytes> passphrase;
  /// Make the folder's content when there is none. Otherwise kNotFound.
  bool create = false;
  /// Run the database server in this process rather than joining another's; for processes that last.
  bool run_server = false;
};

/// Everything the domain needs, wired. Owns it; what it hands out must not outlive it. Call open()
/// on the main thread (see EmbeddedPostgres). The database and the stores are safe for use from
/// several threads.
class Instance {
 public:
  /// Errors with hints: kInvalidArgument (a folder that is not ours), kKeyStoreMissing, kKeyWrong,
  /// and those of EmbeddedPostgres. Nothing that exists is ever replaced.
  static Result<std::unique_ptr<Instance>> open(const Settings& settings);
  /// True when `folder` was made by this program.
  static bool exists(const std::string& folder);
  ~Instance();

  catalog::Database& database();
  SealedObjects& objects();
  KeyService& keys();
  const std::string& data_folder() const;
  VolumeEncryption volume() const;

  /// A new tenant with its own key, its own signing key and nothing else. kAlreadyExists for the
  /// name.
  Result<catalog::Tenant> provision_tenant(const std::string& name, catalog::Plan plan);
  /// The key that signs the tenant's archives now.
  Result<SigningKey> signing_key(TenantId tenant);
  /// Public keys whose signature the tenant trusts: its own, present and past.
  Result<std::vector<PublicKey>> trusted_keys(TenantId tenant);
  /// Replaces the signing key; older archives stay trusted.
  Result<PublicKey> rotate_signing_key(TenantId tenant);

 private:
  struct State;
  explicit Instance(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::instance
