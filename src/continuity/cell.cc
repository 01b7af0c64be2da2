#include "oa/continuity/cell.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "oa/base/io.h"
#include "oa/base/json.h"
#include "oa/keys/key_service.h"

namespace oa::continuity {
namespace {

namespace fs = std::filesystem;
constexpr const char* kOp = "cell.open";
constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kMaxFileBytes = 64 << 10;
// While the receiver is away the server keeps the log for it, but does not fill its disk.
constexpr const char* kSlotBound = "max_slot_wal_keep_size=4GB";

std::string file_of(const std::string& folder) { return folder + "/cell.json"; }

struct Identity {
  TenantId id;
  WrappedKey passphrase;
  Timestamp created_at;
};

Result<Identity> read_identity(const std::string& path) {
  OA_ASSIGN(const Bytes bytes, read_file(path, kMaxFileBytes));
  const auto damaged = [&](const Error& reason) {
    return make_error(ErrorCode::kSealCorrupt, kOp, "the file of the cell is damaged: " + path)
        .with_hint("bring it back from its copy: without it the repository does not open")
        .with_cause(reason.message);
  };
  const auto document = parse_json(as_text(bytes), {kMaxFileBytes, 8});
  if (!document.ok()) return damaged(document.error());
  ObjectReader reader(*document, "cell");
  const auto format = reader.unsigned_integer("format");
  Identity identity;
  identity.id = reader.id<TenantId>("cell");
  identity.passphrase.key_id = reader.text("key_id");
  identity.created_at = reader.timestamp("created_at");
  const auto blob = from_base64(reader.text("passphrase"));
  if (!blob.ok()) reader.fail("passphrase", "is not base64");
  const Status read = reader.finish();
  if (!read.ok()) return damaged(read.error());
  if (format != kFormat)
    return make_error(ErrorCode::kUnsupported, kOp, "the cell is of a newer release");
  identity.passphrase.blob = *blob;
  return identity;
}

Status write_identity(const std::string& path, ByteView text) {
  OA_ASSIGN(auto file, AtomicFileSink::create(path, false, 0600));
  OA_TRY(file->write(text));
  return file->commit();
}

// A first one; another process may be quicker, then its own counts.
Status make_identity(const std::string& path, KeyService& keys) {
  const TenantId id = TenantId::random();
  OA_TRY(keys.create_tenant_key(id));
  OA_ASSIGN(const DataKey passphrase, keys.generate_data_key(id, KeyPurpose::kRepository));
  const json::object document{{"format", kFormat},
                              {"cell", id.str()},
                              {"created_at", Timestamp::now().rfc3339()},
                              {"key_id", passphrase.wrapped.key_id},
                              {"passphrase", to_base64(passphrase.wrapped.blob)}};
  const Status made = write_identity(path, as_bytes(canonical_json(document) + "\n"));
  return made.ok() || made.error().code == ErrorCode::kAlreadyExists ? Status() : made;
}

Status copy_identity(const std::string& from, const std::string& to) {
  OA_ASSIGN(const Bytes text, read_file(from, kMaxFileBytes));
  const Status made = write_identity(to, text);
  return made.ok() || made.error().code == ErrorCode::kAlreadyExists ? Status() : made;
}

// Which cell the folder is of. A folder that is empty although there was a cell is one that is not
// mounted: to begin anew in it would leave a hole in the archive, and old keys behind.
Result<Identity> identify(const CellSettings& settings, KeyService& keys) {
  const std::string own = file_of(settings.folder), &copy = settings.identity_copy;
  std::error_code error;
  const bool has_own = fs::exists(own, error), has_copy = fs::exists(copy, error);
  const bool has_content = fs::exists(settings.folder + "/repository", error) ||
                           fs::exists(settings.folder + "/wal", error);
  if (!has_own && has_copy) {
    if (!has_content) {
      return make_error(ErrorCode::kRepositoryUnavailable, kOp,
                        "the folder of continuous backup is not there, or is empty: " + settings.folder)
          .with_hint("mount it or bring it back; to give up what it held and begin anew, remove " +
                     copy);
    }
    OA_TRY(copy_identity(copy, own));
  } else if (!has_own && has_content) {
    return make_error(ErrorCode::kKeyStoreMissing, kOp, "the file of the cell is missing: " + own)
        .with_hint("bring it back from a copy: without it the repository does not open");
  } else if (!has_own) {
    OA_TRY(make_identity(own, keys));
  }
  OA_ASSIGN(const Identity identity, read_identity(own));
  if (copy.empty()) return identity;
  OA_TRY(copy_identity(own, copy));
  OA_ASSIGN(const Identity noted, read_identity(copy));
  if (noted.id == identity.id) return identity;
  return make_error(ErrorCode::kConflict, kOp,
                    settings.folder + " holds the backups of another instance")
      .with_hint("bring back the right folder; " + copy + " says whose it is");
}

// What is there already stays whose it is.
Status make_folder(const std::string& path, unsigned mode, const postgres::Account* account) {
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST) return {};
    return errno_error(errno, kOp, "cannot make the folder " + path);
  }
  if (::chmod(path.c_str(), mode) != 0)
    return errno_error(errno, kOp, "cannot set the mode of " + path);
  if (account == nullptr || !account->other) return {};
  if (::chown(path.c_str(), account->uid, account->gid) == 0) return {};
  return errno_error(errno, kOp, path);
}

std::string data_folder_of(const CellSettings& settings) {
  return settings.node ? settings.node->data_folder : settings.postgres_folder + "/data";
}

// What the server's account needs on the nodes of a cluster that recovers by itself; all of it is
// sealed.
Status let_nodes_read(const std::string& folder, const postgres::Account& account) {
  if (!account.other) return {};
  const std::string log = folder + "/wal";
  if (::mkdir(log.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(errno, kOp, "cannot make the folder " + log);
  constexpr unsigned kGroupOfFolder = 02750;  // what is made in it has its group
  for (const auto& [path, mode] : {std::pair{file_of(folder), 0640u}, {log, kGroupOfFolder}}) {
    if (::chown(path.c_str(), static_cast<uid_t>(-1), account.gid) != 0 ||
        ::chmod(path.c_str(), mode) != 0)
      return errno_error(errno, kOp, "cannot let the account of the server read " + path);
  }
  return {};
}

}  // namespace

struct Cell::State {
  CellSettings settings;
  KeyService& keys;
  TenantId id;
  Timestamp created_at;
  std::unique_ptr<ExistingCluster> cluster;
  std::optional<Repository> repository;
};

namespace {

// Which of the nodes is the server changes; the repository asks when it wants it.
RepositorySettings repository_of(const CellSettings& settings, ExistingCluster* cluster) {
  RepositorySettings repository;
  repository.folder = settings.folder + "/repository";
  repository.run_folder = settings.folder + "/run";
  repository.data_folder = data_folder_of(settings);
  repository.socket_folder = settings.postgres_folder + "/socket";
  if (settings.node) {
    repository.socket_folder = settings.node->socket_folder;
    repository.port = settings.node->port;
    repository.role = settings.node->role;
  }
  if (cluster == nullptr) return repository;
  if (!cluster->nodes().empty()) {
    repository.data_folder = cluster->nodes().front().data_folder;
    repository.socket_folder = cluster->nodes().front().socket_folder;
  }
  repository.primary = [cluster]() -> Result<ServerPlace> {
    OA_ASSIGN(ClusterNode leader, cluster->leader());
    return ServerPlace{leader.data_folder, leader.socket_folder, leader.port};
  };
  return repository;
}

}  // namespace

Cell::Cell(std::unique_ptr<State> state) : state_(std::move(state)) {}
Cell::~Cell() = default;

bool Cell::exists(const CellSettings& settings) {
  std::error_code error;
  return fs::exists(file_of(settings.folder), error) || fs::exists(settings.identity_copy, error);
}

Result<std::unique_ptr<Cell>> Cell::open(const CellSettings& settings, KeyService& keys,
                                         std::unique_ptr<ExistingCluster> cluster) {
  if (!exists(settings) && !settings.create) {
    return make_error(ErrorCode::kNotFound, kOp, "nothing is backed up continuously here")
        .with_hint(cluster == nullptr ? "`oa-backup up` begins it"
                                      : "`oa-backup cluster setup` begins it");
  }
  if (!exists(settings)) OA_TRY(make_folder(settings.folder, 0711, nullptr));
  OA_ASSIGN(const Identity identity, identify(settings, keys));
  OA_ASSIGN(const SecretBytes passphrase,
            keys.unwrap(identity.id, KeyPurpose::kRepository, identity.passphrase));
  RepositorySettings repository = repository_of(settings, cluster.get());
  OA_ASSIGN(repository.account, postgres::server_account());
  OA_TRY(let_nodes_read(settings.folder, repository.account));
  const std::string scratch = settings.folder + "/scratch";
  for (const auto& folder : {repository.run_folder, scratch}) {
    OA_TRY(make_folder(folder, 0700, &repository.account));
  }
  auto state = std::make_unique<State>(
      State{settings, keys, identity.id, identity.created_at, std::move(cluster), std::nullopt});
  OA_ASSIGN(state->repository, Repository::open(std::move(repository), passphrase));
  return std::unique_ptr<Cell>(new Cell(std::move(state)));
}

TenantId Cell::id() const { return state_->id; }
Timestamp Cell::created_at() const { return state_->created_at; }
const std::string& Cell::folder() const { return state_->settings.folder; }
std::string Cell::scratch_folder() const { return folder() + "/scratch"; }
std::string Cell::data_folder() const {
  if (state_->cluster == nullptr) return data_folder_of(state_->settings);
  for (const auto& node : state_->cluster->nodes())
    if (::access(node.data_folder.c_str(), R_OK) == 0) return node.data_folder;
  return {};
}
ExistingCluster* Cell::cluster() { return state_->cluster.get(); }
Repository& Cell::repository() { return *state_->repository; }
// The leader's files may be out of reach at the moment, which is no hindrance to all the rest.
Status Cell::prepare_repository() {
  if (state_->cluster != nullptr) {
    const auto info = repository().info();
    if (info.ok() && info->stanza) return {};
  }
  return repository().create_stanza();
}
bool Cell::synchronous() const { return state_->settings.synchronous; }

std::vector<std::string> Cell::server_settings() const {
  std::vector<std::string> settings = {"archive_mode=on", "archive_timeout=60",
                                       "archive_command=" + state_->repository->archive_command(),
                                       kSlotBound};
  if (state_->settings.synchronous)
    settings.push_back(fmt::format("synchronous_standby_names={}", kReceiverName));
  return settings;
}

std::vector<postgres::InheritedFile> Cell::server_files() const {
  return state_->repository->files();
}

Result<std::unique_ptr<wal::SealedWal>> Cell::open_log(wal::Access access) {
  return wal::open_local_wal(folder() + "/wal", state_->keys, state_->id, access);
}

Result<Cell::Space> Cell::space() {
  Space space;
  struct statvfs volume {};
  if (::statvfs(folder().c_str(), &volume) != 0) return errno_error(errno, "cell.space", folder());
  space.free_bytes = std::uint64_t{volume.f_bavail} * volume.f_frsize;
  space.volume_bytes = std::uint64_t{volume.f_blocks} * volume.f_frsize;
  if (::statvfs(data_folder().c_str(), &volume) == 0) {
    space.server_free_bytes = std::uint64_t{volume.f_bavail} * volume.f_frsize;
    space.server_volume_bytes = std::uint64_t{volume.f_blocks} * volume.f_frsize;
  }
  OA_ASSIGN(space.repository_bytes, repository().stored_bytes());
  OA_ASSIGN(const auto log, open_tail());
  if (log != nullptr) {
    OA_ASSIGN(space.log_bytes, log->stored_bytes());
  }
  return space;
}

Result<std::unique_ptr<wal::SealedWal>> Cell::open_tail() {
  auto log = open_log(wal::Access::kRead);
  if (!log.ok() && log.error().code == ErrorCode::kNotFound)
    return std::unique_ptr<wal::SealedWal>();
  return log;
}

}  // namespace oa::continuity
