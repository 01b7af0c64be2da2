#include "oa/catalog/embedded_postgres.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>

#include "connection.h"
#include "oa/base/io.h"
#include "oa/postgres/process.h"
#include "prepare_database.h"

namespace oa::catalog {
namespace {

namespace fs = std::filesystem;
using postgres::Account;
using postgres::can_enter;
using postgres::find_postgres_programs;
using postgres::has_exited;
using postgres::own_account_name;
using postgres::server_account;
using postgres::spawn;
using postgres::wait_for_exit;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr const char* kOp = "postgres.start";
constexpr const char* kLockFile = "/oa-postgres.lock";  // made first: it marks the folder as ours
// Held shared by every process that has joined; its owner gives them some time before it stops the
// server.
constexpr const char* kUsersFile = "/oa-postgres.users";
constexpr const char* kPartialPrefix = "/data.partial.";
constexpr const char* kSuperuser = "postgres";
constexpr auto kPoll = std::chrono::milliseconds(10);
constexpr auto kJoinTimeout = seconds(30);
constexpr auto kStartTimeout = seconds(600);  // recovery after a crash replays up to max_wal_size
constexpr auto kStopTimeout = seconds(60);
constexpr auto kUsersTimeout = seconds(30);
constexpr std::uint64_t kMinFreeBytes = std::uint64_t{128} << 20;  // a new cluster takes half of it
constexpr off_t kMaxLogBytes = 4 << 20;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

template <class Condition>
bool wait_until(Clock::time_point deadline, Condition condition) {
  while (!condition()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

Result<std::string> usable_path(const std::string& folder) {
  std::error_code error;
  const std::string path = fs::weakly_canonical(fs::absolute(folder, error), error).string();
  if (error || folder.empty())
    return make_error(ErrorCode::kInvalidArgument, kOp, "not a folder: " + folder);
  // libpq reads a comma as a list of hosts.
  if (path.find_first_of(",\"\n") != std::string::npos) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      "the folder's path has a comma, a quote or a line break")
        .with_hint("choose another data folder with --data");
  }
  if (path.size() + std::string_view("/socket/.s.PGSQL.5432.lock").size() >
      sizeof(sockaddr_un::sun_path)) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      "the folder's path is too long for a unix socket")
        .with_hint("use a folder whose path has at most 80 characters");
  }
  return path;
}

Result<FileDescriptor> open_lock_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error(errno, kOp, path);
  return FileDescriptor(fd);
}

// Makes the folder when it is not there, and refuses one that holds something else. Returns the
// lock file, not yet locked.
Result<FileDescriptor> claim(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    fs::create_directories(folder, error);
    if (error) return errno_error(error.value(), kOp, folder);
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  const auto entries = fs::directory_iterator(folder, error);
  if (error == std::errc::not_a_directory) {
    return make_error(ErrorCode::kInvalidArgument, kOp, "not a folder: " + folder);
  }
  if (error) return errno_error(error.value(), kOp, folder);
  if (entries != fs::directory_iterator() && !fs::exists(folder + kLockFile, error)) {
    return make_error(ErrorCode::kInvalidArgument, kOp,
                      "the folder is in use for something else: " + folder)
        .with_hint("give an empty folder, or one that this program has made");
  }
  return open_lock_file(folder + kLockFile);
}

Result<FileDescriptor> open_log(const std::string& folder) {
  const std::string path = folder + "/server.log";
  FileDescriptor log(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (log.get() < 0) return errno_error(errno, kOp, path);
  struct stat info {};
  if (fstat(log.get(), &info) == 0 && info.st_size > kMaxLogBytes && ftruncate(log.get(), 0) != 0) {
    return errno_error(errno, kOp, path);
  }
  return log;
}

// Why a program of Postgres ended: its own words in the log tell a full disk from the rest.
Error program_failed(const std::string& what, const std::string& folder,
                     const FileDescriptor& log) {
  std::string tail(4096, '\0');
  const off_t size = lseek(log.get(), 0, SEEK_END);
  const auto length = pread(log.get(), tail.data(), tail.size(), size > 4096 ? size - 4096 : 0);
  tail.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  if (tail.find("No space left on device") != std::string::npos) {
    return make_error(ErrorCode::kDiskFull, kOp, "the disk is full: " + folder)
        .with_hint("free some space");
  }
  return make_error(ErrorCode::kDatabaseUnavailable, kOp, what)
      .with_hint("see " + folder + "/server.log");
}

Status give_to(const Account& account, const std::string& path) {
  if (!account.other || lchown(path.c_str(), account.uid, account.gid) == 0) return {};
  return errno_error(errno, kOp, path);
}

Status make_folder(const Account& account, const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error(errno, kOp, path);
  return give_to(account, path);
}

Status write_config(const Account& account, const std::string& path, const std::string& text) {
  OA_ASSIGN(const auto sink, AtomicFileSink::create(path, true, 0600));
  OA_TRY(sink->write(as_bytes(text)));
  OA_TRY(sink->commit());
  return give_to(account, path);
}

// What starts that were cut short have left. One that cannot be removed now goes with the next
// start.
void remove_partial_clusters(const std::string& folder) {
  std::error_code ignored;
  std::vector<fs::path> partial;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().string().starts_with(folder + kPartialPrefix)) partial.push_back(entry.path());
  }
  for (const auto& path : partial) fs::remove_all(path, ignored);
}

// A cluster appears under its name only when it is whole.
Status create_cluster(const std::string& programs, const Account& account,
                      const std::string& folder, const FileDescriptor& log) {
  remove_partial_clusters(folder);
  struct statvfs space {};
  if (statvfs(folder.c_str(), &space) != 0) return errno_error(errno, kOp, folder);
  if (std::uint64_t{space.f_bavail} * space.f_frsize < kMinFreeBytes) {
    return make_error(ErrorCode::kDiskFull, kOp, "too little space for a database: " + folder)
        .with_hint("free at least " + format_size(kMinFreeBytes));
  }
  // A name of its own: the initdb of a killed start may still be clearing up its folder.
  const std::string data = folder + "/data";
  std::string partial = folder + kPartialPrefix + "XXXXXX";
  if (mkdtemp(partial.data()) == nullptr) return errno_error(errno, kOp, partial);
  OA_TRY(give_to(account, partial));
  OA_ASSIGN(const pid_t pid, spawn(account,
                                   {programs + "/initdb", "--pgdata=" + partial,
                                    std::string("--username=") + kSuperuser, "--encoding=UTF8",
                                    "--locale=C.UTF-8", "--data-checksums", "--auth-local=peer",
                                    "--auth-host=reject", "--no-instructions"},
                                   log.get()));
  if (wait_for_exit(pid) != 0) return program_failed("the database could not be made", folder, log);
  if (rename(partial.c_str(), data.c_str()) != 0) return errno_error(errno, kOp, data);
  const FileDescriptor parent(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0 || fsync(parent.get()) != 0) return errno_error(errno, kOp, folder);
  return {};
}

Status check_version(const std::string& data) {
  OA_ASSIGN(const Bytes version, read_file(data + "/PG_VERSION", 16));
  if (as_text(version) == "15\n") return {};
  return make_error(ErrorCode::kUnsupported, kOp,
                    "the database was made by another version of Postgres")
      .with_hint("this program works with Postgres 15");
}

// The server of an owner that was killed is about to go: wait for it. 0 when there is none.
pid_t running_server(const std::string& data) {
  const auto text = read_file(data + "/postmaster.pid", 4096);
  if (!text.ok()) return 0;
  const std::string_view digits = as_text(*text);
  pid_t pid = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (pid <= 1) return 0;
  // The file outlives a crash and the number may be another process by now; a server works inside
  // its data folder.
  std::error_code error;
  const auto works_in = fs::read_symlink(fmt::format("/proc/{}/cwd", pid), error);
  return !error && works_in == data ? pid : 0;
}

Status wait_for_old_server(const std::string& data) {
  const auto gone = [&] { return running_server(data) == 0; };
  if (wait_until(Clock::now() + seconds(10), gone)) return {};
  // Its owner died in the instant before the kernel was told to pass that on.
  if (const pid_t pid = running_server(data); pid != 0) kill(pid, SIGINT);
  if (wait_until(Clock::now() + kStopTimeout, gone)) return {};
  return make_error(ErrorCode::kTimeout, kOp, "the previous database server does not stop")
      .with_hint(fmt::format("when it stands still (state T in `ps`), let it go on with `kill -CONT {0}`, or "
                             "end it with `kill -KILL {0}`: it recovers by its log at the next start",
                             running_server(data)));
}

std::vector<std::string> server_arguments(const std::string& programs, const std::string& folder,
                                          const ServerExtras& extras) {
  std::vector<std::string> arguments = {programs + "/postgres", "-D", folder + "/data"};
  // ERROR messages quote values and rank below LOG, hence log_min_messages.
  for (const char* setting : {"listen_addresses=",
                              "unix_socket_permissions=0700",
                              "port=5432",
                              "fsync=on",
                              "full_page_writes=on",
                              "synchronous_commit=on",
                              "wal_level=replica",
                              "shared_buffers=64MB",
                              "huge_pages=off",
                              "jit=off",
                              "timezone=UTC",
                              "log_timezone=UTC",
                              "lc_messages=C",
                              "log_destination=stderr",
                              "logging_collector=off",
                              "log_min_messages=log",
                              "log_min_error_statement=panic",
                              "log_error_verbosity=terse",
                              "log_statement=none",
                              "log_checkpoints=off",
                              "log_parameter_max_length=0",
                              "log_parameter_max_length_on_error=0"}) {
    arguments.insert(arguments.end(), {"-c", setting});
  }
  arguments.insert(arguments.end(), {"-c", "unix_socket_directories=\"" + folder + "/socket\""});
  for (const auto& setting : extras.settings) arguments.insert(arguments.end(), {"-c", setting});
  return arguments;
}

// Run at every start, so that a start that was cut short leaves nothing undone.
Status prepare(const ConnectionSettings& settings) {
  ConnectionSettings maintenance = settings;
  maintenance.database = kMaintenanceDatabase;
  OA_ASSIGN(const auto connection, Connection::open(maintenance, kSuperuser));
  OA_TRY(prepare_roles(*connection));
  OA_TRY(prepare_database(*connection, settings));
  return {};
}

bool answers(const ConnectionSettings& settings, const std::string& database,
             const std::string& role) {
  ConnectionSettings probe = settings;
  probe.database = database;
  return Connection::open(probe, role).ok();
}

}  // namespace

struct EmbeddedPostgres::State {
  FileDescriptor lock;   // held as long as we run the server
  FileDescriptor users;  // held shared as long as we use another's
  FileDescriptor log;    // the server's, when it is ours
  pid_t server = 0;      // 0: joined another process' server

  ~State() {
    if (server == 0) return;
    if (!wait_for_users()) {
      static constexpr std::string_view kStopping =
          "oa-backup: stopping, although others still use the database\n";
      [[maybe_unused]] const auto written = write(log.get(), kStopping.data(), kStopping.size());
    }
    kill(server, SIGINT);  // fast shutdown
    const auto gone = [this] { return has_exited(server); };
    if (wait_until(Clock::now() + kStopTimeout, gone)) return;
    kill(server, SIGQUIT);  // immediate: recovery at the next start
    wait_until(Clock::now() + kStopTimeout, gone);
  }

  // A signal ends the wait. False: some are left; what they do fails without a change.
  bool wait_for_users() const {
    const auto deadline = Clock::now() + kUsersTimeout;
    const timespec poll{0, std::chrono::nanoseconds(kPoll).count()};
    while (flock(users.get(), LOCK_EX | LOCK_NB) != 0)
      if (Clock::now() >= deadline || nanosleep(&poll, nullptr) != 0) return false;
    return true;
  }
};

namespace {

// We hold the lock: bring the cluster up. `server` is set as soon as there is a child to stop.
Status run_server(const std::string& folder, const ConnectionSettings& settings,
                  const ServerExtras& extras, FileDescriptor& log, pid_t& server) {
  OA_ASSIGN(const std::string programs, find_postgres_programs());
  OA_ASSIGN(const Account account, server_account());
  OA_TRY(give_to(account, folder));
  if (!can_enter(account, folder)) {
    return make_error(ErrorCode::kPermissionDenied, kOp,
                      "the account " + account.name + " cannot reach " + folder)
        .with_hint(
            "choose another data folder with --data, or let others pass through the folders above "
            "it "
            "(chmod o+x)");
  }
  const std::string data = folder + "/data";
  OA_ASSIGN(log, open_log(folder));
  OA_TRY(wait_for_old_server(data));
  std::error_code error;
  if (!fs::exists(data, error)) OA_TRY(create_cluster(programs, account, folder, log));
  OA_TRY(check_version(data));
  OA_TRY(make_folder(account, folder + "/socket"));
  OA_TRY(EmbeddedPostgres::write_access_rules(data, settings));
  OA_ASSIGN(server, spawn(account, server_arguments(programs, folder, extras), log.get(),
                          extras.files));
  bool exited = false;
  const auto settled = [&] {
    exited = has_exited(server);
    return exited || answers(settings, "postgres", kSuperuser);
  };
  const bool in_time = wait_until(Clock::now() + kStartTimeout, settled);
  if (exited) {
    server = 0;
    return program_failed("the database server ended at its start", folder, log);
  }
  if (!in_time) return make_error(ErrorCode::kTimeout, kOp, "the database server does not answer");
  remove_partial_clusters(folder);  // of starts that were killed; by now their initdb has ended too
  return prepare(settings);
}

}  // namespace

EmbeddedPostgres::EmbeddedPostgres(std::unique_ptr<State> state, ConnectionSettings settings)
    : state_(std::move(state)), settings_(std::move(settings)) {}
EmbeddedPostgres::~EmbeddedPostgres() = default;

// pgBackRest runs as the account of the server.
Status EmbeddedPostgres::write_access_rules(const std::string& data,
                                            const ConnectionSettings& settings) {
  OA_ASSIGN(const Account account, server_account());
  OA_ASSIGN(const std::string own_name, own_account_name());
  std::string map = fmt::format("oa \"{}\" {}\n", account.name, settings.backup_role);
  for (const auto& role : {std::string(kSuperuser), settings.owner_role, settings.service_role,
                           settings.operator_role, settings.replication_role}) {
    map += fmt::format("oa \"{}\" {}\n", own_name, role);
  }
  OA_TRY(write_config(account, data + "/pg_ident.conf", map));
  return write_config(account, data + "/pg_hba.conf",
                      "local all all peer map=oa\nlocal replication all peer map=oa\n");
}

Status EmbeddedPostgres::bring_up_to_date(const ConnectionSettings& settings) {
  OA_TRY(prepare(settings));
  return Database::migrate(settings);
}

Status EmbeddedPostgres::check_folder(const std::string& folder) {
  auto path = usable_path(folder);
  return path.ok() ? Status() : std::move(path).error();
}

bool EmbeddedPostgres::owner() const { return state_->server != 0; }

Result<std::unique_ptr<EmbeddedPostgres>> EmbeddedPostgres::start(const std::string& folder,
                                                                  ServerUse use,
                                                                  const ServerExtras& extras) {
  if (gettid() != getpid()) {
    return make_error(ErrorCode::kInternal, kOp, "the database must be started on the main thread");
  }
  OA_ASSIGN(const std::string path, usable_path(folder));
  ConnectionSettings settings;
  settings.host = path + "/socket";
  auto state = std::make_unique<State>();
  OA_ASSIGN(state->lock, claim(path));
  OA_ASSIGN(state->users, open_lock_file(path + kUsersFile));
  bool locked = false;
  const auto settled = [&] {
    // Its owner may go away while we wait; then the cluster is ours.
    locked = flock(state->lock.get(), LOCK_EX | LOCK_NB) == 0;
    if (locked) return true;
    if (use == ServerUse::kRun) return false;
    // Joined only while its owner cannot be stopping the server: both sides hold this lock for
    // that.
    if (flock(state->users.get(), LOCK_SH | LOCK_NB) != 0) return false;
    if (answers(settings, settings.database, settings.service_role)) return true;
    flock(state->users.get(), LOCK_UN);
    return false;
  };
  if (!wait_until(Clock::now() + kJoinTimeout, settled)) {
    if (use == ServerUse::kRun) {
      return make_error(ErrorCode::kBusy, kOp,
                        "another command is using the database of this folder")
          .with_hint("wait until it has ended, then try again");
    }
    return make_error(ErrorCode::kTimeout, kOp,
                      "another process has the database, but it does not answer")
        .with_hint("stop that process, or wait until it has started");
  }
  if (locked) OA_TRY(run_server(path, settings, extras, state->log, state->server));
  return std::unique_ptr<EmbeddedPostgres>(
      new EmbeddedPostgres(std::move(state), std::move(settings)));
}

}  // namespace oa::catalog
