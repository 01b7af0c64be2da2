// The first Owner gets a password from the operator, who never sees it on a command line.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "oa/accounts/accounts.h"
#include "oa/catalog/repositories.h"
#include "oa/instance/instance.h"
#include "testkit/archive_tool.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::Finished;

std::string text(const json::value& value) { return std::string(value.as_string()); }

class UserCli : public testing::Test {
 protected:
  UserCli() {
    const auto instance = open(true);
    tenant_ = instance->provision_tenant("Acme", catalog::Plan::kGrowth).value();
    workspace_.id = WorkspaceId::random();
    auto transaction = instance->database().begin(tenant_.id);
    catalog::Workspaces(*transaction).put({&workspace_, 1}).value();
    transaction->commit().value();
  }
  std::unique_ptr<instance::Instance> open(bool create = false) const {
    instance::Settings settings;
    settings.data_folder = scratch_ / "data";
    settings.create = create;
    return std::move(instance::Instance::open(settings)).value();
  }
  std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "user");
    arguments.insert(arguments.end(), {"--tenant", "Acme", "--data", scratch_ / "data"});
    return arguments;
  }
  Finished run(std::vector<std::string> arguments) const {
    return testkit::oa(command(std::move(arguments)));
  }
  json::value run_json(std::vector<std::string> arguments) const {
    return testkit::oa_json(command(std::move(arguments)));
  }
  Result<accounts::Identity> sign_in(const std::string& password) const {
    const auto instance = open();
    accounts::Accounts accounts(instance->database());
    OA_ASSIGN(const auto signed_in,
              accounts.sign_in({"Acme", "ada@acme.example",
                                SecretBytes::copy_of(as_bytes(password)), "192.0.2.1", "trace"}));
    return signed_in.identity;
  }

  const testkit::Scratch scratch_;
  catalog::Tenant tenant_;
  catalog::Workspace workspace_;
};

TEST_F(UserCli, TheFirstOwnerSignsIn) {
  const std::string file = scratch_ / "password";
  testkit::write_file(file, "three blind mice\nnot this line\n");
  const auto made =
      run_json({"add", "ada@acme.example", "--first", "Ada", "--last", "Lovelace", "--owner"});
  EXPECT_TRUE(made.at("owner").as_bool());
  EXPECT_EQ(run({"add", "ADA@acme.example"}).status, 4);
  EXPECT_EQ(run({"add", "ada"}).status, 2);

  // Standard input is no terminal, and a test has none.
  const Finished unasked = run({"set-password", "ada@acme.example"});
  EXPECT_EQ(unasked.status, 2);
  EXPECT_NE(unasked.err.find("--password-file"), std::string::npos) << unasked.err;
  EXPECT_EQ(run({"set-password", "eve@acme.example", "--password-file", file}).status, 3);
  const Finished set = run({"set-password", "ada@acme.example", "--password-file", file});
  EXPECT_EQ(set.status, 0) << set.err;
  EXPECT_EQ(set.out.find("mice"), std::string::npos);
  const auto ada = sign_in("three blind mice");
  ASSERT_TRUE(ada.ok());
  EXPECT_TRUE(ada->owner);

  const auto listed = run_json({"list"}).at("data");
  ASSERT_EQ(listed.as_array().size(), 1u);
  EXPECT_EQ(text(listed.at(0).at("id")), ada->user.str());
  EXPECT_TRUE(listed.at(0).at("has_password").as_bool());
  testkit::write_file(file, "12345678\n");
  const Finished common = run({"set-password", "ada@acme.example", "--password-file", file});
  EXPECT_EQ(common.status, 2);
  EXPECT_EQ(common.err.find("12345678"), std::string::npos);
  EXPECT_TRUE(sign_in("three blind mice").ok());
}

TEST_F(UserCli, RolesAndBeingInactive) {
  const std::string file = scratch_ / "password";
  testkit::write_file(file, "three blind mice\n");
  run_json({"add", "ada@acme.example"});
  const std::string workspace = workspace_.id.str();
  run_json({"role", "ada@acme.example", "--workspace", workspace, "--role", "admin"});
  EXPECT_EQ(run({"role", "ada@acme.example", "--workspace", workspace, "--role", "king"}).status,
            2);
  EXPECT_EQ(
      run({"role", "ada@acme.example", "--workspace", Uuid::random().str(), "--role", "viewer"})
          .status,
      3);
  run_json({"deactivate", "ada@acme.example"});
  const Finished still = run({"set-password", "ada@acme.example", "--password-file", file});
  EXPECT_NE(still.out.find("--activate"), std::string::npos) << still.out;
  EXPECT_FALSE(sign_in("three blind mice").ok());
  run_json({"set-password", "ada@acme.example", "--password-file", file, "--activate"});
  const auto ada = sign_in("three blind mice");
  ASSERT_TRUE(ada.ok());
  EXPECT_TRUE(ada->admin_in(workspace_.id));
  run_json({"role", "ada@acme.example", "--workspace", workspace, "--role", "none"});
  EXPECT_FALSE(sign_in("three blind mice")->may_back_up());
}

}  // namespace
}  // namespace oa
