// The service with its objects in a bucket of a real S3 server, as docs/operations.md has it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <thread>

#include "oa/aws/client.h"
#include "rgw_testkit.h"
#include "testkit/archive_tool.h"
#include "testkit/documented.h"
#include "testkit/service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using rgw::Gateway;
using testkit::replaced;
using testkit::Service;

std::string text(const json::value& value) { return std::string(value.as_string()); }

std::string documented(const std::string& head) {
  return testkit::documented(OA_DOCS "/operations.md", head);
}

class S3Service : public testing::Test {
 protected:
  S3Service() : store_(Gateway::shared().fresh_store()) {
    testkit::write_file(scratch_ / "s3.json",
                        replaced(replaced(documented("json credentials"), "AKEXAMPLE", "AKTEST"),
                                 "SKEXAMPLE", "SKTEST"));
    fs::permissions(scratch_ / "s3.json", fs::perms(0600));
    write_config(store_.bucket);
  }
  void write_config(const std::string& bucket, const std::string& credentials = "s3.json") {
    std::string config = documented("json objects");
    for (const auto& [from, to] : {std::pair<std::string, std::string>{
                                       "https://s3.eu-central-1.amazonaws.com", Gateway::shared().tls_url()},
                                   {"eu-central-1", "default"},
                                   {"\"oneanalytics-backup\"", "\"" + bucket + "\""},
                                   {"\"cell-1/\"", "\"" + store_.prefix + "\""},
                                   {"/etc/oa-backup/s3.json", scratch_ / credentials},
                                   {"/etc/oa-backup/ca.pem", Gateway::shared().ca_file()},
                                   {"virtual-host", "path"},
                                   {"oa-{tenant}", "tenant-a"}})
      config = replaced(std::move(config), from, to);
    testkit::write_file(scratch_ / "oa.json", config);
  }
  std::unique_ptr<Service> up(const std::string& name) {
    return std::make_unique<Service>(
        scratch_, name, std::vector<std::string>{"up", "--demo", "--rows", "300", "--config", scratch_ / "oa.json"});
  }
  testkit::Finished oa(std::vector<std::string> arguments, bool config = true) {
    arguments.insert(arguments.end(), {"--data", scratch_ / "data"});
    if (config) arguments.insert(arguments.end(), {"--config", scratch_ / "oa.json"});
    arguments.push_back("--json");
    return testkit::oa(std::move(arguments));
  }
  std::string refusal(const testkit::Finished& done) {
    if (done.status == 0) return "";
    const auto error = parse_json(done.err.substr(done.err.rfind("{\"error\"")));
    return error.ok() ? text(error->at("error").at("code")) : done.err;
  }
  static json::value done(const Service& service, const std::string& token, json::value job) {
    const std::string path = "/v1/jobs/" + text(job.at("id"));
    for (int tries = 0; tries < 600; ++tries) {
      job = testkit::call_api(service, token, "GET", path);
      const std::string state = text(job.at("state"));
      if (state != "queued" && state != "running") return job;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw std::runtime_error("the job does not end");
  }
  static json::value succeeded(const Service& service, const std::string& token, const json::value& job) {
    const auto ended = done(service, token, job);
    EXPECT_EQ(ended.at("state"), "succeeded") << json::serialize(ended);
    return ended.at("result");
  }

  testkit::Scratch scratch_;
  S3Settings store_;
};

constexpr const char* kScopes = R"(["read","reports","datasets","backup","restore"])";

TEST_F(S3Service, ALostReportComesBackOutOfTheBucket) {
  const auto service = up("service");
  const std::string token = testkit::demo_token(scratch_, *service, kScopes);
  const auto call = [&](const std::string& method, const std::string& path, const std::string& body = "") {
    return testkit::call_api(*service, token, method, path, body);
  };
  const std::string archive =
      text(succeeded(*service, token, call("POST", "/v1/archives", R"({"rows":true})")).at("archive_id"));
  const std::string workspace = text(call("GET", "/v1/workspaces").at("data").at(0).at("id"));
  const auto report = call("GET", "/v1/workspaces/" + workspace + "/reports").at("data").at(0);
  const std::string path = "/v1/reports/" + text(report.at("id"));
  call("DELETE", path);
  const auto asset = json::object{{"kind", "report"}, {"id", report.at("id")}};
  const auto planned = succeeded(
      *service, token,
      call("POST", "/v1/restores",
           json::serialize(json::object{{"archive_id", archive}, {"assets", json::array{asset}}})));
  const std::string restore = "/v1/restores/" + text(planned.at("restore_id"));
  const auto hash = call("GET", restore).at("plan_hash");
  succeeded(*service, token, call("POST", restore + "/apply", json::serialize(json::object{{"plan_hash", hash}})));
  EXPECT_EQ(call("GET", path).at("name"), report.at("name"));
  EXPECT_FALSE(fs::exists(scratch_ / "data/objects"));

  // What is in the bucket is sealed and under the tenant's key of the server.
  const auto client = aws::Client::open(Gateway::shared().connection()).value();
  const auto listed = client->send({.path = "/" + store_.bucket, .query = {{"prefix", store_.prefix}}}).value();
  const std::string listing(as_text(listed.body));
  std::size_t objects = 0;
  for (auto at = listing.find("<Key>"); at != listing.npos; at = listing.find("<Key>", at + 1)) {
    const std::string key = listing.substr(at + 5, listing.find("</Key>", at) - at - 5);
    const auto object = client->send({.path = "/" + store_.bucket + "/" + key, .max_body_bytes = 64 << 20}).value();
    ASSERT_TRUE(object.ok()) << key;
    EXPECT_EQ(object.head.header("x-amz-server-side-encryption-aws-kms-key-id"), "tenant-a") << key;
    for (const std::string_view canary : {"orders overview", "Sales", "PAR1"})
      EXPECT_EQ(as_text(object.body).find(canary), std::string_view::npos) << key << " " << canary;
    ++objects;
  }
  EXPECT_GT(objects, 3u);
  EXPECT_EQ(service->stop(), 0);
}

TEST_F(S3Service, AGatewayThatGoesIsToldAndComesBack) {
  const auto service = up("service");
  const std::string token = testkit::demo_token(scratch_, *service, kScopes);
  const auto becomes_ready = [&](const std::string& status) {
    std::string seen;
    for (int tries = 0; tries < 100 && seen != status; ++tries) {
      if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
      seen = testkit::run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "20",
                           service->address() + "/readyz"}).out;
    }
    return seen == status;
  };
  EXPECT_TRUE(becomes_ready("200"));
  Gateway::shared().kill_gateway();
  EXPECT_TRUE(becomes_ready("503"));
  EXPECT_FALSE(testkit::call_api(*service, token, "GET", "/v1/workspaces").at("data").as_array().empty());
  const auto job = testkit::call_api(*service, token, "POST", "/v1/archives", R"({"rows":true})");
  std::this_thread::sleep_for(std::chrono::seconds(2));
  Gateway::shared().start_gateway();
  // Tried again by itself, or failed with a code that says so; never a success that is none.
  const auto ended = done(*service, token, job);
  if (ended.at("state") != "succeeded")
    EXPECT_EQ(ended.at("failure").at("code"), "object_store/unavailable") << json::serialize(ended);
  const std::string archive = text(
      succeeded(*service, token, testkit::call_api(*service, token, "POST", "/v1/archives", R"({"rows":true})"))
          .at("archive_id"));
  succeeded(*service, token, testkit::call_api(*service, token, "POST", "/v1/archives/" + archive + "/verify", "{}"));
  EXPECT_TRUE(becomes_ready("200"));
}

TEST_F(S3Service, TheDoctorLooksAtTheBucket) {
  const auto severities = [&] {
    std::map<std::string, std::string> found;
    const auto finished = oa({"doctor"});
    const auto document = parse_json(finished.out);
    EXPECT_TRUE(document.ok()) << finished.out << finished.err;
    if (!document.ok()) return found;
    for (const auto& each : document->at("findings").as_array())
      found.emplace(text(each.at("id")), text(each.at("severity")));
    return found;
  };
  ASSERT_EQ(oa({"demo", "--rows", "100"}).status, 0);
  auto found = severities();
  for (const char* id : {"objects.reachable", "tls.objects", "clock.object-store", "files.secret-credentials_file"})
    EXPECT_EQ(found[id], "ok") << id;
  EXPECT_EQ(found.count("objects.versioning"), 0u);
  EXPECT_EQ(found["tls.objects-certificate"], "warning");  // it is good for two days
  Gateway::shared().kill_gateway();
  found = severities();
  Gateway::shared().start_gateway();
  EXPECT_EQ(found["objects.reachable"], "broken");
  EXPECT_EQ(found["tls.objects-certificate"], "warning");
  EXPECT_EQ(found["keys.reach"], "ok");  // it opens all the same
  EXPECT_EQ(found["files.keystore"], "ok");
  write_config(Gateway::shared().make_bucket(false, false));
  EXPECT_EQ(severities()["objects.versioning"], "broken");
}

TEST_F(S3Service, AnInstanceKeepsItsPlace) {
  ASSERT_EQ(oa({"demo", "--rows", "100"}).status, 0);
  EXPECT_EQ(refusal(oa({"tenant", "list"}, false)), "request/invalid");
  EXPECT_EQ(oa({"tenant", "list"}).status, 0);
  write_config(Gateway::shared().make_bucket(true, true));
  EXPECT_EQ(refusal(oa({"tenant", "list"})), "resource/conflict");
  // Without its mark it would begin anew in whatever bucket is named.
  fs::rename(scratch_ / "data/bucket.json", scratch_ / "bucket.json");
  EXPECT_EQ(refusal(oa({"archive", "create", "--tenant", "Demo"})), "resource/conflict");
  EXPECT_FALSE(fs::exists(scratch_ / "data/bucket.json"));
  fs::rename(scratch_ / "bucket.json", scratch_ / "data/bucket.json");
  write_config(Gateway::shared().make_bucket(false, false));
  fs::remove_all(scratch_ / "data");
  EXPECT_EQ(refusal(oa({"demo", "--rows", "100"})), "resource/precondition-failed");
}

TEST_F(S3Service, CredentialsThatAreWrongAreToldAndNotShown) {
  const std::string secret = "SK-7f31c0aa";
  testkit::write_file(scratch_ / "wrong.json",
                      R"({"access_key_id":"AKTEST","secret_access_key":")" + secret + "\"}");
  write_config(store_.bucket, "wrong.json");
  EXPECT_EQ(refusal(oa({"demo", "--rows", "100"})), "auth/permission-denied");  // others may read it
  fs::permissions(scratch_ / "wrong.json", fs::perms(0600));
  const auto refused = oa({"demo", "--rows", "100"});
  EXPECT_EQ(refusal(refused), "auth/permission-denied");
  EXPECT_EQ(refused.err.find(secret), std::string::npos);
  testkit::write_file(scratch_ / "wrong.json", "{\"" + secret);
  const auto malformed = oa({"demo", "--rows", "100"});
  EXPECT_EQ(refusal(malformed), "request/invalid");
  EXPECT_EQ(malformed.err.find(secret), std::string::npos);
}

}  // namespace
}  // namespace oa
