// `up` and `serve` as processes: several over one instance, killed, stopped, asked to reload.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <csignal>
#include <fstream>
#include <optional>

#include "testkit/process.h"
#include "testkit/scratch.h"
#include "testkit/service.h"

namespace oa {
namespace {

using testkit::oa;
using testkit::oa_json;

std::string text(const json::value& value) { return std::string(value.as_string()); }

class ServeCli : public testing::Test {
 protected:
  void SetUp() override {
    up_.emplace(scratch_, "up",
                std::vector<std::string>{"up", "--demo", "--rows", "2000", "--log", scratch_ / "log"});
    std::ofstream(scratch_ / "sign-in.json")
        << json::serialize(json::object{{"organisation", "Demo"},
                                        {"email", up_->document().at("demo").at("emails").at(0)},
                                        {"password", up_->document().at("demo").at("password")}});
  }

  // An answer of the API for the Owner of the demo, by curl.
  json::value api(const testkit::Service& server, const std::string& method, const std::string& path,
                  const std::string& body = "") {
    if (token_.empty()) token_ = make_token(server);
    std::vector<std::string> argv{"curl", "-sS", "--fail-with-body", "-X", method, "-H",
                                  "Authorization: Bearer " + token_};
    if (!body.empty()) argv.insert(argv.end(), {"--json", body});
    argv.push_back(server.address() + path);
    const auto answer = testkit::run(argv);
    EXPECT_EQ(answer.status, 0) << method << " " << path << answer.out << answer.err;
    return parse_json(answer.out).value();
  }
  std::string make_token(const testkit::Service& server) {
    const std::string jar = scratch_ / "cookies";
    const auto me = testkit::run({"curl", "-sS", "--cookie-jar", jar, "--json",
                                  "@" + scratch_ / "sign-in.json",
                                  server.address() + "/v1/auth/sign-in"});
    const auto csrf = text(parse_json(me.out).value().at("csrf_token"));
    const auto made = testkit::run(
        {"curl", "-sS", "--cookie", jar, "-H", "X-CSRF-Token: " + csrf, "--json",
         R"({"name":"t","scopes":["read","backup"]})", server.address() + "/v1/tokens"});
    return text(parse_json(made.out).value().at("token"));
  }
  json::value ended_job(const testkit::Service& server, const std::string& id) {
    json::value job;
    for (int tries = 0; tries < 600; ++tries) {
      job = api(server, "GET", "/v1/jobs/" + id);
      const auto state = text(job.at("state"));
      if (state != "queued" && state != "running") break;
      testkit::run({"sleep", "0.1"});
    }
    return job;
  }

  testkit::Scratch scratch_;
  std::optional<testkit::Service> up_;
  std::string token_;
};

TEST_F(ServeCli, SeveralProcessesServeOneInstanceAndOneThatIsKilledIsReplaced) {
  std::optional<testkit::Service> second;
  second.emplace(scratch_, "second", std::vector<std::string>{"serve"});
  const auto made = api(*second, "POST", "/v1/archives", R"({"rows":true})");
  second->process().kill_and_reap();
  // Whoever had taken the job, its archive is made once, by the process that is left.
  const auto job = ended_job(*up_, text(made.at("id")));
  EXPECT_EQ(text(job.at("state")), "succeeded") << json::serialize(job);
  EXPECT_EQ(api(*up_, "GET", "/v1/archives").at("data").as_array().size(), 1u);
  up_->process().send(SIGTERM);
  EXPECT_TRUE(up_->process().wait(30'000));
  EXPECT_EQ(up_->process().status(), 0);
}

TEST_F(ServeCli, TheLogIsReopenedAndHoldsNobodysName) {
  api(*up_, "GET", "/v1/me");
  ASSERT_EQ(testkit::run({"mv", scratch_ / "log", scratch_ / "log.1"}).status, 0);
  up_->process().send(SIGHUP);
  for (int tries = 0; tries < 100 && testkit::contents_of(scratch_ / "log").empty(); ++tries) {
    testkit::run({"sleep", "0.1"});
    api(*up_, "GET", "/v1/archives");
  }
  const std::string log = testkit::contents_of(scratch_ / "log.1") + testkit::contents_of(scratch_ / "log");
  EXPECT_NE(log.find("\"operation\":\"me\""), std::string::npos);
  EXPECT_NE(testkit::contents_of(scratch_ / "log").find("listArchives"), std::string::npos);
  for (const std::string secret : {std::string("@demo.example"), std::string("Demo User"), token_,
                                   text(up_->document().at("demo").at("password"))})
    EXPECT_EQ(log.find(secret), std::string::npos);
}

TEST_F(ServeCli, WhileItDrainsItServesAndSaysThatItIsNotReady) {
  testkit::Service second(scratch_, "second", {"serve", "--drain", "3"});
  const auto status = [&](const char* path) {
    return testkit::run({"curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                         second.address() + path})
        .out;
  };
  EXPECT_EQ(status("/readyz"), "200");
  second.process().send(SIGTERM);
  std::string ready = "200";
  for (int tries = 0; tries < 20 && ready == "200"; ++tries) {
    testkit::run({"sleep", "0.1"});
    ready = status("/readyz");
  }
  EXPECT_EQ(ready, "503");
  EXPECT_EQ(status("/healthz"), "200");
  EXPECT_EQ(status("/v1/me"), "401");
  EXPECT_TRUE(second.process().wait(30'000));
  EXPECT_EQ(second.process().status(), 0);
}

TEST(ServeCliArguments, BeyondThisMachineItSpeaksTlsOnly) {
  const testkit::Scratch scratch;
  ASSERT_EQ(oa({"tenant", "create", "Acme", "--data", scratch / "data"}).status, 0);
  const auto clear = oa({"serve", "--data", scratch / "data", "--address", "0.0.0.0", "--port", "0"});
  EXPECT_EQ(clear.status, 2);
  EXPECT_NE(clear.err.find("--tls-cert"), std::string::npos);
  const auto half = oa({"serve", "--data", scratch / "data", "--tls-cert", "x.pem", "--port", "0"});
  EXPECT_EQ(half.status, 2);
  const auto absent = oa({"serve", "--data", scratch / "data", "--tls-cert", "x.pem", "--tls-key",
                          "y.pem", "--port", "0"});
  EXPECT_NE(absent.status, 0);
  EXPECT_NE(absent.err.find("x.pem"), std::string::npos) << absent.err;
}

}  // namespace
}  // namespace oa
