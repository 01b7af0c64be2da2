#include "shared_database.h"

#include <sys/stat.h>

#include <filesystem>

#include "oa/catalog/embedded_postgres.h"
#include "oa/catalog/repositories.h"

namespace oa::testkit {
namespace {

class SharedDatabase : public testing::Environment {
 public:
  void SetUp() override {
    char path[] = "/tmp/oa-database-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    ASSERT_EQ(chmod(path, 0711), 0);
    folder_ = path;
    auto started = catalog::EmbeddedPostgres::start(folder_ + "/postgres");
    ASSERT_OK(started);
    server_ = std::move(started).value();
    ASSERT_OK(catalog::Database::migrate(server_->settings()));
    auto opened = catalog::Database::open(server_->settings());
    ASSERT_OK(opened);
    database_ = std::move(opened).value();
  }
  void TearDown() override {
    database_.reset();
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string folder_;
  std::unique_ptr<catalog::EmbeddedPostgres> server_;
  std::unique_ptr<catalog::Database> database_;
};

auto* const shared =
    static_cast<SharedDatabase*>(testing::AddGlobalTestEnvironment(new SharedDatabase));

}  // namespace

catalog::Database& shared_database() { return *shared->database_; }
const catalog::ConnectionSettings& shared_settings() { return shared->server_->settings(); }

catalog::Tenant make_tenant() {
  const TenantId id = TenantId::random();
  const catalog::Tenant tenant{id, "tenant " + id.str(), catalog::Plan::kGrowth, Timestamp::now()};
  shared_database().create_tenant(tenant).value();
  return tenant;
}

UserId make_user(TenantId tenant, const std::string& email, bool owner) {
  catalog::User user;
  user.id = UserId::random();
  user.email = email;
  user.owner = owner;
  auto transaction = shared_database().begin(tenant);
  catalog::Users(*transaction).put({&user, 1}).value();
  transaction->commit().value();
  return user.id;
}

}  // namespace oa::testkit
