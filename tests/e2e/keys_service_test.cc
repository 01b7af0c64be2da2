// The service with its keys in a KMS and on a token, as docs/operations.md has it.
#include "keys_world.h"

namespace oa {
namespace {

TEST_P(KeysAnywhere, TheServiceWorksOverThemAndComesBackAfterARestart) {
  up_demo();
  EXPECT_FALSE(fs::exists(scratch_ / "data/keys/keystore"));
  lose_a_report_and_restore_it();
  await_first_backup();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::string moment = Timestamp::now().rfc3339();
  run({"tenant", "create", "Later"});
  const auto job = run({"continuity", "moment", "--tenant", "Demo", "--at", moment});
  const std::string archive = text(job.at("archive_id"));
  run({"archive", "verify", archive, "--tenant", "Demo"});
  run({"tenant", "import", archive, "--from-tenant", "Demo", "--name", "Copy", "--plan", "growth",
       "--owner", "new@owner.example"});
  EXPECT_EQ(refusal({"archive", "create", "--tenant", "Copy", "--rows"}), "");
  EXPECT_EQ(service_->stop(), 0);

  up();
  EXPECT_EQ(asked("/v1/workspaces"), "200");
  EXPECT_EQ(service_->stop(), 0);
  service_.reset();

  // A node, which has no folder of keys: it asks the provider for the cell's.
  for (const char* name : {"PG_VERSION", "global/pg_control"}) {
    fs::create_directories(fs::path(scratch_ / "node") / fs::path(name).parent_path());
    fs::copy_file(scratch_ / (std::string("data/postgres/data/") + name),
                  scratch_ / (std::string("node/") + name));
    fs::permissions(scratch_ / (std::string("node/") + name), fs::perms(0644));
  }
  fs::create_directories(scratch_ / "node/pg_wal");
  const auto node = [&](const std::string& config, std::vector<std::string> arguments) {
    testkit::write_file(
        scratch_ / "node.json",
        canonical_json(json::object{{"cell", scratch_ / "data/continuity"}, {"config", config}}));
    arguments.insert(arguments.begin() + 1, {"--node", scratch_ / "node.json"});
    return testkit::oa(std::move(arguments)).status;
  };
  constexpr int kNotThere = 1, kTrouble = 126;
  const std::vector<std::string> restore = {"restore-wal", "0000000100000000000000FF",
                                            scratch_ / "node/pg_wal/piece"};
  EXPECT_EQ(node(config_, restore), kNotThere);
  testkit::write_file(scratch_ / "strange.json",
                      replaced(testkit::contents_of(config_), "oa-backup\"", "oa-others\""));
  EXPECT_EQ(node(scratch_ / "strange.json", restore), kTrouble);
  testkit::write_file(scratch_ / "strange.json", "{}");
  EXPECT_EQ(node(scratch_ / "strange.json", restore), kTrouble);
  EXPECT_EQ(node(config_, {"node-keys", "--into", scratch_ / "none"}), 2)
      << "no provider gives one";

  // The whole cell, by keys that only the provider has.
  run({"continuity", "recover", "--to", moment, "--into", scratch_ / "beside"});
  up({}, "beside");
  const auto tenants = run({"tenant", "list"}, "beside").at("data").as_array();
  ASSERT_EQ(tenants.size(), 1u);
  EXPECT_EQ(tenants[0].at("name"), "Demo");
  EXPECT_EQ(refusal({"archive", "create", "--tenant", "Demo", "--rows"}, "beside"), "");
}

TEST_P(KeysAnywhere, AnInstanceKeepsItsProvider) {
  run({"tenant", "create", "Acme"});
  const std::string mark = testkit::contents_of(scratch_ / "data/keys.json");
  testkit::write_file(scratch_ / "other.json", R"({"keys":{"provider":"local"}})");
  config_ = scratch_ / "other.json";
  EXPECT_EQ(refusal({"tenant", "list"}), "request/invalid");
  run({"tenant", "create", "Acme"}, "local");
  config_ = scratch_ / "oa.json";
  EXPECT_EQ(refusal({"tenant", "list"}, "local"), "resource/conflict");
  fs::rename(scratch_ / "data/keys.json", scratch_ / "kept.json");
  EXPECT_EQ(refusal({"tenant", "create", "Other"}), "key/store-missing");
  testkit::write_file(scratch_ / "data/keys.json", replaced(mark, "oa-backup", "oa-others"));
  EXPECT_EQ(refusal({"tenant", "list"}), "resource/conflict");
  testkit::write_file(scratch_ / "data/keys.json", mark);
  EXPECT_EQ(refusal({"tenant", "list"}), "");
}

INSTANTIATE_TEST_SUITE_P(Kms, KeysAnywhere, testing::Values(+[]() -> std::unique_ptr<Provider> {
                           return std::make_unique<Kms>();
                         }));
INSTANTIATE_TEST_SUITE_P(Token, KeysAnywhere, testing::Values(+[]() -> std::unique_ptr<Provider> {
                           return std::make_unique<Token>();
                         }));

TEST_F(KeysTest, SecretsOfAProviderAreTheirOwnersAloneAndNotShown) {
  use(std::make_unique<Token>());
  fs::permissions(scratch_ / "pin", fs::perms(0640));
  EXPECT_EQ(refusal({"tenant", "create", "Acme"}), "auth/permission-denied");
  fs::permissions(scratch_ / "pin", fs::perms(0600));
  testkit::write_file(scratch_ / "pin", "815-wrong\n");
  const auto refused = testkit::oa(with_place({"tenant", "create", "Acme", "--json"}, "data"));
  EXPECT_NE(refused.err.find("key/service-refused"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.err.find("815-wrong"), std::string::npos);
}

TEST_F(KeysTest, AKmsThatIsAwayIsToldAndComesBack) {
  auto kms = std::make_unique<Kms>();
  auto& fake = kms->server().kms();
  use(std::move(kms));
  run({"tenant", "create", "Acme"});
  constexpr int kAttempts = 5;  // of one request
  fake.fail_next("", 500, "KMSInternalException", kAttempts);
  EXPECT_EQ(refusal({"archive", "create", "--tenant", "Acme"}), "key/service-unavailable");
  EXPECT_EQ(refusal({"archive", "create", "--tenant", "Acme"}), "");

  // What needs no key goes on, and people are not kept waiting for the provider's answer each time.
  up_demo();
  ASSERT_EQ(asked("/v1/workspaces"), "200");
  std::this_thread::sleep_for(std::chrono::milliseconds(3'100));
  fake.fail_next("DescribeKey", 500, "KMSInternalException", 1'000);
  EXPECT_EQ(asked("/v1/workspaces"), "200");
  const int calls = fake.calls("DescribeKey");
  std::this_thread::sleep_for(std::chrono::milliseconds(3'100));
  EXPECT_EQ(asked("/v1/workspaces"), "200");
  EXPECT_EQ(fake.calls("DescribeKey"), calls);
}

}  // namespace
}  // namespace oa
