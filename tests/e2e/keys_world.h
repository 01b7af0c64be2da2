// The service with its keys in a KMS, on a token or in its folder.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <sstream>
#include <thread>

#include "fake_kms_server.h"
#include "softhsm_testkit.h"
#include "testkit/archive_tool.h"
#include "testkit/service.h"

namespace oa {

namespace fs = std::filesystem;
using testkit::Service;

inline std::string text(const json::value& value) { return std::string(value.as_string()); }

inline std::string replaced(std::string whole, const std::string& from, const std::string& to) {
  const auto at = whole.find(from);
  EXPECT_NE(at, whole.npos) << from;
  return at == whole.npos ? whole : whole.replace(at, from.size(), to);
}

inline std::string documented(const std::string& head) {
  std::istringstream lines(testkit::contents_of(OA_DOCS "/operations.md"));
  std::string found;
  bool on = false;
  for (std::string line; std::getline(lines, line);) {
    if (on && line == "```") return found;
    if (on) found += line + "\n";
    on = on || line == "```" + head;
  }
  throw std::runtime_error("no block " + head);
}

/// Where the keys are: writes the deployment file into a folder.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string config(const testkit::Scratch& scratch) = 0;
  /// Days go by, as far as the provider can be told so.
  virtual void advance(std::chrono::hours time) = 0;
};

class Kms final : public Provider {
 public:
  std::string config(const testkit::Scratch& scratch) override {
    const auto settings = server_.settings();
    const std::string credentials = scratch / "kms.json";
    testkit::write_file(
        credentials, canonical_json(json::object{{"access_key_id", FakeKmsServer::kAccessKey},
                                                 {"secret_access_key", FakeKmsServer::kSecretKey},
                                                 {"session_token", FakeKmsServer::kSessionToken}}));
    fs::permissions(credentials, fs::perms(0600));
    std::string whole = documented("json kms");
    for (const auto& [from, to] : {std::pair<std::string, std::string>{
                                       "https://kms.eu-central-1.amazonaws.com", settings.endpoint},
                                   {"eu-central-1", settings.region},
                                   {"/etc/oa-backup/kms.json", credentials},
                                   {"/etc/oa-backup/ca.pem", settings.ca_file}})
      whole = replaced(std::move(whole), from, to);
    return whole;
  }
  void advance(std::chrono::hours time) override { server_.kms().advance(time); }
  FakeKmsServer& server() { return server_; }

 private:
  FakeKmsServer server_;
};

class Token final : public Provider {
 public:
  std::string config(const testkit::Scratch& scratch) override {
    const std::string pin = scratch / "pin";
    testkit::write_file(pin, "4711\n");
    fs::permissions(pin, fs::perms(0600));
    std::string whole = documented("json token");
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"/usr/lib/pkcs11/vendor.so",
                                              "/usr/lib/softhsm/libsofthsm2.so"},
          {"oneanalytics", "tenants"},
          {"/etc/oa-backup/pin", pin}})
      whole = replaced(std::move(whole), from, to);
    return whole;
  }
  void advance(std::chrono::hours) override {}

 private:
  SoftToken token_;
};

class Folder final : public Provider {
 public:
  std::string config(const testkit::Scratch&) override {
    return R"({"keys":{"provider":"local"}})";
  }
  void advance(std::chrono::hours) override {}
};

class KeysTest : public testing::Test {
 protected:
  void use(std::unique_ptr<Provider> provider) {
    provider_ = std::move(provider);
    config_ = scratch_ / "oa.json";
    testkit::write_file(config_, provider_->config(scratch_));
  }
  std::vector<std::string> with_place(std::vector<std::string> arguments,
                                      const std::string& folder) const {
    arguments.insert(arguments.end(), {"--data", scratch_ / folder, "--config", config_});
    return arguments;
  }
  std::vector<std::string> with_program(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), OA_BACKUP);
    return with_place(std::move(arguments), "data");
  }
  void up(std::vector<std::string> more = {}, const std::string& folder = "data") {
    more.insert(more.begin(), "up");
    more.insert(more.end(), {"--config", config_});
    service_.reset();
    service_.emplace(scratch_, "up-" + std::to_string(++started_), std::move(more), folder);
  }
  void up_demo() {
    up({"--demo", "--rows", "300"});
    token_ = testkit::demo_token(scratch_, *service_,
                                 R"(["read","reports","datasets","backup","restore","admin"])");
  }
  json::value run(std::vector<std::string> arguments, const std::string& folder = "data") const {
    return testkit::oa_json(with_place(std::move(arguments), folder));
  }
  // "" or the code.
  std::string refusal(std::vector<std::string> arguments,
                      const std::string& folder = "data") const {
    arguments.push_back("--json");
    const auto done = testkit::oa(with_place(std::move(arguments), folder));
    if (done.status == 0) return "";
    const auto at = done.err.rfind("{\"error\"");
    if (at == done.err.npos) return done.err;
    const auto error = parse_json(done.err.substr(at));
    return error.ok() ? text(error->at("error").at("code")) : done.err;
  }
  json::value api(const std::string& method, const std::string& path,
                  const std::string& body = "") const {
    return testkit::call_api(*service_, token_, method, path, body);
  }
  // The status and code of an answer, whatever it is.
  std::string asked(const std::string& path) const {
    const auto done = testkit::run({"curl", "-s", "-m", "20", "-w", "\n%{http_code}", "-H",
                                    "Authorization: Bearer " + token_, service_->address() + path});
    const auto line = done.out.rfind('\n');
    const auto body = parse_json(done.out.substr(0, line));
    const auto* code =
        body.ok() && body->is_object() ? body->as_object().if_contains("code") : nullptr;
    return done.out.substr(line + 1) + (code == nullptr ? "" : " " + text(*code));
  }
  std::string asked_until(const std::string& path, const std::string& wanted) const {
    std::string seen;
    for (int tries = 0; tries < 80 && seen != wanted; ++tries) {
      if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      seen = asked(path);
    }
    return seen;
  }
  json::value done(json::value job) const {
    const std::string path = "/v1/jobs/" + text(job.at("id"));
    for (int tries = 0; tries < 600; ++tries) {
      job = api("GET", path);
      const std::string state = text(job.at("state"));
      if (state != "queued" && state != "running") return job;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw std::runtime_error("the job does not end");
  }
  void await_first_backup() {
    for (int tries = 0; tries < 300; ++tries) {
      const auto status = testkit::oa(with_place({"continuity", "status", "--json"}, "data"));
      const auto now = parse_json(status.out);
      if (now.ok() && !now->at("earliest").is_null() &&
          text(now->at("earliest")) < text(now->at("now")))
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL() << "no backup came by itself";
  }
  // A report goes, and comes back out of an archive.
  void lose_a_report_and_restore_it() {
    const auto archived = done(api("POST", "/v1/archives", R"({"rows":true})"));
    ASSERT_EQ(archived.at("state"), "succeeded") << json::serialize(archived);
    const std::string archive = text(archived.at("result").at("archive_id"));
    const std::string workspace = text(api("GET", "/v1/workspaces").at("data").at(0).at("id"));
    const auto report = api("GET", "/v1/workspaces/" + workspace + "/reports").at("data").at(0);
    const std::string path = "/v1/reports/" + text(report.at("id"));
    api("DELETE", path);
    run({"restore", "run", archive, "--tenant", "Demo", "--asset",
         "report:" + text(report.at("id")), "--yes"});
    EXPECT_EQ(api("GET", path).at("name"), report.at("name"));
  }

  testkit::Scratch scratch_;
  std::unique_ptr<Provider> provider_;
  std::string config_;
  std::optional<Service> service_;
  std::string token_;
  int started_ = 0;
};

using Make = std::unique_ptr<Provider> (*)();
class KeysAnywhere : public KeysTest, public testing::WithParamInterface<Make> {
 protected:
  void SetUp() override { use(GetParam()()); }
};

}  // namespace oa
