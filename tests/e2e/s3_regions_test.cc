// The service with its objects in a bucket that is replicated to a second region, as
// docs/operations.md has it, while regions and parts of them are killed.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <thread>

#include "oa/aws/client.h"
#include "rgw_regions.h"
#include "testkit/archive_tool.h"
#include "testkit/documented.h"
#include "testkit/service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using rgw::TwoRegions;
using testkit::replaced;
using testkit::Service;

constexpr const char* kScopes = R"(["read","reports","datasets","backup","restore"])";
constexpr const char* kWithRows = R"({"rows":true})";

std::string text(const json::value& value) { return std::string(value.as_string()); }

std::string documented(const std::string& head) {
  return testkit::documented(OA_DOCS "/operations.md", head);
}

void pause(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

class S3Regions : public testing::Test {
 protected:
  S3Regions() : places_(TwoRegions::shared().fresh_places()) {
    testkit::write_file(scratch_ / "s3.json",
                        R"({"access_key_id":"AKTEST","secret_access_key":"SKTEST"})");
    fs::permissions(scratch_ / "s3.json", fs::perms(0600));
    std::string replica = documented("json replica");
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"https://s3.eu-west-1.amazonaws.com", b().url()},
          {"oneanalytics-backup-copy", places_.b.bucket},
          {"/etc/oa-backup/s3-replica.json", scratch_ / "s3.json"},
          {"/etc/oa-backup/ca.pem", b().ca_file()},
          {"virtual-host", "path"},
          {"oa-{tenant}", "tenant-a"}})
      replica = replaced(std::move(replica), from, to);
    std::string config = documented("json objects");
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"https://s3.eu-central-1.amazonaws.com", a().url()},
          {"\"oneanalytics-backup\"", "\"" + places_.a.bucket + "\""},
          {"\"cell-1/\"", "\"" + places_.a.prefix + "\""},
          {"/etc/oa-backup/s3.json", scratch_ / "s3.json"},
          {"/etc/oa-backup/ca.pem", a().ca_file()},
          {"virtual-host", "path"},
          {"oa-{tenant}", "tenant-a"},
          {"\"days\": 1}", "\"days\": 1},\n" + replica}})
      config = replaced(std::move(config), from, to);
    testkit::write_file(scratch_ / "oa.json", config);
  }
  ~S3Regions() override { TwoRegions::shared().bring_back(); }

  static rgw::Cluster& a() { return TwoRegions::shared().a(); }
  static rgw::Cluster& b() { return TwoRegions::shared().b(); }

  void up(const std::string& name, bool demo = true) {
    service_.reset();
    std::vector<std::string> arguments{"up", "--config", scratch_ / "oa.json"};
    if (demo) arguments.insert(arguments.begin() + 1, {"--demo", "--rows", "300"});
    service_ = std::make_unique<Service>(scratch_, name, arguments);
    if (demo) token_ = testkit::demo_token(scratch_, *service_, kScopes);
  }
  json::value call(const std::string& method, const std::string& path,
                   const std::string& body = "") {
    return testkit::call_api(*service_, token_, method, path, body);
  }
  json::value done(json::value job) {
    const std::string path = "/v1/jobs/" + text(job.at("id"));
    for (int tries = 0; tries < 1200; ++tries) {
      job = call("GET", path);
      const std::string state = text(job.at("state"));
      if (state != "queued" && state != "running") return job;
      pause(100);
    }
    throw std::runtime_error("the job does not end");
  }
  json::value succeeded(const json::value& job) {
    const auto ended = done(job);
    EXPECT_EQ(ended.at("state"), "succeeded") << json::serialize(ended);
    return ended.at("result");
  }
  // Done, or refused with the code that says why; never a success that is none.
  void expect_honest(const json::value& job) {
    const auto ended = done(job);
    if (ended.at("state") != "succeeded")
      EXPECT_EQ(ended.at("failure").at("code"), "object_store/unavailable") << json::serialize(ended);
  }
  json::value create() { return call("POST", "/v1/archives", kWithRows); }
  json::value verify(const std::string& archive) {
    return call("POST", "/v1/archives/" + archive + "/verify", "{}");
  }
  void expect_every_archive_whole() {
    const auto archives = call("GET", "/v1/archives").at("data").as_array();
    EXPECT_FALSE(archives.empty());
    for (const auto& archive : archives) succeeded(verify(text(archive.at("id"))));
  }
  json::value plan(const std::string& archive, const json::value& report) {
    const auto asset = json::object{{"kind", "report"}, {"id", report.at("id")}};
    return call("POST", "/v1/restores",
                json::serialize(json::object{{"archive_id", archive}, {"assets", {asset}}}));
  }
  json::value apply(const json::value& planned) {
    const std::string restore = "/v1/restores/" + text(planned.at("restore_id"));
    const auto hash = call("GET", restore).at("plan_hash");
    return call("POST", restore + "/apply", json::serialize(json::object{{"plan_hash", hash}}));
  }
  json::value some_report() {
    const std::string workspace = text(call("GET", "/v1/workspaces").at("data").at(0).at("id"));
    return call("GET", "/v1/workspaces/" + workspace + "/reports").at("data").at(0);
  }
  std::string ready() {
    return testkit::run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "20",
                         service_->address() + "/readyz"})
        .out;
  }
  testkit::Finished oa(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(),
                     {"--data", scratch_ / "data", "--config", scratch_ / "oa.json", "--json"});
    return testkit::oa(std::move(arguments));
  }

  // Names of what a region has of this store.
  static std::vector<std::string> names(const S3Settings& place) {
    const auto client = aws::Client::open(place.connection).value();
    const auto listed =
        client->send({.path = "/" + place.bucket, .query = {{"prefix", place.prefix}}}).value();
    const std::string listing(as_text(listed.body));
    std::vector<std::string> found;
    for (auto at = listing.find("<Key>"); at != listing.npos; at = listing.find("<Key>", at + 1))
      found.push_back(listing.substr(at + 5, listing.find("</Key>", at) - at - 5));
    return found;
  }
  // Until what is there now is in the other region, too.
  void replicated() {
    for (int tries = 0; tries < 600; ++tries) {
      auto here = names(places_.a), there = names(places_.b);
      std::erase_if(here, [](const auto& name) { return name.find("canary") != name.npos; });
      if (std::ranges::includes(there, here)) return;
      pause(100);
    }
    ADD_FAILURE() << "is not replicated";
  }
  void primary_answers() {
    const auto client = aws::Client::open(places_.a.connection).value();
    for (int tries = 0; tries < 300; ++tries) {
      const auto seen =
          client->send({.path = "/" + places_.a.bucket, .query = {{"max-keys", "1"}}});
      if (seen.ok() && seen->ok()) return;
      pause(100);
    }
    ADD_FAILURE() << "region a does not come back";
  }

  testkit::Scratch scratch_;
  TwoRegions::Places places_;
  std::unique_ptr<Service> service_;
  std::string token_;
};

TEST_F(S3Regions, ARegionDiesAndComesBack) {
  up("service");
  const std::string archive = text(succeeded(create()).at("archive_id"));
  const auto report = some_report();
  const std::string path = "/v1/reports/" + text(report.at("id"));
  call("DELETE", path);
  replicated();
  const auto creating = create();
  a().kill_all();
  expect_honest(creating);

  // What is stored is read from the replica, and what cannot be written says so.
  EXPECT_EQ(ready(), "200");
  succeeded(verify(archive));
  const auto planned = succeeded(plan(archive, report));
  succeeded(apply(planned));  // nothing is overwritten, so nothing has to be kept
  EXPECT_EQ(call("GET", path).at("name"), report.at("name"));
  const auto refused = done(create());
  EXPECT_EQ(refused.at("state"), "failed") << json::serialize(refused);
  EXPECT_EQ(refused.at("failure").at("code"), "object_store/unavailable");
  const auto status = oa({"storage", "status"});
  EXPECT_EQ(status.status, 6) << status.err;
  const auto told = parse_json(status.out).value();
  EXPECT_EQ(told.at("bucket").at("answers"), false);
  EXPECT_EQ(told.at("replica").at("answers"), true);

  // It starts without the region, too, and without both.
  EXPECT_EQ(service_->stop(), 0);
  up("second", false);
  EXPECT_EQ(ready(), "200");
  succeeded(verify(archive));
  EXPECT_EQ(service_->stop(), 0);
  b().kill_all();
  up("third", false);
  EXPECT_EQ(ready(), "503");
  // Without any object store nobody knows who was erased since.
  try {
    call("GET", "/v1/workspaces");
    ADD_FAILURE() << "somebody was served";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("privacy/replay-pending"), std::string::npos)
        << error.what();
  }

  TwoRegions::shared().bring_back();
  primary_answers();
  call("DELETE", path);
  succeeded(apply(succeeded(plan(archive, report))));
  EXPECT_EQ(call("GET", path).at("name"), report.at("name"));
  succeeded(create());
  expect_every_archive_whole();
  EXPECT_EQ(service_->stop(), 0);
}

TEST_F(S3Regions, PartsOfARegionDieDuringCreateAndRestore) {
  up("service");
  const std::string archive = text(succeeded(create()).at("archive_id"));
  const auto report = some_report();
  const std::string path = "/v1/reports/" + text(report.at("id"));
  replicated();
  for (const bool gateway : {true, false}) {
    const auto kill = [&] { gateway ? a().kill_gateway() : a().kill_storage_daemon(); };
    const auto creating = create();
    pause(20);
    kill();
    pause(500);
    a().start_all();
    expect_honest(creating);

    call("DELETE", path);
    const auto planning = plan(archive, report);
    kill();
    const auto planned = succeeded(planning);  // from the replica, if need be
    a().start_all();
    primary_answers();
    const auto applying = apply(planned);
    kill();
    pause(500);
    a().start_all();
    expect_honest(applying);
    primary_answers();
    const auto reports =
        call("GET", "/v1/workspaces/" +
                        text(call("GET", "/v1/workspaces").at("data").at(0).at("id")) + "/reports")
            .at("data")
            .as_array();
    const bool there = std::ranges::any_of(
        reports, [&](const auto& one) { return one.at("id") == report.at("id"); });
    if (!there) succeeded(apply(succeeded(plan(archive, report))));
    EXPECT_EQ(call("GET", path).at("name"), report.at("name"));
    expect_every_archive_whole();
  }
  EXPECT_EQ(service_->stop(), 0);
}

}  // namespace
}  // namespace oa
