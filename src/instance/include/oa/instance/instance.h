// One data folder with key store, sealed object store and private Postgres, opened as a whole; or with
// a Postgres cluster that is elsewhere.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oa/audit/audit.h"
#include "oa/catalog/database.h"
#include "oa/continuity/cell.h"
#include "oa/crypto/sign.h"
#include "oa/instance/deployment.h"
#include "oa/instance/erasure_gate.h"
#include "oa/instance/volume.h"
#include "oa/keys/key_service.h"
#include "oa/objects/replicated_store.h"
#include "oa/objects/sealed_objects.h"

namespace oa::instance {

struct Settings {
  std::string data_folder;
  /// Opens (and, for a new folder, seals) the key store instead of the root key file.
  std::optional<SecretBytes> passphrase;
  /// Make the folder's content when there is none. Otherwise kNotFound.
  bool create = false;
  /// Run the database server in this process rather than joining another's; for processes that
  /// last.
  bool run_server = false;
  /// Back the cluster up continuously from now on; a cell that is there is used in any case.
  bool continuous = false;
  /// Where backups and log go when the cell is made, best on another volume; empty: into the data
  /// folder. kConflict when they are elsewhere already.
  std::string continuity_folder;
  /// Commits wait until the receiver of the write-ahead log has them.
  bool synchronous = false;
  /// What is elsewhere. With a cluster no private Postgres is there, and run_server and synchronous
  /// mean nothing.
  Deployment deployment = {};
};

/// What a recovery of the cluster needs, opened while no server runs.
struct OfflineCell {
  std::unique_ptr<KeyService> keys;
  std::unique_ptr<ObjectStore> store;
  std::unique_ptr<continuity::Cell> cell;
  std::string data_folder, postgres_folder;
};
/// kNotFound when there is no instance, or nothing was backed up continuously; else as
/// Instance::open().
Result<OfflineCell> open_offline(const Settings& settings);
/// Makes of `folder`, whose `postgres` is a cluster that was recovered there, an instance of its own:
/// with a copy of the keys of `from` and its objects (hard links where that can be). kConflict when it
/// is an instance already.
Status adopt_recovered(const OfflineCell& from, const std::string& folder);

/// The buckets of a deployment.
struct BucketSettings {
  std::optional<S3Settings> primary, replica;
};

/// Everything the domain needs, wired. Owns it; what it hands out must not outlive it. Call open()
/// on the main thread (see EmbeddedPostgres). The database and the stores are safe for use from
/// several threads.
class Instance {
 public:
  /// Errors with hints: kInvalidArgument (a folder that is not ours, or of a cluster that is not
  /// given), kConflict (a cluster is given and the folder has a private Postgres), kKeyStoreMissing,
  /// kKeyWrong, and those of EmbeddedPostgres or, of a cluster, kDatabaseUnavailable. Nothing that
  /// exists is ever replaced.
  static Result<std::unique_ptr<Instance>> open(const Settings& settings);
  /// True when `folder` was made by this program.
  static bool exists(const std::string& folder);
  ~Instance();

  /// This instance over another database of the same tenants, as its cluster recovered beside it: with
  /// the same keys and objects, no cell, and a gate of its own, which is closed. What is written or
  /// removed there concerns the objects of this one. kDatabaseUnavailable, the errors of a migration.
  Result<std::unique_ptr<Instance>> over(const catalog::ConnectionSettings& database);

  catalog::Database& database();
  SealedObjects& objects();
  KeyService& keys();
  /// The bucket that objects are written to, past its replica; null when they are in the folder.
  S3Store* bucket();
  /// The bucket's copy in another region, by itself; null when there is none.
  S3Store* replica();
  /// What objects() reads and writes with when there is a replica; else null.
  ReplicatedStore* replicated();
  /// What backs the cluster up continuously; null when nothing does.
  continuity::Cell* cell();
  const std::string& data_folder() const;
  /// Where objects are; empty when they are in the folder.
  const BucketSettings& bucket_settings() const;
  /// Whether database and object store (or its replica) answer; quick. kDatabaseUnavailable, kIo.
  Status check();
  VolumeEncryption volume() const;
  /// Who was erased stays erased: nobody may be served, and no tenant's data read or changed, before
  /// its replay() succeeded.
  ErasureGate& erasures();
  /// Whether the tenant's key may be used, as the provider said within the last seconds:
  /// kKeyDisabled, kKeyDestroyed. While the provider does not answer, what it said last holds.
  Status check_key(TenantId tenant);

  /// A new tenant with its own key, its own signing key and nothing else; one of this name and plan
  /// that was cut short when it was made is completed. kAlreadyExists for the name.
  Result<catalog::Tenant> provision_tenant(const std::string& name, catalog::Plan plan);
  struct BlankTenant {
    catalog::Tenant tenant;
    UserId owner;       // who `owner` became: its id, or that of the one who is there already
    bool made = false;  // otherwise an interrupted import had made it
  };
  /// The tenant that an archive is imported into: a new one, or the one of this name that an import
  /// which did not come to its end has left. In it is nobody but `owner`, as an inactive Owner
  /// without credentials until invited. kAlreadyExists when the name is that of a tenant on another
  /// plan, or of one with workspaces, other people or an applied restore.
  Result<BlankTenant> blank_tenant(const std::string& name, catalog::Plan plan,
                                   const catalog::User& owner);
  /// What blank_tenant() would say of a name that exists, and nothing made: to know before an
  /// archive is read. That the name can be one is not looked at.
  Status check_blank_tenant(const std::string& name, catalog::Plan plan,
                            const std::string& owner_email);
  /// The key that signs the tenant's archives now.
  Result<SigningKey> signing_key(TenantId tenant);
  /// The tenant's own public keys, present and past, but for revoked ones.
  Result<std::vector<PublicKey>> own_keys(TenantId tenant);
  /// Public keys whose signature the tenant trusts: its own and those of accepted signers.
  Result<std::vector<PublicKey>> trusted_keys(TenantId tenant);
  /// Replaces the signing key; older archives stay trusted. `by`: none for the operator.
  Result<PublicKey> rotate_signing_key(TenantId tenant, std::optional<UserId> by = std::nullopt);

  // What follows is written to the audit chain, in the Owner's name.

  /// Trusts archives signed by `key` until it is revoked. `fingerprint` is what the Owner was told
  /// by the signer; upper or lower case. kInvalidArgument when it is not the key's; kAlreadyExists
  /// when the key is trusted; kPermissionDenied unless `owner` is an active Owner of the tenant.
  Status accept_signer(TenantId tenant, const PublicKey& key, std::string_view fingerprint,
                       UserId owner, const std::string& note = {});
  /// Ends the trust in an accepted signer or in a retired key of the tenant's own: archives signed
  /// by it, undo archives too, are refused from now on. kNotFound; kConflict for the key that signs
  /// now; kPermissionDenied as above.
  Status revoke_signer(TenantId tenant, std::string_view fingerprint, UserId owner);
  /// All there were, oldest first, the revoked ones too.
  Result<std::vector<catalog::AcceptedSigner>> accepted_signers(TenantId tenant);

 private:
  struct State;
  explicit Instance(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oa::instance
