// Whose archives a tenant trusts, as it is said on the command line.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "oa/demo/demo_tenant.h"
#include "testkit/archive_tool.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::Finished;
using testkit::oa_json;

std::string text(const json::value& value) { return std::string(value.as_string()); }

// Two tenants with the same people; one has made an archive, the other is offered it.
class TrustCli : public testing::Test {
 protected:
  void SetUp() override {
    {
      instance::Settings settings;
      settings.data_folder = scratch_ / "data";
      settings.create = true;
      const auto instance = *instance::Instance::open(settings);
      for (const char* name : {"Maker", "Taker"}) {
        const auto made = demo::make_demo_tenant(
            *instance, name, {.order_rows = 100, .audit_events = 1}, {}, no_progress());
        ASSERT_TRUE(made.ok()) << made.error().message;
      }
    }
    run_json({"archive", "create", "--tenant", "Maker", "--output", archive()});
    const auto key = run_json({"keys", "list", "Maker"}).at("data").at(0);
    EXPECT_EQ(text(key.at("state")), "signs");
    fingerprint_ = text(key.at("fingerprint"));
    public_key_ = text(key.at("public_key"));
    testkit::write_file(key_file(), "untrusted comment: Maker\n" + public_key_ + "\n");
  }
  std::string archive() const { return scratch_ / "maker.oa-archive"; }
  std::string key_file() const { return scratch_ / "maker.pub"; }
  Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", scratch_ / "data"});
    return testkit::oa(std::move(arguments));
  }
  json::value run_json(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", scratch_ / "data"});
    return oa_json(std::move(arguments));
  }
  Finished verify(const std::string& tenant) const {
    return run({"archive", "verify", archive(), "--tenant", tenant});
  }
  std::vector<std::string> accept(const std::string& fingerprint, const std::string& owner) const {
    return {"keys",          "accept",    "Taker",   "--public-key", key_file(),
            "--fingerprint", fingerprint, "--owner", owner};
  }
  std::vector<std::string> revoke(const std::string& tenant) const {
    return {"keys", "revoke", tenant, "--fingerprint", fingerprint_, "--owner", kOwner};
  }

  static constexpr char kOwner[] = "user01@demo.example";
  testkit::Scratch scratch_;
  std::string fingerprint_, public_key_;
};

TEST_F(TrustCli, TheRefusalNamesTheCommandThatAccepts) {
  const auto refused = verify("Taker");
  EXPECT_EQ(refused.status, 6);
  EXPECT_NE(refused.err.find("oa-backup keys accept Taker --public-key KEYFILE --fingerprint " +
                             fingerprint_ + " --owner EMAIL"),
            std::string::npos)
      << refused.err;
  const auto without_tenant = run({"archive", "verify", archive()});
  EXPECT_EQ(without_tenant.status, 6);
  EXPECT_EQ(without_tenant.err.find("keys accept"), std::string::npos);
}

TEST_F(TrustCli, AnOwnerAcceptsASignerAndRevokesIt) {
  auto arguments = accept(fingerprint_, "User01@DEMO.example");
  arguments.insert(arguments.end(), {"--note", "the maker's archives"});
  const auto accepted = run_json(arguments);
  EXPECT_EQ(text(accepted.at("public_key")), public_key_);
  EXPECT_EQ(verify("Taker").status, 0);
  EXPECT_EQ(run(arguments).status, 4) << "trusted already";
  auto listed = run_json({"keys", "accepted", "Taker"}).at("data");
  ASSERT_EQ(listed.as_array().size(), 1u);
  EXPECT_EQ(text(listed.at(0).at("fingerprint")), fingerprint_);
  EXPECT_EQ(text(listed.at(0).at("note")), "the maker's archives");
  EXPECT_TRUE(listed.at(0).at("revoked_at").is_null());
  EXPECT_EQ(run_json({"keys", "list", "Taker"}).at("data").as_array().size(), 1u)
      << "an accepted key is not the tenant's own";

  const auto revoked = run(revoke("Taker"));
  EXPECT_EQ(revoked.status, 0) << revoked.err;
  EXPECT_EQ(verify("Taker").status, 6);
  EXPECT_EQ(run(revoke("Taker")).status, 3);
  listed = run_json({"keys", "accepted", "Taker"}).at("data");
  EXPECT_TRUE(listed.at(0).at("revoked_at").is_string());
  const auto shown = run({"keys", "accepted", "Taker"});
  EXPECT_NE(shown.out.find("revoked"), std::string::npos);
  EXPECT_NE(run({"keys", "accepted", "Maker"}).out.find("its own keys alone"), std::string::npos);
}

TEST_F(TrustCli, WhoMayNotOrDoesNotKnowTheFingerprintIsRefused) {
  EXPECT_EQ(run(accept(fingerprint_, "user02@demo.example")).status, 5);
  EXPECT_EQ(run(accept(fingerprint_, "nobody@demo.example")).status, 3);
  const auto other = run(accept(std::string(64, '0'), kOwner));
  EXPECT_EQ(other.status, 2);
  EXPECT_EQ((other.out + other.err).find(fingerprint_), std::string::npos)
      << "whoever does not know it is not told";
  EXPECT_EQ(run(accept("no fingerprint", kOwner)).status, 2);
  testkit::write_file(key_file(), "not a key\n");
  EXPECT_EQ(run(accept(fingerprint_, kOwner)).status, 2);
  EXPECT_EQ(run({"keys", "accept", "Taker", "--fingerprint", fingerprint_}).status, 2);
  EXPECT_EQ(verify("Taker").status, 6);
  EXPECT_TRUE(run_json({"keys", "accepted", "Taker"}).at("data").as_array().empty());
}

TEST_F(TrustCli, AStolenKeyOfTheTenantItselfIsRotatedAndRevoked) {
  const auto too_early = run(revoke("Maker"));
  EXPECT_EQ(too_early.status, 4);
  EXPECT_NE(too_early.err.find("keys rotate"), std::string::npos) << too_early.err;
  run_json({"keys", "rotate", "Maker"});
  EXPECT_EQ(verify("Maker").status, 0) << "retired keys stay trusted";
  EXPECT_EQ(run(revoke("Maker")).status, 0);
  EXPECT_EQ(verify("Maker").status, 6);
  const auto keys = run_json({"keys", "list", "Maker"}).at("data");
  ASSERT_EQ(keys.as_array().size(), 2u);
  EXPECT_EQ(text(keys.at(0).at("state")), "revoked");
  EXPECT_EQ(text(keys.at(1).at("state")), "signs");
}

TEST_F(TrustCli, BothAreInTheAuditTrail) {
  ASSERT_EQ(run(accept(fingerprint_, kOwner)).status, 0);
  ASSERT_EQ(run(revoke("Taker")).status, 0);
  const std::string own = scratch_ / "taker.oa-archive";
  run_json({"archive", "create", "--tenant", "Taker", "--audit", "--output", own});
  const auto events = run({"archive", "cat", own, "audit/events.ndjson", "--tenant", "Taker"}).out;
  for (const char* action : {"backup.signer.accept", "backup.signer.revoke"}) {
    const auto at = events.find(action);
    ASSERT_NE(at, std::string::npos) << action;
    const auto begin = events.rfind('\n', at) + 1;
    const auto event = parse_json(events.substr(begin, events.find('\n', at) - begin));
    ASSERT_TRUE(event.ok());
    EXPECT_EQ(text(event->at("detail").at("fingerprint")), fingerprint_);
    EXPECT_EQ(text(event->at("actor_type")), "user") << events.substr(begin, 400);
  }
}

}  // namespace
}  // namespace oa
