// `oa-backup doctor`, and `serve` and `up` that ask it, over real instances.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "oa/instance/block_crypt.h"
#include "testkit/service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
constexpr int kPromiseBroken = 12;

std::string text(const json::value& value) { return std::string(value.as_string()); }

struct Diagnosis {
  int status = 0;
  std::map<std::string, std::string> severity, what;
  std::string of(const std::string& id) const {
    const auto found = severity.find(id);
    return found == severity.end() ? "absent" : found->second;
  }
  std::vector<std::string> broken() const {
    std::vector<std::string> ids;
    for (const auto& [id, how] : severity)
      if (how == "broken") ids.push_back(id);
    return ids;
  }
};

class DoctorCli : public testing::Test {
 protected:
  Diagnosis doctor(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"doctor", "--json", "--data", scratch_ / "data"});
    const auto finished = testkit::oa(more);
    Diagnosis diagnosis{finished.status, {}, {}};
    const auto document = parse_json(finished.out);
    EXPECT_TRUE(document.ok()) << finished.out << finished.err;
    if (!document.ok()) return diagnosis;
    for (const auto& each : document->at("findings").as_array()) {
      diagnosis.severity.emplace(text(each.at("id")), text(each.at("severity")));
      diagnosis.what.emplace(text(each.at("id")), text(each.at("what")));
      EXPECT_FALSE(text(each.at("promise")).empty());
    }
    EXPECT_EQ(document->at("ok").as_bool(), finished.status == 0);
    return diagnosis;
  }
  // What this machine's volume makes of the folders that must be on LUKS2.
  std::string volume() const {
    const auto found = instance::volume_crypt(scratch_.path());
    if (instance::is_luks2_aes256(found)) return "ok";
    return found.kind == instance::VolumeEncryption::kUnknown ? "warning" : "broken";
  }
  std::vector<std::string> host_broken() const {
    if (volume() == "broken") return {"at-rest.postgres", "at-rest.scratch"};
    return {};
  }
  std::unique_ptr<testkit::Service> up(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"up", "--log", scratch_ / "log", "--operator-port", "0"});
    return std::make_unique<testkit::Service>(scratch_, "up" + std::to_string(++starts_), more);
  }

  testkit::Scratch scratch_;
  int starts_ = 0;
};

TEST_F(DoctorCli, AServiceThatRunsAndOneThatIsStopped) {
  EXPECT_EQ(doctor().of("instance.open"), "note");
  auto service = up();
  const auto running = doctor();
  EXPECT_EQ(running.broken(), host_broken());
  EXPECT_EQ(running.status, host_broken().empty() ? 0 : kPromiseBroken);
  for (const char* id :
       {"continuity.state", "keys.reach", "files.root-key", "files.keystore", "files.postgres",
        "files.operator-token", "clock.database", "versions.schema", "versions.postgres",
        "versions.pgbackrest", "memory.core-dumps", "memory.core-dumps-postgres", "tls.postgres",
        "objects.store", "space.data", "space.continuity"})
    EXPECT_EQ(running.of(id), "ok") << id << running.what.at(id);
  EXPECT_EQ(running.of("at-rest.postgres"), volume());
  EXPECT_EQ(service->stop(), 0);
  const auto stopped = doctor();
  EXPECT_EQ(stopped.of("continuity.state"), "note");
  EXPECT_EQ(stopped.broken(), host_broken());
  EXPECT_EQ(stopped.of("keys.reach"), "ok");
}

TEST_F(DoctorCli, WhatIsWrongIsFound) {
  up()->stop();
  fs::permissions(scratch_ / "data/keys/root.key", fs::perms(0644));
  auto found = doctor();
  EXPECT_EQ(found.status, kPromiseBroken);
  EXPECT_EQ(found.of("files.root-key"), "broken");
  fs::permissions(scratch_ / "data/keys/root.key", fs::perms(0600));

  std::ofstream(scratch_ / "oa.json") << "{}";
  fs::permissions(scratch_ / "oa.json", fs::perms(0666));
  found = doctor({"--config", scratch_ / "oa.json"});
  EXPECT_EQ(found.of("files.deployment"), "broken");
  EXPECT_EQ(found.of("instance.open"), "broken");  // it is not read then
  EXPECT_EQ(found.of("memory.core-dumps"), "ok");  // and the rest is told all the same

  fs::rename(scratch_ / "data/keys/keystore", scratch_ / "keystore");
  found = doctor();
  EXPECT_EQ(found.of("files.keystore"), "broken");
  EXPECT_EQ(found.of("instance.open"), "broken");
  fs::rename(scratch_ / "keystore", scratch_ / "data/keys/keystore");

  ASSERT_EQ(testkit::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                          "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj", "/CN=x",
                          "-keyout", scratch_ / "key.pem", "-out", scratch_ / "cert.pem"})
                .status,
            0);
  EXPECT_EQ(doctor({"--tls-cert", scratch_ / "cert.pem"}).of("tls.serve-certificate"), "warning");
}

TEST_F(DoctorCli, StrictRefusesWithTheFindingsAndOtherwiseTheLogHasThem) {
  const std::vector<std::string> strict{"up", "--strict", "--json",         "--port",
                                        "0",  "--data",   scratch_ / "data"};
  if (volume() == "broken") {
    const auto refused = testkit::oa(strict);
    EXPECT_EQ(refused.status, kPromiseBroken);
    EXPECT_NE(refused.err.find("deployment/promise-broken"), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("at-rest.postgres"), std::string::npos) << refused.err;
    EXPECT_FALSE(fs::exists(scratch_ / "data"));  // nothing was made there
  }
  const auto service = up();
  const auto curl = [&](const std::string& path) {
    const std::string token = testkit::contents_of(scratch_ / "data/operator.token");
    return testkit::run({"curl", "-sS", "-H",
                         "Authorization: Bearer " + token.substr(0, token.find('\n')),
                         text(service->document().at("operator_address")) + path})
        .out;
  };
  std::string metrics;
  const std::string line = "oa_doctor_findings{severity=\"broken\"} ";
  for (int tries = 0; tries < 100 && metrics.find(line) == metrics.npos; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    metrics = curl("/metrics");
  }
  EXPECT_NE(metrics.find(line + std::to_string(host_broken().size())), metrics.npos) << metrics;
  const std::string log = testkit::contents_of(scratch_ / "log");
  for (const auto& id : host_broken())
    EXPECT_NE(log.find("\"finding\":\"" + id + "\""), log.npos) << log;

  // Beside a service that runs, too, whatever the volume is.
  fs::permissions(scratch_ / "data/keys/root.key", fs::perms(0640));
  const auto second =
      testkit::oa({"serve", "--strict", "--json", "--port", "0", "--data", scratch_ / "data"});
  EXPECT_EQ(second.status, kPromiseBroken);
  EXPECT_NE(second.err.find("files.root-key"), std::string::npos) << second.err;
}

}  // namespace
}  // namespace oa
