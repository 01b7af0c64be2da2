#include "test_cluster.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "oa/catalog/embedded_postgres.h"

namespace oa::catalog {
namespace {

class Cluster : public testing::Environment {
 public:
  void SetUp() override {
    auto started = EmbeddedPostgres::start(folder_.path() + "/postgres");
    ASSERT_OK(started);
    server_ = std::move(started).value();
    ASSERT_OK(Database::migrate(server_->settings()));
    auto opened = Database::open(server_->settings());
    ASSERT_OK(opened);
    database_ = std::move(opened).value();
  }
  void TearDown() override {
    database_.reset();
    server_.reset();
  }

  TestFolder folder_;
  std::unique_ptr<EmbeddedPostgres> server_;
  std::unique_ptr<Database> database_;
};

Cluster* shared = nullptr;

}  // namespace

TestFolder::TestFolder() {
  char path[] = "/tmp/oa-catalog-XXXXXX";
  OA_ASSERT(mkdtemp(path) != nullptr && chmod(path, 0711) == 0);
  path_ = path;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

const ConnectionSettings& cluster() { return shared->server_->settings(); }
Database& database() { return *shared->database_; }
std::unique_ptr<Connection> superuser() { return Connection::open(cluster(), "postgres").value(); }

TenantId new_tenant() {
  const TenantId id = TenantId::random();
  database().create_tenant({id, "tenant " + id.str(), Plan::kGrowth, Timestamp::now()}).value();
  return id;
}

TenantTransaction begin(TenantId tenant, Isolation isolation) {
  return database().begin(tenant, isolation).value();
}

pid_t fork_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  OA_ASSERT(pid >= 0);
  if (pid == 0) _exit(body());
  return pid;
}

int exit_status(pid_t pid) {
  int status = 0;
  OA_ASSERT(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace oa::catalog

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  oa::catalog::shared = new oa::catalog::Cluster;  // GoogleTest owns it
  testing::AddGlobalTestEnvironment(oa::catalog::shared);
  return RUN_ALL_TESTS();
}
