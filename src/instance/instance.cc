#include "oa/instance/instance.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "cluster.h"
#include "key_gate.h"
#include "key_place.h"
#include "object_keys.h"
#include "object_place.h"
#include "oa/base/io.h"
#include "oa/catalog/embedded_postgres.h"
#include "oa/catalog/repositories.h"
#include "oa/keys/local_key_service.h"

namespace oa::instance {
namespace {

namespace fs = std::filesystem;
constexpr char kMarker[] = "oneanalytics-instance";
constexpr char kMarkerText[] = "oneanalytics backup instance, layout 1\n";

struct Layout {
  std::string root;
  std::string marker() const { return root + "/" + kMarker; }
  KeyFolder keys() const { return {root}; }
  std::string objects() const { return root + "/objects"; }  // unless they are in a bucket
  std::string postgres() const { return root + "/postgres"; }
  std::string continuity() const { return root + "/continuity"; }
  std::string cluster() const { return root + "/cluster"; }  // says that the database is elsewhere
  continuity::CellSettings cell(bool create, bool synchronous) const {
    return {continuity(), postgres(), root + "/cell.json", create, synchronous};
  }
};

// Mode 0711: the account `postgres` must reach its folder below, and nobody needs to list this one.
Status make_folder(const std::string& path, unsigned mode) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return errno_error(errno, "instance.open", "cannot make the folder " + path);
  }
  if (::chmod(path.c_str(), mode) != 0)
    return errno_error(errno, "instance.open", "cannot set the mode of " + path);
  return {};
}

// Held while the content of a new folder is made, so that two first commands do not make it twice.
class FolderLock {
 public:
  FolderLock() = default;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  Status take(const std::string& folder) {
    fd_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0)
      return errno_error(errno, "instance.open", "cannot lock " + folder);
    return {};
  }

 private:
  int fd_ = -1;
};

// Nothing in it but what a first command that was killed has left.
bool unused(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with(std::string(kMarker) + ".partial"))
      return false;
  }
  return !error;
}

constexpr const char* kMakeOne =
    "make one with `oa-backup up` or `oa-backup demo`, or name its folder with --data";
constexpr const char* kMakeOneOfCluster =
    "make one with `oa-backup cluster setup`, or name its folder with --data";

Status prepare_folder(const Layout& layout, const Settings& settings, FolderLock& lock) {
  const bool create = settings.create;
  std::error_code error;
  const bool there = fs::exists(layout.root, error);
  if (there && create && fs::is_directory(layout.root, error)) OA_TRY(lock.take(layout.root));
  if (fs::exists(layout.marker(), error)) return {};
  if (there && !fs::is_directory(layout.root, error)) {
    return make_error(ErrorCode::kInvalidArgument, "instance.open",
                      layout.root + " is not a folder")
        .with_hint("name a folder with --data");
  }
  if (there && !unused(layout.root)) {
    return make_error(ErrorCode::kInvalidArgument, "instance.open",
                      layout.root + " holds files that are not of this program")
        .with_hint("name an empty or a new folder with --data");
  }
  if (!create) {
    return make_error(ErrorCode::kNotFound, "instance.open",
                      "there is no instance in " + layout.root)
        .with_hint(settings.deployment.cluster.has_value() ? kMakeOneOfCluster : kMakeOne);
  }
  OA_TRY(make_folder(layout.root, 0711));
  if (!there) OA_TRY(lock.take(layout.root));         // a folder that was there is locked already
  if (fs::exists(layout.marker(), error)) return {};  // another first command was quicker
  OA_ASSIGN(auto marker, AtomicFileSink::create(layout.marker(), false, 0600));
  OA_TRY(marker->write(as_bytes(kMarkerText)));
  return marker->commit();
}

RootKeySource root_key_of(const Layout& layout, const Settings& settings) {
  RootKeySource source;
  if (settings.passphrase.has_value()) {
    source.passphrase = settings.passphrase->clone();
  } else {
    source.key_file = layout.keys().root_key();
  }
  return source;
}

// A bucket is marked once its first object may come.
bool has_data(const Layout& layout) {
  std::error_code error;
  return fs::exists(layout.objects(), error) || fs::exists(layout.postgres(), error) ||
         fs::exists(layout.root + "/bucket.json", error);
}

Result<catalog::SigningKeyRecord> new_signing_key(KeyService& keys, TenantId tenant) {
  const SigningKey key = SigningKey::generate();
  catalog::SigningKeyRecord record;
  record.public_key = key.public_key().base64();
  const SecretBytes seed = key.seed();
  OA_ASSIGN(record.sealed_seed,
            seal_value(keys, tenant, KeyPurpose::kSigning, record.public_key, seed.view()));
  record.created_at = Timestamp::now();
  return record;
}

Error already_there(const std::string& name) {
  return make_error(ErrorCode::kAlreadyExists, "tenant.create",
                    "a tenant named \"" + name + "\" exists already")
      .with_hint("choose another name; `oa-backup tenant list` shows them");
}

// A private Postgres beside a cluster would be an empty database, and the other way round.
Status check_kind(const Layout& layout, const Deployment& deployment) {
  OA_TRY(check_object_place(layout.root, deployment));
  OA_TRY(check_key_place(layout.keys(), deployment));
  std::error_code error;
  if (!deployment.cluster.has_value()) {
    if (!fs::exists(layout.cluster(), error)) return {};
    return make_error(ErrorCode::kInvalidArgument, "instance.open",
                      "the database of this instance is in a cluster elsewhere")
        .with_hint("name its deployment file with --config or $OA_CONFIG");
  }
  if (!fs::exists(layout.postgres(), error)) return {};
  return make_error(ErrorCode::kConflict, "instance.open",
                    "this instance has a private Postgres: " + layout.postgres())
      .with_hint("name another folder with --data for the cluster's instance");
}

Status mark_cluster(const Layout& layout) {
  std::error_code error;
  if (fs::exists(layout.cluster(), error)) return {};
  OA_ASSIGN(auto mark, AtomicFileSink::create(layout.cluster(), true, 0600));
  OA_TRY(mark->write(as_bytes("the database is in a cluster elsewhere: --config FILE\n")));
  return mark->commit();
}

// Another folder is reached through a link of that name.
Status place_cell(const Layout& layout, const std::string& wanted) {
  std::error_code error;
  if (wanted.empty()) return {};
  const auto folder = fs::absolute(wanted, error).lexically_normal();
  const fs::path link = layout.continuity();
  if (fs::is_symlink(link, error) && fs::read_symlink(link, error) == folder) return {};
  if (fs::exists(fs::symlink_status(link, error))) {
    return make_error(ErrorCode::kConflict, "instance.open",
                      "this instance is backed up elsewhere already: " + link.string())
        .with_hint("while nothing runs, move that folder and leave a symbolic link in its place");
  }
  OA_TRY(make_folder(folder.string(), 0711));
  fs::create_directory_symlink(folder, link, error);
  if (error) return errno_error(error.value(), "instance.open", link.string());
  return {};
}

}  // namespace

struct Instance::State {
  Layout layout;
  BucketSettings buckets;
  VolumeEncryption volume = VolumeEncryption::kUnknown;
  // Shared by what is over another database.
  std::shared_ptr<KeyService> keys;
  std::shared_ptr<OpenObjects> store = std::make_shared<OpenObjects>();
  std::unique_ptr<RewrappedInDatabase> rewrapped;
  std::unique_ptr<SealedObjects> objects;
  std::unique_ptr<continuity::Cell> cell;
  std::unique_ptr<catalog::EmbeddedPostgres> postgres;
  std::unique_ptr<catalog::Database> database;
  KeyGate gate;
  std::unique_ptr<ErasureGate> erasures;

  void seal_objects();
  Status begin_chain(const catalog::Tenant& tenant);
  Status open_cell(const Settings& settings);
  Status start_postgres(const Settings& settings);
  Status connect(const catalog::ConnectionSettings& settings);
};

Instance::Instance(std::unique_ptr<State> state) : state_(std::move(state)) {}
Instance::~Instance() = default;

bool Instance::exists(const std::string& folder) {
  std::error_code error;
  return fs::exists(Layout{folder}.marker(), error);
}

Result<OfflineCell> open_offline(const Settings& settings) {
  std::error_code error;
  Layout layout{fs::absolute(settings.data_folder, error).lexically_normal().string()};
  if (!Instance::exists(layout.root)) {
    return make_error(ErrorCode::kNotFound, "instance.open", "there is no instance in " + layout.root)
        .with_hint("name its folder with --data");
  }
  OfflineCell offline;
  offline.data_folder = layout.root;
  offline.postgres_folder = layout.postgres();
  OA_TRY(check_kind(layout, settings.deployment));
  OA_ASSIGN(offline.keys, open_keys(layout.keys(), settings.deployment, root_key_of(layout, settings),
                                    true, false));
  OA_ASSIGN(auto objects, open_objects(layout.root, settings.deployment));
  offline.store = std::move(objects.store);
  std::unique_ptr<continuity::ExistingCluster> cluster;
  if (const auto& deployed = settings.deployment.cluster; deployed.has_value()) {
    OA_ASSIGN(cluster, open_cluster(*deployed));
  }
  OA_ASSIGN(offline.cell, continuity::Cell::open(layout.cell(false, false), *offline.keys,
                                                 std::move(cluster)));
  return offline;
}

Status adopt_recovered(const OfflineCell& from, const std::string& folder) {
  const Layout source{from.data_folder}, target{folder};
  std::error_code error;
  if (fs::exists(target.marker(), error) || fs::exists(target.objects(), error)) {
    return make_error(ErrorCode::kConflict, "instance.adopt", folder + " is an instance already")
        .with_hint("name a new folder");
  }
  OA_TRY(share_keys(source.keys(), target.keys()));
  OA_TRY(share_objects(source.root, target.root));
  OA_TRY(make_folder(target.root, 0711));
  if (from.cell->cluster() != nullptr) OA_TRY(forget_patroni(target.postgres()));
  OA_ASSIGN(auto marker, AtomicFileSink::create(target.marker(), false, 0600));
  OA_TRY(marker->write(as_bytes(kMarkerText)));
  return marker->commit();
}

// Whoever runs the server archives, or what it writes would be missing from the archive.
Status Instance::State::start_postgres(const Settings& settings) {
  catalog::ServerExtras extras;
  if (cell != nullptr) extras = {cell->server_settings(), cell->server_files()};
  const auto use = settings.run_server ? catalog::ServerUse::kRun : catalog::ServerUse::kJoinOrRun;
  OA_ASSIGN(postgres, catalog::EmbeddedPostgres::start(layout.postgres(), use, extras));
  OA_TRY(connect(postgres->settings()));
  volume = volume_encryption(layout.postgres());
  return {};
}

void Instance::State::seal_objects() {
  rewrapped = std::make_unique<RewrappedInDatabase>(database);
  objects = std::make_unique<SealedObjects>(*store->store, *keys, rewrapped.get());
}

Status Instance::State::connect(const catalog::ConnectionSettings& settings) {
  OA_TRY(catalog::Database::migrate(settings));
  OA_ASSIGN(database, catalog::Database::open(settings));
  erasures = std::make_unique<ErasureGate>(*database, *objects, *keys);
  return {};
}

Status Instance::State::open_cell(const Settings& settings) {
  if (settings.continuous) OA_TRY(place_cell(layout, settings.continuity_folder));
  const auto& deployed = settings.deployment.cluster;
  const auto wanted = layout.cell(settings.continuous, settings.synchronous);
  if (!settings.continuous && !continuity::Cell::exists(wanted)) return {};
  std::unique_ptr<continuity::ExistingCluster> cluster;
  if (deployed.has_value()) {
    OA_ASSIGN(cluster, open_cluster(*deployed));
  }
  OA_ASSIGN(cell, continuity::Cell::open(wanted, *keys, std::move(cluster)));
  return {};
}

Result<std::unique_ptr<Instance>> Instance::open(const Settings& settings) {
  auto state = std::make_unique<State>();
  state->buckets = {settings.deployment.objects, settings.deployment.replica};
  const auto& deployed = settings.deployment.cluster;
  std::error_code error;
  state->layout.root = fs::absolute(settings.data_folder, error).lexically_normal().string();
  while (state->layout.root.size() > 1 && state->layout.root.back() == '/')
    state->layout.root.pop_back();
  OA_TRY(check_kind(state->layout, settings.deployment));
  if (!deployed.has_value())
    OA_TRY(catalog::EmbeddedPostgres::check_folder(state->layout.postgres()));
  auto lock = std::make_unique<FolderLock>();
  OA_TRY(prepare_folder(state->layout, settings, *lock));
  if (deployed.has_value()) OA_TRY(mark_cluster(state->layout));
  OA_ASSIGN(state->keys, open_keys(state->layout.keys(), settings.deployment,
                                   root_key_of(state->layout, settings), has_data(state->layout),
                                   settings.create));
  OA_ASSIGN(*state->store, open_objects(state->layout.root, settings.deployment));
  state->seal_objects();
  lock.reset();
  OA_TRY(state->open_cell(settings));
  if (deployed.has_value()) {
    OA_TRY(state->connect(deployed->postgres));
    const std::string data = node_data_folder(*deployed);
    if (!data.empty()) state->volume = volume_encryption(data);
  } else {
    OA_TRY(state->start_postgres(settings));
  }
  return std::unique_ptr<Instance>(new Instance(std::move(state)));
}

Result<std::unique_ptr<Instance>> Instance::over(const catalog::ConnectionSettings& database) {
  auto state = std::make_unique<State>();
  state->layout = state_->layout;
  state->buckets = state_->buckets;
  state->volume = state_->volume;
  state->keys = state_->keys;
  state->store = state_->store;
  state->seal_objects();
  OA_TRY(state->connect(database));
  return std::unique_ptr<Instance>(new Instance(std::move(state)));
}

catalog::Database& Instance::database() { return *state_->database; }
SealedObjects& Instance::objects() { return *state_->objects; }
KeyService& Instance::keys() { return *state_->keys; }
S3Store* Instance::bucket() { return state_->store->bucket; }
S3Store* Instance::replica() { return state_->store->replica; }
ReplicatedStore* Instance::replicated() { return state_->store->replicated; }
continuity::Cell* Instance::cell() { return state_->cell.get(); }
const std::string& Instance::data_folder() const { return state_->layout.root; }
const BucketSettings& Instance::bucket_settings() const { return state_->buckets; }
Status Instance::check() {
  // Of no tenant: the answer tells only whether the database gives one.
  const auto asked = state_->database->find_tenant("");
  if (!asked.ok() && asked.error().code != ErrorCode::kNotFound) return asked.error();
  if (state_->store->bucket != nullptr) return look_at(*state_->store);
  std::error_code error;
  if (fs::is_directory(state_->layout.objects(), error)) return {};
  return make_error(ErrorCode::kIo, "instance.check", "the folder of the object store is not there");
}

Status Instance::check_key(TenantId tenant) { return state_->gate.check(*state_->keys, tenant); }
ErasureGate& Instance::erasures() { return *state_->erasures; }
VolumeEncryption Instance::volume() const { return state_->volume; }

Result<catalog::Tenant> Instance::provision_tenant(const std::string& name, catalog::Plan plan) {
  catalog::Tenant tenant{TenantId::random(), name, plan, Timestamp::now()};
  const bool has_control =
      std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (name.empty() || name.size() > 200 || !is_utf8(name) || has_control) {
    return make_error(ErrorCode::kInvalidArgument, "tenant.create",
                      "a tenant's name has 1 to 200 bytes of UTF-8 without control characters")
        .with_hint("give another name");
  }
  if (const auto there = state_->database->find_tenant(name); there.ok()) {
    // One that was cut short, as by a failover of the database, is ended now.
    if (there->plan == plan) tenant = *there;
    const Status ended = there->plan == plan ? state_->begin_chain(tenant) : already_there(name);
    return ended.ok() ? Result<catalog::Tenant>(tenant) : ended.error();
  }
  // The key first: a tenant without a key cannot be used, a key without a tenant harms nobody.
  OA_TRY(state_->keys->create_tenant_key(tenant.id));
  OA_TRY(state_->database->create_tenant(tenant));
  OA_TRY(state_->begin_chain(tenant));
  return tenant;
}

// The second half of making a tenant. kAlreadyExists when that was done.
Status Instance::State::begin_chain(const catalog::Tenant& tenant) {
  OA_ASSIGN(const auto record, new_signing_key(*keys, tenant.id));
  OA_ASSIGN(auto transaction, database->begin(tenant.id));
  OA_TRY(transaction.lock_tenant_for_restore());
  OA_ASSIGN(const auto records, catalog::SigningKeys(transaction).list());
  if (!records.empty()) return already_there(tenant.name);
  OA_TRY(catalog::SigningKeys(transaction).rotate_to(record));
  NewAuditEvent event;
  event.ts = tenant.created_at;
  event.actor_type = "operator";
  event.action = "tenant.create";
  event.resource_type = "tenant";
  event.resource_id = tenant.id.str();
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  return transaction.commit();
}

Result<SigningKey> Instance::signing_key(TenantId tenant) {
  OA_ASSIGN(auto transaction, state_->database->begin(tenant, catalog::Isolation::kSnapshot));
  OA_ASSIGN(const auto records, catalog::SigningKeys(transaction).list());
  for (const auto& record : records) {
    if (record.retired_at.has_value()) continue;
    OA_ASSIGN(const auto seed, unseal_value(*state_->keys, tenant, KeyPurpose::kSigning,
                                            record.public_key, record.sealed_seed));
    return SigningKey::from_seed(seed);
  }
  return make_error(ErrorCode::kNotFound, "instance.signing_key", "the tenant has no signing key")
      .with_hint("make one with `oa-backup keys rotate NAME`");
}

Result<PublicKey> Instance::rotate_signing_key(TenantId tenant, std::optional<UserId> by) {
  OA_ASSIGN(const auto record, new_signing_key(*state_->keys, tenant));
  OA_ASSIGN(auto transaction, state_->database->begin(tenant));
  OA_TRY(catalog::SigningKeys(transaction).rotate_to(record));
  NewAuditEvent event;
  event.ts = Timestamp::now();
  event.actor_type = by.has_value() ? "user" : "operator";
  if (by.has_value()) event.actor_id = by->uuid();
  event.action = "backup.key.rotate";
  event.resource_type = "signing_key";
  event.resource_id = record.public_key;
  OA_TRY(catalog::Audit(transaction).append({&event, 1}));
  OA_TRY(transaction.commit());
  return PublicKey::parse(record.public_key);
}

}  // namespace oa::instance
