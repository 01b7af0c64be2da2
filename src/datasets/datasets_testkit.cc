#include "datasets_testkit.h"

#include "oa/keys/local_key_service.h"

namespace oa::datasets {
namespace {

class Servers : public testing::Environment {
 public:
  void SetUp() override {
    auto started = catalog::EmbeddedPostgres::start(folder_.path() + "/postgres");
    ASSERT_OK(started);
    server_ = std::move(started).value();
    ASSERT_OK(catalog::Database::migrate(server_->settings()));
    source_ = std::make_unique<testkit::SourceCluster>();
    source_->sql("GRANT USAGE ON SCHEMA public TO reader");
  }
  void TearDown() override {
    source_.reset();
    server_.reset();
  }
  testkit::Scratch folder_;
  std::unique_ptr<catalog::EmbeddedPostgres> server_;
  std::unique_ptr<testkit::SourceCluster> source_;
};

Servers* shared = nullptr;

}  // namespace

const catalog::ConnectionSettings& cluster() { return shared->server_->settings(); }
const testkit::SourceCluster& source_cluster() { return *shared->source_; }

SecretBytes secret_of(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

void DatasetsTest::SetUp() {
  RootKeySource root;
  root.key_file = folder_ / "root.key";
  keys_ = LocalKeyService::create(folder_ / "keys", root).value();
  store_ = open_local_store(folder_ / "objects").value();
  objects_ = std::make_unique<SealedObjects>(*store_, *keys_);
  database_ = catalog::Database::open(cluster()).value();
  tenant_ = TenantId::random();
  ASSERT_OK(keys_->create_tenant_key(tenant_));
  ASSERT_OK(database_->create_tenant(
      {tenant_, "tenant " + tenant_.str(), catalog::Plan::kGrowth, Timestamp::now()}));
  catalog::User user;
  user.id = user_ = UserId::random();
  user.email = user.id.str() + "@example.com";
  catalog::Workspace workspace;
  workspace.id = workspace_ = WorkspaceId::random();
  workspace.name = "Sales";
  auto transaction = begin();
  ASSERT_OK(catalog::Users(transaction).put({&user, 1}));
  ASSERT_OK(catalog::Workspaces(transaction).put({&workspace, 1}));
  ASSERT_OK(transaction.commit());
}

DatasetService DatasetsTest::service() {
  sources::SourcePolicy policy;
  policy.allow_private_networks = true;
  return DatasetService({*database_, *objects_, *keys_, policy}, tenant_);
}

Result<catalog::Dataset> DatasetsTest::import(std::string_view csv, std::string model,
                                              Progress& progress) {
  analytics::RejectedRows rejected;
  return service().import_file(new_dataset(std::move(model)),
                               MemorySource(Bytes(csv.begin(), csv.end())), {}, rejected, actor(),
                               progress);
}

catalog::Dataset DatasetsTest::stored(DatasetId id) {
  auto transaction = begin();
  return catalog::Datasets(transaction).get(id).value();
}

catalog::DatasetSource DatasetsTest::stored_source(DatasetId id) {
  auto transaction = begin();
  return catalog::DatasetSources(transaction).get(id).value();
}

std::vector<catalog::Dataset> DatasetsTest::listed() {
  auto transaction = begin();
  return catalog::Datasets(transaction).list(workspace_).value();
}

std::vector<std::string> DatasetsTest::actions() {
  std::vector<std::string> all;
  auto transaction = begin();
  EXPECT_TRUE(catalog::Audit(transaction)
                  .for_each([&](const AuditEvent& event) {
                    all.push_back(event.action);
                    return Status();
                  })
                  .ok());
  return all;
}

std::vector<std::string> DatasetsTest::objects() {
  std::vector<std::string> all;
  for (const auto kind : {RetentionClass::kRows, RetentionClass::kOriginals}) {
    const auto found = store_->list(tenant_, kind, "", 1000).value();
    for (const auto& object : found) {
      const auto versions = store_->list_versions(object.key).value();
      all.push_back(std::string(to_text(kind)) + "/" + object.key.name + " " +
                    std::to_string(versions.size()));
    }
  }
  return all;
}

void DatasetsTest::fill_source() {
  source_sql(
      "DROP TABLE IF EXISTS sales, customers;"
      "CREATE TABLE customers (id int, region text);"
      "INSERT INTO customers VALUES (1, 'North-canary'), (2, 'South');"
      "CREATE TABLE sales (id int, customer_id int, amount numeric(12,2));"
      "INSERT INTO sales SELECT i, 1 + i % 2, i FROM generate_series(1, 1000) i;"
      "GRANT SELECT ON sales, customers TO reader");
  ASSERT_OK(secrets().put("warehouse", catalog::SecretKind::kPostgres,
                          secret_of(source_cluster().secret_payload()), actor()));
}

}  // namespace oa::datasets

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  oa::datasets::shared = new oa::datasets::Servers;  // GoogleTest owns it
  testing::AddGlobalTestEnvironment(oa::datasets::shared);
  return RUN_ALL_TESTS();
}
