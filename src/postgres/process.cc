#include "oa/postgres/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "oa/base/assert.h"

namespace oa::postgres {
namespace {

constexpr const char* kServerAccount = "postgres";
constexpr int kCannotRun = 127;
constexpr int kFirstFree = 10;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<Account> account_of(const passwd* entry, const std::string& who) {
  if (entry == nullptr) {
    return make_error(ErrorCode::kNotFound, "postgres.account", "there is no account " + who)
        .with_hint("install Postgres 15 (Debian: postgresql-15), which makes the account");
  }
  return Account{entry->pw_name, entry->pw_uid, entry->pw_gid, {}, false};
}

// In the child between fork and exec: system calls only.
bool become(const Account& account) {
  if (account.other && (setgroups(account.groups.size(), account.groups.data()) != 0 ||
                        setresgid(account.gid, account.gid, account.gid) != 0 ||
                        setresuid(account.uid, account.uid, account.uid) != 0)) {
    return false;
  }
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// Copies of ours have numbers from kFirstFree on. System calls only.
bool hand_over(std::span<const InheritedFile> files) {
  for (const auto& file : files)
    if (dup2(file.fd, file.target) < 0) return false;
  unsigned from = STDERR_FILENO + 1;
  for (const auto& file : files) {  // ascending
    const auto target = static_cast<unsigned>(file.target);
    if (target > from && close_range(from, target - 1, 0) != 0) return false;
    from = target + 1;
  }
  return close_range(from, ~0U, 0) == 0;
}

[[noreturn]] void run_program(const Account& account, char* const* arguments, int log_fd,
                              std::span<const InheritedFile> inherited, pid_t parent) {
  char language[] = "LC_ALL=C", path[] = "PATH=/usr/bin:/bin", zone[] = "TZ=UTC";
  char* const environment[] = {language, path, zone, nullptr};
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGCHLD})
    signal(number, SIG_DFL);
  setsid();  // Ctrl-C reaches us alone, and we stop the server when we are done with it
  umask(077);
  const rlimit no_core{0, 0};
  const int null_fd = open("/dev/null", O_RDONLY);
  if (setrlimit(RLIMIT_CORE, &no_core) != 0 || !become(account) || null_fd < 0 || chdir("/") != 0 ||
      dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 ||
      !hand_over(inherited)) {
    _exit(kCannotRun);
  }
  // After the change of account, which clears it. The parent may have died before this line took
  // effect.
  if (prctl(PR_SET_PDEATHSIG, SIGINT, 0, 0, 0) != 0 || getppid() != parent) _exit(kCannotRun);
  execve(arguments[0], arguments, environment);
  _exit(kCannotRun);
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

bool has_programs(const std::string& folder) {
  return access((folder + "/postgres").c_str(), X_OK) == 0 &&
         access((folder + "/initdb").c_str(), X_OK) == 0;
}

}  // namespace

Result<Account> server_account() {
  if (geteuid() != 0) return account_of(getpwuid(geteuid()), "of this user id");
  OA_ASSIGN(Account account, account_of(getpwnam(kServerAccount), kServerAccount));
  account.other = true;
  int count = 64;
  account.groups.resize(static_cast<std::size_t>(count));
  if (getgrouplist(account.name.c_str(), account.gid, account.groups.data(), &count) < 0) {
    account.groups.assign(1, account.gid);  // more groups than a server needs
  } else {
    account.groups.resize(static_cast<std::size_t>(count));
  }
  return account;
}

Result<std::string> own_account_name() {
  OA_ASSIGN(const Account account, account_of(getpwuid(geteuid()), "of this user id"));
  return account.name;
}

Result<std::string> find_postgres_programs() {
  std::vector<std::string> folders = {"/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin"};
  const char* path = std::getenv("PATH");
  std::istringstream list(path == nullptr ? "" : path);
  for (std::string folder; std::getline(list, folder, ':');) {
    if (folder.starts_with('/')) folders.push_back(folder);
  }
  for (const auto& folder : folders) {
    if (has_programs(folder)) return folder;
  }
  return make_error(ErrorCode::kNotFound, "postgres.find", "Postgres 15 is not installed")
      .with_hint("install it (Debian: postgresql-15), or put its initdb and postgres on the PATH");
}

Result<pid_t> spawn(const Account& account, const std::vector<std::string>& arguments, int log_fd,
                    std::span<const InheritedFile> inherited) {
  // Out of the way of the numbers that the child gives them.
  std::vector<InheritedFile> files;
  std::vector<Descriptor> copies;
  for (const auto& file : inherited) {
    OA_ASSERT(file.target > STDERR_FILENO && file.target < kFirstFree &&
             (files.empty() || files.back().target < file.target));
    copies.emplace_back(fcntl(file.fd, F_DUPFD_CLOEXEC, kFirstFree));
    if (copies.back().get() < 0) return errno_error(errno, "postgres.spawn", arguments[0]);
    files.push_back({copies.back().get(), file.target});
  }
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return errno_error(errno, "postgres.spawn", arguments[0]);
  if (pid == 0) run_program(account, argv.data(), log_fd, files, parent);
  return pid;
}

Result<MemoryFile> MemoryFile::of(std::string_view name, ByteView content) {
  MemoryFile file(memfd_create(std::string(name).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.fd_ < 0) return errno_error(errno, "memory_file", "cannot make a file in memory");
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t written = write(file.fd_, content.data() + done, content.size() - done);
    if (written < 0) return errno_error(errno, "memory_file", "cannot write a file in memory");
    done += static_cast<std::size_t>(written);
  }
  // Whoever gets it can read it and no more.
  if (fcntl(file.fd_, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return errno_error(errno, "memory_file", "cannot seal a file in memory");
  return file;
}

MemoryFile::~MemoryFile() {
  if (fd_ >= 0) close(fd_);
}

int wait_for_exit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return kCannotRun;  // somebody else collected it
  }
  return status_of(status);
}

bool has_exited(pid_t pid) {
  const pid_t waited = waitpid(pid, nullptr, WNOHANG);
  return waited == pid || (waited < 0 && errno == ECHILD);
}

bool can_enter(const Account& account, const std::string& folder) {
  const pid_t pid = fork();
  if (pid < 0) return false;
  if (pid == 0) _exit(become(account) && chdir(folder.c_str()) == 0 ? 0 : 1);
  return wait_for_exit(pid) == 0;
}

}  // namespace oa::postgres
