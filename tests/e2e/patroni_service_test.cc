// The service over a Patroni cluster, as docs/operations.md has it: set up, served, failed over,
// brought back, with real nodes over TLS.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "oa/base/clock.h"
#include "testkit/archive_tool.h"
#include "testkit/documented.h"
#include "testkit/patroni_nodes.h"
#include "testkit/service.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testkit::PatroniNodes;
using testkit::Service;
using Names = std::set<std::string>;

constexpr const char* kPassword = "pw-7f31c0aa";  // of our roles; must be in no output

std::string text(const json::value& value) { return std::string(value.as_string()); }

std::string replaced(std::string whole, const std::string& from, const std::string& to) {
  for (auto at = whole.find(from); at != whole.npos; at = whole.find(from, at + to.size()))
    whole.replace(at, from.size(), to);
  return whole;
}

std::string block(const std::string& head) {
  return testkit::documented(OA_DOCS "/operations.md", head);
}

// The tests follow each other on one cluster.
class PatroniService : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    nodes_ = std::make_unique<PatroniNodes>();
    outputs_ = std::make_unique<testkit::Scratch>();
    make_files();
    start_nodes();
  }
  static void TearDownTestSuite() {
    service_.reset();
    nodes_.reset();
    outputs_.reset();
  }

  static PatroniNodes& nodes() { return *nodes_; }
  static std::string file(const std::string& name) { return nodes().scratch() + "/" + name; }
  static void make_files() {
    testkit::write_file(file("patroni.password"), "right\n");
    std::string passfile;
    for (const char* role : {"owner", "service", "operator", "replication", "backup"})
      passfile += fmt::format("*:*:*:oa_{}:{}\n", role, kPassword);
    testkit::write_file(file("passfile"), passfile);
    testkit::write_file(file("setup.passfile"), "*:*:*:postgres:a\n");
    for (const char* name : {"patroni.password", "passfile", "setup.passfile"})
      fs::permissions(file(name), fs::perms(0600));
    const auto made =
        testkit::run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                      "-subj", "/CN=cell", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                      file("server.key"), "-out", file("ca.pem")});
    ASSERT_EQ(made.status, 0) << made.err;
    const auto& account = nodes().account();
    if (account.other)
      ASSERT_EQ(testkit::run({"chown", account.name, file("server.key")}).status, 0);
    testkit::write_file(file("oa-backup.json"), here(block("json deployment")));
  }
  static void start_nodes() {
    const std::string access =
        here(replaced(block("yaml node"), "10.0.0.0/24", "127.0.0.1/32")).substr(12);
    nodes().configure({.dcs = {},
                       .parameters = fmt::format("        ssl: 'on'\n        ssl_cert_file: {}\n"
                                                 "        ssl_key_file: {}\n",
                                                 file("ca.pem"), file("server.key")),
                       .bootstrap = {},
                       .postgresql = access});
    nodes().start_both();
  }
  // With the paths and addresses of this test for those of the document.
  static std::string here(std::string whole) {
    for (const int node : {1, 2}) {
      const std::string name = fmt::format("n{}", node);
      whole = replaced(whole, fmt::format("https://db{}.example:8008", node), nodes().url(node));
      whole = replaced(whole, fmt::format("db{}.example:5432", node),
                       fmt::format("127.0.0.1:{}", nodes().port(node)));
      whole = replaced(whole, fmt::format("\"socket_folder\": \"/srv/{}\", \"port\": 5432", name),
                       fmt::format("\"socket_folder\": \"{}\", \"port\": {}", nodes().folder(node),
                                   nodes().port(node)));
      whole = replaced(whole, "/srv/" + name, nodes().folder(node));
    }
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"/etc/oa-backup/", nodes().scratch() + "/"},
          {"/srv/oa", data()},
          {"/root/", nodes().scratch() + "/"},
          {"/usr/bin/oa-backup", OA_BACKUP},
          {"/etc/patroni/cell.yml", nodes().configuration_file(1)}})
      whole = replaced(whole, from, to);
    return whole;
  }
  static std::string data() { return *outputs_ / "oa"; }

  // A command of the document.
  static testkit::Finished shell(const std::string& name, const std::string& more = "") {
    std::string script = here(block("sh " + name));
    script.pop_back();  // what comes more belongs to the last line
    for (const char* command : {" cluster setup", " continuity", " node-keys"})
      script =
          replaced(script, std::string("oa-backup") + command, std::string(OA_BACKUP) + command);
    const auto done =
        testkit::run({"timeout", "90", "bash", "-euo", "pipefail", "-c", script + more});
    EXPECT_EQ(done.out.find(kPassword), std::string::npos);
    EXPECT_EQ(done.err.find(kPassword), std::string::npos);
    return done;
  }
  static std::vector<std::string> on_cluster(std::vector<std::string> arguments,
                                             const std::string& config = "oa-backup.json") {
    arguments.insert(arguments.end(), {"--data", data(), "--config", file(config)});
    return arguments;
  }
  static json::value run(const std::vector<std::string>& arguments) {
    return testkit::oa_json(on_cluster(arguments));
  }
  // "<exit status> <code> <message>" of a command that fails.
  static std::string refusal(std::vector<std::string> arguments,
                             const std::string& config = "oa-backup.json") {
    arguments.emplace_back("--json");
    const auto done = testkit::oa(on_cluster(std::move(arguments), config));
    EXPECT_EQ((done.out + done.err).find(kPassword), std::string::npos);
    const auto error = parse_json(done.err.substr(0, done.err.find('\n')));
    if (done.status == 0 || !error.ok()) return done.out + done.err;
    const auto& said = error->at("error").as_object();
    return fmt::format("{} {} {} {}", done.status, text(said.at("code")), text(said.at("message")),
                       json::serialize(said));
  }
  static json::value status() {
    const auto done = testkit::oa(on_cluster({"continuity", "status", "--json"}));
    const auto document = parse_json(done.out);
    if (!document.ok()) throw std::runtime_error(done.out + done.err);
    return *document;
  }
  static Names alarms() {
    Names codes;
    const auto document = status();
    for (const auto& alarm : document.at("alarms").as_array()) codes.insert(text(alarm.at("code")));
    return codes;
  }
  static bool await_alarms(const Names& wanted) {
    return PatroniNodes::eventually([&] { return alarms() == wanted; });
  }
  static std::string steps_changed(const json::value& setup) {
    std::string changed;
    for (const auto& step : setup.at("steps").as_array())
      if (step.at("changed").as_bool()) changed += text(step.at("what")) + "\n";
    return changed;
  }
  static Names tenants() {
    Names names;
    const auto listed = run({"tenant", "list"});
    for (const auto& tenant : listed.at("data").as_array()) names.insert(text(tenant.at("name")));
    return names;
  }
  static void patch(const std::string& change) {
    ASSERT_EQ(testkit::run({"curl", "-sf", "-u", "orch:right", "-X", "PATCH", "-d", change,
                            nodes().url(nodes().leader()) + "/config"})
                  .status,
              0);
  }
  // What the doctor finds, by id.
  static std::map<std::string, std::string> findings() {
    const auto finished = testkit::oa(on_cluster({"doctor", "--json"}));
    std::map<std::string, std::string> found{{"status", std::to_string(finished.status)}};
    const auto document = parse_json(finished.out).value();
    for (const auto& each : document.at("findings").as_array())
      found.emplace(text(each.at("id")), text(each.at("severity")));
    return found;
  }
  static void serve() {
    static int started = 0;
    service_ = std::make_unique<Service>(
        *outputs_, fmt::format("serve-{}", ++started),
        std::vector<std::string>{"serve", "--config", file("oa-backup.json"), "--operator-port",
                                 "0", "--log", file("service.log")},
        "oa");
  }
  static std::string moment() {
    std::this_thread::sleep_for(milliseconds(20));
    const std::string now = Timestamp::now().rfc3339();
    std::this_thread::sleep_for(milliseconds(20));
    return now;
  }

  static inline std::unique_ptr<PatroniNodes> nodes_;
  static inline std::unique_ptr<Service> service_;
  static inline std::unique_ptr<testkit::Scratch> outputs_;
};

TEST_F(PatroniService, A1_IsSetUpAsTheDocumentSays) {
  EXPECT_TRUE(refusal({"tenant", "list"}).starts_with("3 resource/not-found"))
      << "nothing is there";
  const auto first = shell("setup", " --json");
  ASSERT_EQ(first.status, 0) << first.err;
  const auto setup = parse_json(first.out).value();
  for (const char* made : {"role oa_service\n", "password of oa_backup\n",
                           "database oneanalytics\n", "repository ", "settings of Patroni\n"})
    EXPECT_NE(steps_changed(setup).find(made), std::string::npos) << steps_changed(setup);
  EXPECT_EQ(setup.at("pending_restarts").as_array().size(), 2u);
  const auto node = shell("each-node");
  EXPECT_EQ(node.status, 0) << node.err;
  ASSERT_EQ(shell("restart").status, 0);
  ASSERT_TRUE(PatroniNodes::eventually([] {
    return testkit::value(nodes().conninfo(), "SHOW archive_mode") == "on" && nodes().streaming();
  }));
  const auto again = shell("setup", " --json");
  ASSERT_EQ(again.status, 0) << again.err;
  const auto second = parse_json(again.out).value();
  EXPECT_EQ(steps_changed(second), "");
  EXPECT_EQ(second.at("pending_restarts").as_array().size(), 0u);
  EXPECT_EQ(testkit::value(nodes().conninfo(),
                           "SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%') FROM "
                           "pg_authid WHERE rolname LIKE 'oa%'"),
            "t");
}

TEST_F(PatroniService, A2_WhatCannotBeIsRefused) {
  const std::string good = testkit::contents_of(file("oa-backup.json"));
  const auto other = [&](const std::string& from, const std::string& to) {
    const std::string changed = replaced(good, from, to);
    EXPECT_NE(changed, good) << from;
    testkit::write_file(file("other.json"), changed);
  };
  const auto away = testkit::free_ports(1).front();
  const std::vector<std::string> setup = {"cluster", "setup", "--superuser-passfile",
                                          file("setup.passfile")};
  other(nodes().url(1) + "\", \"" + nodes().url(2), fmt::format("http://127.0.0.1:{}", away));
  EXPECT_TRUE(
      refusal(setup, "other.json").starts_with("9 database/unavailable no node of the Patroni"))
      << refusal(setup, "other.json");
  other(fmt::format(":{}\", \"127.0.0.1:{}", nodes().port(1), nodes().port(2)),
        fmt::format(":{}", away));
  EXPECT_TRUE(
      refusal(setup, "other.json").starts_with("9 database/unavailable the database does not"));
  EXPECT_TRUE(refusal({"tenant", "list"}, "other.json").starts_with("9 database/unavailable"));

  testkit::write_file(file("wrong"), "wrong\n");
  fs::permissions(file("wrong"), fs::perms(0600));
  other("patroni.password", "wrong");
  const std::string rest = refusal(setup, "other.json");
  EXPECT_TRUE(rest.starts_with("5 auth/permission-denied")) << rest;
  testkit::write_file(file("wrong.passfile"), "*:*:*:*:wrong-one\n");
  fs::permissions(file("wrong.passfile"), fs::perms(0600));
  other("/passfile", "/wrong.passfile");
  const std::string wrong = refusal({"tenant", "list"}, "other.json");
  EXPECT_TRUE(wrong.starts_with("9 database/unavailable")) << wrong;
  EXPECT_NE(wrong.find("password authentication failed"), std::string::npos) << wrong;
  EXPECT_EQ(wrong.find("wrong-one"), std::string::npos);
  other("\"verify-full\"", "\"require\"");
  EXPECT_TRUE(refusal({"tenant", "list"}, "other.json").starts_with("2 request/invalid"));
  // Another certificate than the server's.
  ASSERT_EQ(testkit::run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                          "-subj", "/CN=x", "-keyout", file("x.key"), "-out", file("x.pem")})
                .status,
            0);
  other("/ca.pem\",\n      \"passfile", "/x.pem\",\n      \"passfile");
  EXPECT_NE(refusal({"tenant", "list"}, "other.json").find("certificate verify failed"),
            std::string::npos);
  // Nobody's files are here.
  other("\"nodes\": [", "\"nodes\": [], \"x\": [");
  testkit::write_file(file("other.json"),
                      replaced(replaced(good, "\"member\": \"n1\"", "\"member\": \"m1\""),
                               "\"member\": \"n2\"", "\"member\": \"m2\""));
  EXPECT_NE(refusal(setup, "other.json").find("cannot be reached from here"), std::string::npos);

  EXPECT_TRUE(refusal({"up"}).starts_with("2 request/invalid"));
  const auto forgotten = testkit::oa({"tenant", "list", "--data", data(), "--json"});
  EXPECT_EQ(forgotten.status, 2) << forgotten.err;
  EXPECT_NE(forgotten.err.find("--config"), std::string::npos);
  EXPECT_FALSE(fs::exists(data() + "/postgres"));
}

TEST_F(PatroniService, B1_IsServedAndBacksUpByItself) {
  serve();
  ASSERT_TRUE(PatroniNodes::eventually([] { return !status().at("earliest").is_null(); }))
      << testkit::contents_of(file("service.log"));
  ASSERT_TRUE(await_alarms({})) << json::serialize(status());
  const auto now = status();
  EXPECT_EQ(text(now.at("cluster").at("driver")), "patroni");
  EXPECT_EQ(text(now.at("cluster").at("leader")), "n1");
  EXPECT_EQ(now.at("cluster").at("members").as_array().size(), 2u);
  EXPECT_TRUE(now.at("receiver_connected").as_bool());
  const auto shown = shell("look");
  EXPECT_EQ(shown.status, 0);
  EXPECT_NE(shown.out.find("n1 leads on timeline 1"), std::string::npos) << shown.out;
  run({"demo", "--rows", "500"});
  for (const char* kind : {"incremental", "restore-check"})
    EXPECT_EQ(text(run({"continuity", "run", kind}).at("state")), "succeeded") << kind;
  auto found = findings();
  for (const char* id : {"tls.postgres", "tls.patroni", "versions.postgres", "versions.patroni", "keys.reach",
                         "clock.database", "continuity.state", "files.deployment", "files.secret-passfile"})
    EXPECT_EQ(found[id], "ok") << id;
  EXPECT_EQ(found.count("tls.postgres-certificate"), 1u);
  EXPECT_EQ(found.count("at-rest.postgres"), 1u);
}

// What was answered is there, and what was not answered was refused as the document says.
TEST_F(PatroniService, B2_GoesOnThroughASwitchover) {
  run({"tenant", "create", "Before"});
  const std::string then = moment();
  run({"tenant", "create", "After"});
  const std::string token = replaced(testkit::contents_of(data() + "/operator.token"), "\n", "");
  const std::string address = text(service_->document().at("operator_address"));
  Names made, codes;
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    for (int i = 0; !enough; ++i) {
      const std::string name = fmt::format("T{}", i);
      const auto answer = testkit::run({"curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                                        "-H", "Authorization: Bearer " + token, "--json",
                                        fmt::format(R"({{"name":"{}","plan":"starter"}})", name),
                                        address + "/v1/operator/tenants"});
      codes.insert(answer.out);
      if (answer.out == "201") made.insert(name);
    }
  });
  ASSERT_TRUE(nodes().patroni().switchover("n2", std::chrono::seconds(40)).ok());
  EXPECT_TRUE(PatroniNodes::eventually([] { return nodes().streaming(); }));
  std::this_thread::sleep_for(milliseconds(500));
  enough = true;
  writer.join();
  codes.erase("201");
  codes.erase("503");
  EXPECT_EQ(codes, Names());
  EXPECT_GT(made.size(), 5u);
  const Names there = tenants();
  EXPECT_TRUE(std::ranges::includes(there, made));

  ASSERT_TRUE(await_alarms({})) << json::serialize(status());
  const auto now = status();
  EXPECT_EQ(text(now.at("cluster").at("leader")), "n2");
  EXPECT_EQ(now.at("cluster").at("timeline").to_number<int>(), 2);
  EXPECT_EQ(text(run({"continuity", "run", "full"}).at("state")), "succeeded") << "from n2";
  EXPECT_EQ(text(run({"continuity", "run", "restore-check"}).at("state")), "succeeded");

  // A moment of before, on the timeline of then.
  const auto job = run({"continuity", "moment", "--tenant", "Demo", "--at", then});
  EXPECT_FALSE(text(job.at("archive_id")).empty());
  run({"continuity", "recover", "--to", then, "--into", *outputs_ / "then"});
  {
    Service beside(*outputs_, "beside", {"up", "--log", file("then.log")}, "then");
    Names names;
    const auto listed = testkit::oa_json({"tenant", "list", "--data", *outputs_ / "then"});
    for (const auto& tenant : listed.at("data").as_array()) names.insert(text(tenant.at("name")));
    EXPECT_EQ(names, (Names{"Demo", "Demo recovered 1", "Before"}));
    EXPECT_EQ(beside.stop(), 0) << testkit::contents_of(*outputs_ / "then/postgres/server.log");
  }
  EXPECT_TRUE(refusal({"continuity", "recover", "--to", then, "--in-place", "--yes"})
                  .starts_with("2 request/unsupported"))
      << refusal({"continuity", "recover", "--to", then, "--in-place", "--yes"});
}

TEST_F(PatroniService, B3_TellsWhatIsWrong) {
  patch(R"({"pause":true})");
  EXPECT_TRUE(await_alarms({"cluster-paused"})) << json::serialize(status());
  patch(R"({"pause":null,"postgresql":{"parameters":{"archive_command":"true"}}})");
  EXPECT_TRUE(await_alarms({"archive-command"})) << json::serialize(status());
  auto found = findings();
  EXPECT_EQ(found["continuity.archive-command"], "broken");
  EXPECT_EQ(found["status"], "12");
  const auto refused = shell("setup", " --json");
  EXPECT_NE(refused.status, 0);
  EXPECT_NE(refused.err.find("resource/conflict"), std::string::npos) << refused.err;
  const auto mended = shell("setup", " --json --replace-archiving");
  EXPECT_EQ(steps_changed(parse_json(mended.out).value()), "settings of Patroni\n") << mended.err;
  EXPECT_TRUE(await_alarms({})) << json::serialize(status());
  const int other = 3 - nodes().leader();
  nodes().stop(other);
  EXPECT_TRUE(await_alarms({"node-missing"})) << json::serialize(status());
  nodes().start(other);
  EXPECT_TRUE(PatroniNodes::eventually([] { return nodes().streaming(); }));
  EXPECT_TRUE(await_alarms({})) << json::serialize(status());
}

TEST_F(PatroniService, B4_AnotherProcessKeepsTheCellWhenOneDies) {
  auto first = std::move(service_);
  serve();
  EXPECT_EQ(text(run({"continuity", "run", "incremental"}).at("state")), "succeeded");
  first->process().kill_and_reap();
  EXPECT_EQ(text(run({"continuity", "run", "incremental"}).at("state")), "succeeded");
  EXPECT_TRUE(await_alarms({})) << json::serialize(status());
}

TEST_F(PatroniService, C_NobodyIsThere) {
  for (const int node : {1, 2}) nodes().stop(node);
  const auto done = testkit::oa(on_cluster({"continuity", "status", "--json"}));
  EXPECT_EQ(done.status, 6) << done.err;
  const Names now = alarms();
  EXPECT_TRUE(now.contains("database-away") && now.contains("cluster-silent"))
      << json::serialize(status());
  EXPECT_FALSE(now.contains("rpo-at-risk"));
  EXPECT_TRUE(refusal({"tenant", "list"}).starts_with("9 database/unavailable"));
  EXPECT_EQ(testkit::run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                          service_->address() + "/readyz"})
                .out,
            "503");
  nodes().start(2);
  ASSERT_TRUE(PatroniNodes::eventually([] { return nodes().leader() == 2; }));
  EXPECT_TRUE(await_alarms({"node-missing"})) << json::serialize(status());
  EXPECT_TRUE(PatroniNodes::eventually([] {
    return testkit::run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                         service_->address() + "/readyz"})
               .out == "200";
  }));
  EXPECT_EQ(service_->stop(), 0);
  EXPECT_EQ(testkit::files_with(outputs_->path(), kPassword), std::vector<std::string>());
  EXPECT_EQ(testkit::files_with(nodes().scratch(), kPassword, {"n1", "n2"}),
            std::vector<std::string>{file("passfile")});
}

}  // namespace
}  // namespace oa
