// `tenant import`: a tenant made out of an archive, and what an interruption leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oa/catalog/repositories.h"
#include "oa/demo/demo_tenant.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

std::string text(const json::value& value) { return std::string(value.as_string()); }

class ImportCli : public testing::Test {
 protected:
  // A tenant whose archive is a file; its people have passwords, and sign in until they are gone.
  void SetUp() override {
    {
      const auto instance = open(true);
      const auto made = demo::make_demo_tenant(
          *instance, "Maker", {.order_rows = 500, .audit_events = 1}, {}, no_progress());
      ASSERT_TRUE(made.ok()) << made.error().message;
    }
    run_json({"archive", "create", "--tenant", "Maker", "--rows", "--output", archive()});
  }
  std::unique_ptr<instance::Instance> open(bool create = false) const {
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    settings.create = create;
    return *instance::Instance::open(settings);
  }
  std::string archive() const { return scratch_ / "maker.oa-archive"; }
  std::vector<std::string> with_data(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", scratch_ / "data"});
    return arguments;
  }
  testkit::Finished run(std::vector<std::string> arguments) const {
    return testkit::oa(with_data(std::move(arguments)));
  }
  json::value run_json(std::vector<std::string> arguments) const {
    return testkit::oa_json(with_data(std::move(arguments)));
  }
  std::vector<std::string> import(const std::string& name,
                                  const std::string& owner = "new@owner.example") const {
    return {"tenant", "import", archive(), "--from-tenant", "Maker", "--name",
            name,     "--plan", "growth",  "--owner",       owner};
  }
  std::vector<catalog::User> users_of(const std::string& tenant) const {
    const auto instance = open();
    const auto id = instance->database().find_tenant(tenant)->id;
    auto transaction = instance->database().begin(id, catalog::Isolation::kSnapshot);
    return *catalog::Users(*transaction).list();
  }
  std::vector<catalog::RestoreRecord> restores_of(const std::string& tenant) const {
    const auto instance = open();
    const auto id = instance->database().find_tenant(tenant)->id;
    auto transaction = instance->database().begin(id, catalog::Isolation::kSnapshot);
    return *catalog::Restores(*transaction).list(100);
  }
  // Kinds, ids and names, sorted.
  std::vector<std::string> assets_of(const std::string& tenant) const {
    std::vector<std::string> all;
    const auto shown = run_json({"tenant", "show", tenant});
    for (const auto& asset : shown.at("assets").as_array()) all.push_back(canonical_json(asset));
    std::ranges::sort(all);
    return all;
  }
  std::size_t tenants() const { return run_json({"tenant", "list"}).at("data").as_array().size(); }

  testkit::Scratch scratch_;
};

TEST_F(ImportCli, MakesATenantWithItsOwnerAndSaysWhatIsLeftToDo) {
  const auto imported = run_json(import("Copy"));
  EXPECT_FALSE(imported.at("resumed").as_bool());
  const auto& left = imported.at("left_to_do");
  EXPECT_EQ(left.at("invite_users").to_number<int>(), 12);
  ASSERT_EQ(left.at("enter_credentials").as_array().size(), 1u);
  EXPECT_EQ(text(left.at("enter_credentials").at(0)), "warehouse");
  EXPECT_FALSE(left.at("upload_originals").as_array().empty());
  EXPECT_EQ(assets_of("Copy"), assets_of("Maker"));

  const auto users = users_of("Copy");
  ASSERT_EQ(users.size(), 13u);
  for (const auto& user : users) {
    EXPECT_FALSE(user.active) << user.email;
    EXPECT_EQ(user.owner, user.email == "new@owner.example") << user.email;
  }
  const auto restores = restores_of("Copy");
  ASSERT_EQ(restores.size(), 1u);
  EXPECT_EQ(restores[0].kind, catalog::RestoreKind::kImport);
  EXPECT_EQ(restores[0].state, catalog::RestoreState::kApplied);
  EXPECT_EQ(run({"archive", "probe", archive(), "--tenant", "Maker"}).status, 0);

  const auto shown = run(import("Copy 2"));
  EXPECT_EQ(shown.status, 0) << shown.err;
  for (const char* line : {"invite the owner, new@owner.example", "invite 12 users",
                           "enter the credentials \"warehouse\"", "upload the original of"})
    EXPECT_NE(shown.out.find(line), std::string::npos) << line << shown.out;
}

TEST_F(ImportCli, TheOwnerIsTheArchivesPersonOfThatAddress) {
  const auto before = users_of("Maker");
  const auto person = std::ranges::find(before, "user07@demo.example", &catalog::User::email);
  ASSERT_NE(person, before.end());
  ASSERT_FALSE(person->owner);
  const auto imported = run_json(import("Copy", "User07@DEMO.example"));
  EXPECT_EQ(text(imported.at("owner").at("id")), person->id.str());
  EXPECT_EQ(imported.at("left_to_do").at("invite_users").to_number<int>(), 11);
  const auto after = users_of("Copy");
  ASSERT_EQ(after.size(), before.size());
  for (const auto& user : after) {
    EXPECT_FALSE(user.active);
    EXPECT_EQ(user.owner, user.id == person->id) << "the archived Owner is not one here";
  }
  const auto owner = std::ranges::find(after, person->id, &catalog::User::id);
  EXPECT_EQ(owner->first_name, person->first_name);
  EXPECT_EQ(owner->attributes, person->attributes);
}

TEST_F(ImportCli, GoesOnWithABlankTenantAndIntoNothingElse) {
  run_json({"tenant", "create", "Blank", "--plan", "growth"});
  EXPECT_TRUE(run_json(import("Blank")).at("resumed").as_bool());
  EXPECT_EQ(assets_of("Blank"), assets_of("Maker"));
  run_json({"tenant", "create", "Other plan", "--plan", "scale"});
  const auto before = tenants();
  const auto assets = assets_of("Maker");
  for (const char* name : {"Blank", "Maker", "Other plan"}) {
    const auto refused = run(import(name));
    EXPECT_EQ(refused.status, 4) << name;
    EXPECT_NE(refused.err.find("another name"), std::string::npos) << refused.err;
  }
  EXPECT_EQ(tenants(), before);
  EXPECT_EQ(assets_of("Maker"), assets);
  EXPECT_TRUE(assets_of("Other plan").empty());
}

TEST_F(ImportCli, MistakesMakeNoTenant) {
  const auto before = tenants();
  for (const char* owner : {"", "ada", "@example.com", "ada@", "a da@example.com", "a@b\x1b[2J"})
    EXPECT_EQ(run(import("Copy", owner)).status, 2) << owner;
  EXPECT_EQ(run({"tenant", "import", archive(), "--name", "Copy"}).status, 2) << "no owner";
  EXPECT_EQ(run({"tenant", "import", archive(), "--name", "Copy", "--owner", "a@b.example"}).status,
            6)
      << "a stranger's archive";
  EXPECT_EQ(tenants(), before);
}

TEST_F(ImportCli, KilledAnywhereItIsFinishedByTheSameCommand) {
  const auto expected = assets_of("Maker");
  int resumed = 0;
  for (int delay_ms = 100; delay_ms <= 1600; delay_ms += 250) {
    const std::string name = "Copy " + std::to_string(delay_ms);
    auto command = with_data(import(name));
    command.insert(command.begin(), OA_BACKUP);
    testkit::Running first(command);
    const bool ended = first.wait(delay_ms);
    if (!ended) first.kill_and_reap();
    const auto second = run(import(name));
    // Killed after its commit, the import was done.
    const auto restores = restores_of(name);
    const auto applied = std::ranges::count(restores, catalog::RestoreState::kApplied,
                                            &catalog::RestoreRecord::state);
    EXPECT_EQ(applied, 1) << name;
    EXPECT_TRUE(second.status == 0 || (second.status == 4 && restores.size() == 1))
        << name << second.err;
    if (second.out.find("filled") != std::string::npos) ++resumed;
    EXPECT_EQ(assets_of(name), expected) << name;
    EXPECT_EQ(users_of(name).size(), 13u) << name;
  }
  RecordProperty("resumed", resumed);
}

}  // namespace
}  // namespace oa
