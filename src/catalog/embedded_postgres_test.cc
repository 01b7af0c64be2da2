#include "oa/catalog/embedded_postgres.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "oa/catalog/repositories.h"
#include "test_cluster.h"

namespace oa::catalog {
namespace {

namespace fs = std::filesystem;

pid_t server_of(const std::string& folder) {
  pid_t pid = 0;
  std::ifstream(folder + "/data/postmaster.pid") >> pid;
  return pid;
}

// A killed process stays known as a zombie until its parent, here perhaps the system, collects it.
bool runs(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return static_cast<bool>(status >> number >> name >> state) && state != "Z";
}

bool ends_soon(pid_t pid) {
  for (int i = 0; i < 3000 && runs(pid); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !runs(pid);
}

// Two ends, to hold a child at a point until the parent says go on.
struct Pipe {
  Pipe() { OA_ASSERT(pipe(ends) == 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  void signal() const { OA_ASSERT(write(ends[1], "x", 1) == 1); }
  void wait() const {
    char byte = 0;
    OA_ASSERT(read(ends[0], &byte, 1) == 1);
  }
  int ends[2];
};

Status commit_tenant(const ConnectionSettings& settings, const std::string& name) {
  OA_TRY(Database::migrate(settings));
  OA_ASSIGN(const auto opened, Database::open(settings));
  return opened->create_tenant({TenantId::random(), name, Plan::kStarter, Timestamp::now()});
}

std::size_t tenants(const ConnectionSettings& settings) {
  return Database::open(settings).value()->list_tenants().value().size();
}

TEST(EmbeddedPostgres, StopsWithItsObjectAndKeepsItsData) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  pid_t server = 0;
  {
    const auto postgres = EmbeddedPostgres::start(path);
    ASSERT_OK(postgres);
    EXPECT_TRUE((*postgres)->owner());
    ASSERT_OK(commit_tenant((*postgres)->settings(), "one"));
    server = server_of(path);
    ASSERT_TRUE(runs(server));
  }
  EXPECT_FALSE(runs(server));
  const auto again = EmbeddedPostgres::start(path);
  ASSERT_OK(again);
  EXPECT_EQ(tenants((*again)->settings()), 1u);
}

TEST(EmbeddedPostgres, AKilledOwnerLosesNothingAndLeavesNobody) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  const Pipe committed;
  const pid_t owner = fork_child([&] {
    const auto postgres = EmbeddedPostgres::start(path);
    if (!postgres.ok() || !commit_tenant((*postgres)->settings(), "one").ok()) return 1;
    committed.signal();
    pause();
    return 0;
  });
  committed.wait();
  const pid_t server = server_of(path);
  ASSERT_TRUE(runs(server));
  ASSERT_EQ(kill(owner, SIGKILL), 0);
  EXPECT_EQ(exit_status(owner), 128 + SIGKILL);
  {
    // At once, while the old server may still be stopping.
    const auto next = EmbeddedPostgres::start(path);
    ASSERT_OK(next);
    EXPECT_TRUE((*next)->owner());
    EXPECT_EQ(tenants((*next)->settings()), 1u);
    EXPECT_FALSE(runs(server));
  }
  EXPECT_TRUE(ends_soon(server));
}

TEST(EmbeddedPostgres, AServerThatWasKilledRecovers) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  {
    const auto postgres = EmbeddedPostgres::start(path);
    ASSERT_OK(postgres);
    ASSERT_OK(commit_tenant((*postgres)->settings(), "one"));
    const pid_t server = server_of(path);
    ASSERT_EQ(kill(server, SIGQUIT), 0);  // no checkpoint, as in a crash
    ASSERT_TRUE(ends_soon(server));
  }
  const auto again = EmbeddedPostgres::start(path);
  ASSERT_OK(again);
  EXPECT_EQ(tenants((*again)->settings()), 1u);
}

TEST(EmbeddedPostgres, AStartThatWasCutShortIsFinishedByTheNext) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  for (const int after_ms : {50, 400, 900, 1300}) {
    const pid_t owner = fork_child([&] { return EmbeddedPostgres::start(path).ok() ? 0 : 1; });
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    kill(owner, SIGKILL);
    exit_status(owner);
  }
  const auto postgres = EmbeddedPostgres::start(path);
  ASSERT_OK(postgres);
  ASSERT_OK(commit_tenant((*postgres)->settings(), "one"));
  for (const auto& entry : fs::directory_iterator(path)) {
    EXPECT_EQ(entry.path().string().find("partial"), std::string::npos) << entry.path();
  }
}

TEST(EmbeddedPostgres, ASecondProcessJoinsAndLeavesItRunning) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  const auto postgres = EmbeddedPostgres::start(path);
  ASSERT_OK(postgres);
  const pid_t joiner = fork_child([&] {
    {
      const auto joined = EmbeddedPostgres::start(path);
      if (!joined.ok() || (*joined)->owner()) return 1;
      if (!commit_tenant((*joined)->settings(), "from the joiner").ok()) return 2;
    }
    return 0;
  });
  EXPECT_EQ(exit_status(joiner), 0);
  EXPECT_EQ(tenants((*postgres)->settings()), 1u);
}

// Whoever has joined and stays loses the server, and has it again when the next owner runs it.
TEST(EmbeddedPostgres, AnOwnerThatIsToldToEndDoesNotWaitForThoseWhoStay) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  const Pipe started, joined, end;
  const pid_t owner = fork_child([&] {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGTERM, &action, nullptr);
    {
      const auto postgres = EmbeddedPostgres::start(path);
      if (!postgres.ok() || !commit_tenant((*postgres)->settings(), "one").ok()) return 1;
      started.signal();
      end.wait();
      started.signal();
    }
    return 0;
  });
  started.wait();
  const auto user = EmbeddedPostgres::start(path);
  ASSERT_OK(user);
  EXPECT_FALSE((*user)->owner());
  const auto database = Database::open((*user)->settings());
  ASSERT_OK(database);
  ASSERT_OK((*database)->list_tenants());
  const pid_t server = server_of(path);
  end.signal();
  started.wait();
  // It waits for us now, until it is told again.
  for (int i = 0; i < 500 && runs(owner); ++i) {
    kill(owner, SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(exit_status(owner), 0);
  EXPECT_FALSE(runs(server));
  EXPECT_EQ((*database)->list_tenants().error().code, ErrorCode::kDatabaseUnavailable);
  std::ifstream log(path + "/server.log");
  const std::string text((std::istreambuf_iterator<char>(log)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("although others still use"), std::string::npos);
  const Pipe again, done;
  const pid_t next = fork_child([&] {
    const auto postgres = EmbeddedPostgres::start(path, ServerUse::kRun);
    if (!postgres.ok() || !(*postgres)->owner()) return 1;
    again.signal();
    done.wait();
    _exit(0);  // without the wait for us
  });
  again.wait();
  const auto tenants_again = (*database)->list_tenants();
  ASSERT_OK(tenants_again);
  EXPECT_EQ(tenants_again->size(), 1u);
  done.signal();
  EXPECT_EQ(exit_status(next), 0);
}

TEST(EmbeddedPostgres, ManyStartersHaveOneOwner) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  const Pipe ready, finish;
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(fork_child([&] {
      const auto postgres = EmbeddedPostgres::start(path);
      if (!postgres.ok()) return 2;
      ready.signal();
      finish.wait();
      return (*postgres)->owner() ? 1 : 0;
    }));
  }
  for (int i = 0; i < 3; ++i) ready.wait();
  for (int i = 0; i < 3; ++i) finish.signal();
  int owners = 0;
  for (const pid_t child : children) {
    const int status = exit_status(child);
    EXPECT_LE(status, 1);
    owners += status;
  }
  EXPECT_EQ(owners, 1);
  // They went with _exit, so the kernel had to stop the server.
  const pid_t server = server_of(path);
  EXPECT_TRUE(server == 0 || ends_soon(server));
}

TEST(EmbeddedPostgres, FoldersThatAreNotOursAreRefused) {
  const TestFolder folder;
  std::ofstream(folder.path() + "/notes.txt") << "mine";
  const auto used = EmbeddedPostgres::start(folder.path());
  ASSERT_FALSE(used.ok());
  EXPECT_EQ(used.error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(used.error().hint.empty());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    names.push_back(entry.path().filename());
  EXPECT_EQ(names, std::vector<std::string>{"notes.txt"}) << "a refused folder stays as it was";
  EXPECT_EQ(EmbeddedPostgres::start(folder.path() + "/notes.txt").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(EmbeddedPostgres::start("").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(EmbeddedPostgres::start(folder.path() + "/a,b").error().code,
            ErrorCode::kInvalidArgument);
  const auto deep = EmbeddedPostgres::start(folder.path() + "/" + std::string(100, 'x'));
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().code, ErrorCode::kInvalidArgument);
}

TEST(EmbeddedPostgres, AClusterOfAnotherVersionIsRefused) {
  const TestFolder folder;
  const std::string path = folder.path() + "/db";
  fs::create_directories(path + "/data");
  std::ofstream(path + "/oa-postgres.lock");
  std::ofstream(path + "/data/PG_VERSION") << "14\n";
  const auto started = EmbeddedPostgres::start(path);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, ErrorCode::kUnsupported);
}

TEST(EmbeddedPostgres, RootNeedsAFolderThatTheServerCanReach) {
  const TestFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0700), 0);
  const auto started = EmbeddedPostgres::start(folder.path() + "/db");
  if (geteuid() == 0) {
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().code, ErrorCode::kPermissionDenied);
    EXPECT_FALSE(started.error().hint.empty());
  } else {
    EXPECT_TRUE(started.ok());
  }
}

TEST(EmbeddedPostgres, OnlyTheMainThreadMayStartIt) {
  const TestFolder folder;
  std::thread([&] {
    EXPECT_EQ(EmbeddedPostgres::start(folder.path() + "/db").error().code, ErrorCode::kInternal);
  }).join();
}

TEST(EmbeddedPostgres, TheServerIsPrivateAndItsLogSaysNothing) {
  const auto admin = superuser();
  const auto setting = [&](const std::string& name) {
    const Rows rows = admin->query("SELECT current_setting($1)", {Parameter::of(name)}).value();
    return std::string(PQgetvalue(rows.get(), 0, 0));
  };
  EXPECT_EQ(setting("listen_addresses"), "");
  EXPECT_EQ(setting("data_checksums"), "on");
  EXPECT_EQ(setting("fsync"), "on");
  EXPECT_EQ(setting("wal_level"), "replica");
  EXPECT_EQ(setting("server_encoding"), "UTF8");
  const std::string folder = fs::path(cluster().host).parent_path();
  struct stat info {};
  for (const char* part : {"", "/data", "/socket"}) {
    ASSERT_EQ(stat((folder + part).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u) << part;
  }
  const TenantId tenant = new_tenant();
  TenantTransaction tx = begin(tenant);
  User user;
  user.email = "somebody-private@example.com";
  user.id = UserId::random();
  ASSERT_OK(Users(tx).put({&user, 1}));
  user.id = UserId::random();
  ASSERT_FALSE(Users(tx).put({&user, 1}).ok());
  ASSERT_FALSE(superuser()->script("SELECT 'somebody-private'::uuid").ok());
  std::ifstream log(folder + "/server.log");
  const std::string text((std::istreambuf_iterator<char>(log)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("ready to accept connections"), std::string::npos);
  EXPECT_EQ(text.find("somebody-private"), std::string::npos);
}

TEST(EmbeddedPostgres, OtherRolesDoNotGetIn) {
  EXPECT_FALSE(Connection::open(cluster(), "root").ok());
  EXPECT_FALSE(Connection::open(cluster(), "pg_monitor").ok());
}

}  // namespace
}  // namespace oa::catalog
