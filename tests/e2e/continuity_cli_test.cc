// Continuous backup by the command line and the API: moments, rows of then, a cell recovered beside
// and in place, a service that is killed.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "oa/base/clock.h"
#include "testkit/archive_tool.h"
#include "testkit/service.h"

namespace oa {
namespace {

using testkit::Service;

constexpr const char* kCanary = "canary-9c41d07be2";

std::string text(const json::value& value) { return std::string(value.as_string()); }

class Continuity : public testing::Test {
 protected:
  std::vector<std::string> in(const std::string& folder, std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", scratch_ / folder});
    return arguments;
  }
  json::value run(const std::vector<std::string>& arguments,
                  const std::string& folder = "data") const {
    return testkit::oa_json(in(folder, arguments));
  }
  // "<exit status> <code>" of a command that fails.
  std::string refusal(std::vector<std::string> arguments,
                      const std::string& folder = "data") const {
    arguments.emplace_back("--json");
    const auto finished = testkit::oa(in(folder, std::move(arguments)));
    const auto error = parse_json(finished.err.substr(0, finished.err.find('\n')));
    if (finished.status == 0 || !error.ok()) return finished.out + finished.err;
    return std::to_string(finished.status) + " " + text(error->at("error").at("code"));
  }
  // The state whatever the exit status, which is the second.
  std::pair<json::value, int> status(const std::string& folder = "data") const {
    const auto finished = testkit::oa(in(folder, {"continuity", "status", "--json"}));
    return {parse_json(finished.out).value(), finished.status};
  }
  std::set<std::string> alarms(const std::string& folder = "data") const {
    std::set<std::string> codes;
    const auto document = status(folder).first;
    for (const auto& alarm : document.at("alarms").as_array()) codes.insert(text(alarm.at("code")));
    return codes;
  }
  // Nobody asks for it.
  void await_first_backup(const std::string& folder = "data") const {
    for (int tries = 0; tries < 300; ++tries) {
      const auto now = status(folder).first;
      if (!now.at("earliest").is_null() && text(now.at("earliest")) < text(now.at("now"))) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL() << "no backup came by itself";
  }
  void start(std::vector<std::string> more = {}, const std::string& folder = "data") {
    more.insert(more.begin(), "up");
    service_.emplace(scratch_, "up-" + std::to_string(++started_), std::move(more), folder);
  }
  void start_demo() {
    start({"--demo", "--rows", "2000"});
    token_ = testkit::demo_token(
        scratch_, *service_, R"(["read","reports","datasets","backup","restore","admin"])");
    await_first_backup();
  }
  json::value api(const std::string& method, const std::string& path,
                  const std::string& body = "") const {
    return testkit::call_api(*service_, token_, method, path, body);
  }
  // Of the two workspaces that the demo makes; the first report of it.
  std::string workspace() const {
    const auto listed = api("GET", "/v1/workspaces");
    for (const auto& each : listed.at("data").as_array())
      if (text(each.at("name")) == "Sales") return text(each.at("id"));
    throw std::runtime_error("no workspace");
  }
  std::string report() const {
    const auto listed = api("GET", "/v1/workspaces/" + workspace() + "/reports");
    return text(listed.at("data").at(0).at("id"));
  }
  std::set<std::string> tenants(const std::string& folder = "data") const {
    std::set<std::string> names;
    const auto listed = run({"tenant", "list"}, folder);
    for (const auto& tenant : listed.at("data").as_array()) names.insert(text(tenant.at("name")));
    return names;
  }
  // A moment with no commit near it.
  static std::string moment_now() {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::string now = Timestamp::now().rfc3339();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return now;
  }
  std::vector<std::string> kinds_of_runs(const std::string& folder = "data") const {
    std::vector<std::string> kinds;
    const auto listed = run({"continuity", "runs"}, folder);
    for (const auto& each : listed.at("data").as_array())
      kinds.push_back(text(each.at("kind")) + " " + text(each.at("state")) + " " +
                      text(each.at("requested_by")));
    return kinds;
  }
  bool scratch_is_empty() const {
    const std::filesystem::directory_iterator entries(scratch_ / "data/continuity/scratch");
    return std::none_of(begin(entries), end(entries),
                        [](const auto& entry) { return entry.is_directory(); });
  }

  testkit::Scratch scratch_;
  std::optional<Service> service_;
  std::string token_;
  int started_ = 0;
};

TEST_F(Continuity, AReportAndTheRowsOfAMomentComeBack) {
  start_demo();
  EXPECT_EQ(status().second, 0);
  EXPECT_EQ(text(status().first.at("state")), "on");
  EXPECT_EQ(kinds_of_runs(), std::vector<std::string>{"full succeeded schedule"});

  const std::string csv = scratch_ / "cities.csv";
  testkit::write_file(csv, "city,people\nDresden,5\nLeipzig,6\n");
  const auto made = run({"dataset", "import", csv, "--tenant", "Demo", "--workspace", workspace(),
                         "--name", kCanary});
  const std::string dataset = text(made.at("id"));
  const std::vector<std::string> ask = {"dataset", "query", dataset, "--tenant", "Demo", "--query",
                                        R"({"dimensions":[{"id":"city"}],"measures":["row_count"]})"};
  const auto rows_then = run(ask).at("rows");
  const std::string lost = report();
  const auto report_then = api("GET", "/v1/reports/" + lost);
  api("DELETE", "/v1/reports/" + lost);
  const auto events = api("GET", "/v1/audit/events?action=report.delete&limit=1");
  const std::string moment = text(events.at("data").at(0).at("ts"));
  testkit::write_file(csv, "city,people\nGera,7\n" + std::string(kCanary) + ",8\n");
  run({"dataset", "upload", dataset, csv, "--tenant", "Demo"});
  run({"dataset", "refresh", dataset, "--tenant", "Demo"});
  const auto rows_now = run(ask).at("rows");
  ASSERT_NE(rows_now, rows_then);

  const auto job = run({"continuity", "moment", "--tenant", "Demo", "--at", moment});
  const std::string archive = text(job.at("archive_id"));
  EXPECT_TRUE(scratch_is_empty());
  const auto plan = run({"restore", "plan", archive, "--tenant", "Demo", "--asset",
                         "report:" + lost});
  EXPECT_EQ(text(plan.at("plan").at("items").at(0).at("action")), "create");
  run({"restore", "apply", text(plan.at("restore_id")), "--tenant", "Demo", "--plan-hash",
       text(plan.at("plan_hash"))});
  EXPECT_EQ(api("GET", "/v1/reports/" + lost), report_then);

  // The rows by the versions that were named then.
  EXPECT_EQ(run(ask).at("rows"), rows_now);
  const auto restored = run({"restore", "run", archive, "--tenant", "Demo", "--asset",
                             "dataset:" + dataset, "--yes"});
  EXPECT_EQ(run(ask).at("rows"), rows_then);
  run({"restore", "undo", text(restored.at("restore_id")), "--tenant", "Demo", "--yes"});
  EXPECT_EQ(run(ask).at("rows"), rows_now);

  // Nothing readable, but where Postgres itself writes.
  EXPECT_FALSE(testkit::files_with(scratch_ / "data/postgres", kCanary).empty());
  EXPECT_EQ(testkit::files_with(scratch_ / "data", kCanary, {"postgres"}),
            std::vector<std::string>());
}

TEST_F(Continuity, RunsAreAskedForAndMomentsOutsideTheWindowRefused) {
  EXPECT_EQ(run({"tenant", "create", "Alone"}, "off").at("name"), "Alone");
  EXPECT_EQ(status("off").second, 6);
  EXPECT_EQ(alarms("off"), std::set<std::string>{"off"});
  EXPECT_EQ(refusal({"continuity", "run", "full"}, "off"), "3 resource/not-found");

  start_demo();
  for (const char* kind : {"incremental", "restore-check", "verify", "expire"})
    EXPECT_EQ(text(run({"continuity", "run", kind}).at("state")), "succeeded") << kind;
  EXPECT_EQ(refusal({"continuity", "run", "recovery"}), "2 request/invalid");
  const auto now = status();
  EXPECT_EQ(now.second, 0);
  EXPECT_FALSE(now.first.at("last_verified_restore_at").is_null());
  EXPECT_EQ(kinds_of_runs(),
            (std::vector<std::string>{"expire succeeded operator", "verify succeeded operator",
                                      "restore-check succeeded operator",
                                      "incremental succeeded operator",
                                      "full succeeded schedule"}));
  for (const char* at : {"2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"}) {
    EXPECT_EQ(refusal({"continuity", "moment", "--tenant", "Demo", "--at", at}),
              "2 backup/outside-window");
  }
  EXPECT_EQ(refusal({"continuity", "moment", "--tenant", "Demo", "--at", "2026-01-01T00:00:00"}),
            "2 request/invalid")
      << "without an offset";

  // What watches finds a repository that is gone.
  const std::string repository = scratch_ / "data/continuity/repository";
  std::filesystem::rename(repository, repository + ".away");
  EXPECT_EQ(status().second, 6);
  EXPECT_TRUE(alarms().contains("repository-unavailable"));
  EXPECT_EQ(refusal({"continuity", "moment", "--tenant", "Demo", "--at", moment_now()}),
            "9 backup/repository-unavailable");
  std::filesystem::rename(repository + ".away", repository);
  EXPECT_FALSE(alarms().contains("repository-unavailable"));
}

TEST_F(Continuity, ACellIsRecoveredBesideAndInPlaceAndBack) {
  start_demo();
  run({"tenant", "create", "Then"});
  const std::string moment = moment_now();
  run({"tenant", "create", "Later"});
  const std::set<std::string> then = {"Demo", "Then"}, now = {"Demo", "Then", "Later"};
  const std::vector<std::string> in_place = {"continuity", "recover", "--to", moment, "--in-place"};
  auto sure = in_place;
  sure.emplace_back("--yes");
  EXPECT_EQ(refusal(sure), "10 resource/busy") << "the service runs";
  EXPECT_EQ(refusal({"continuity", "undo-recovery", "--yes"}), "10 resource/busy");
  EXPECT_EQ(service_->stop(), 0);
  EXPECT_EQ(refusal(in_place), "2 request/invalid") << "nobody said yes";
  EXPECT_EQ(refusal({"continuity", "undo-recovery", "--yes"}), "3 resource/not-found");

  run({"continuity", "recover", "--to", moment, "--into", scratch_ / "beside"});
  EXPECT_EQ(refusal({"continuity", "recover", "--to", moment, "--into", scratch_ / "beside"}),
            "4 resource/conflict");
  start({}, "beside");
  EXPECT_EQ(tenants("beside"), then);
  await_first_backup("beside");  // of its own, since its repository is new
  EXPECT_EQ(service_->stop(), 0);

  // What is gone is told, and the rest is there all the same.
  std::filesystem::path version;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_ / "data/objects")) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && path.find("/rows/") != std::string::npos) version = entry.path();
  }
  std::filesystem::rename(version, scratch_ / "hidden");
  const auto found = testkit::oa(in("data", {"continuity", "recover", "--to", moment, "--into",
                                             scratch_ / "lacking", "--json"}));
  EXPECT_EQ(found.status, 6) << found.err;
  EXPECT_EQ(parse_json(found.out).value().at("finding_count"), 1);
  EXPECT_EQ(tenants("lacking"), then);
  std::filesystem::rename(scratch_ / "hidden", version);

  const auto recovered = run(sure);
  EXPECT_EQ(text(recovered.at("target")), moment);
  EXPECT_EQ(tenants(), then);
  EXPECT_EQ(kinds_of_runs().front(), "recovery succeeded operator");
  run({"continuity", "undo-recovery", "--yes"});
  EXPECT_EQ(tenants(), now);
  run({"continuity", "undo-recovery", "--yes"});
  EXPECT_EQ(tenants(), then) << "the undo is undone";

  // It goes on where it is, and what was cut off can still be had.
  start();
  EXPECT_EQ(text(run({"continuity", "run", "full"}).at("state")), "succeeded");
  EXPECT_EQ(status().second, 0);
  run({"continuity", "moment", "--tenant", "Demo", "--at", moment});
}

TEST_F(Continuity, WhoWasErasedIsInNoMomentAndNoRecoveredCell) {
  constexpr const char* kPerson = "ada.quillfeather@lovelace-family.example";
  start_demo();
  run({"user", "add", kPerson, "--first", "Adalgisa", "--last", "Quillfeather", "--tenant", "Demo"});
  const std::string moment = moment_now();
  run({"privacy", "erase", kPerson, "--tenant", "Demo", "--wait-days", "0", "--yes"});
  const auto people_of = [&](const std::string& folder) {
    return json::serialize(run({"user", "list", "--tenant", "Demo"}, folder));
  };
  const auto dump_of = [&](const std::string& folder) {
    const auto dumped = testkit::run({"pg_dump", "-h", scratch_ / (folder + "/postgres/socket"), "-U",
                                      "postgres", "-d", "oneanalytics"});
    EXPECT_EQ(dumped.status, 0) << dumped.err;
    return dumped.out;
  };
  EXPECT_EQ(people_of("data").find("Quillfeather"), std::string::npos);

  // A moment of before: its archive has nobody of that name.
  const auto archive = run({"continuity", "moment", "--tenant", "Demo", "--at", moment});
  const std::string file = scratch_ / "moment.oa-archive";
  run({"archive", "download", text(archive.at("archive_id")), "--tenant", "Demo", "--output", file});
  const auto key = text(run({"keys", "list", "Demo"}).at("data").at(0).at("public_key"));
  const std::string folder = scratch_ / "unpacked";
  testkit::oa_archive_json({"extract", file, "--output", folder, "--trust-key", key});
  EXPECT_EQ(testkit::files_with(folder, "Quillfeather"), std::vector<std::string>());
  EXPECT_NE(testkit::files_with(folder, "user10@"), std::vector<std::string>());
  EXPECT_EQ(service_->stop(), 0);

  // A cell of before, beside and in place: the first who opens it carries the erasure out.
  run({"continuity", "recover", "--to", moment, "--into", scratch_ / "beside"});
  start({}, "beside");
  std::string dump = dump_of("beside");
  for (int tries = 0; tries < 600 && dump.find("Quillfeather") != std::string::npos; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    dump = dump_of("beside");
  }
  EXPECT_EQ(dump.find("Quillfeather"), std::string::npos) << "the service itself catches up";
  EXPECT_EQ(people_of("beside").find("Quillfeather"), std::string::npos);
  EXPECT_EQ(run({"privacy", "ledger"}, "beside").at("entries"), 1);
  EXPECT_EQ(service_->stop(), 0);
  run({"continuity", "recover", "--to", moment, "--in-place", "--yes"});
  const auto erasures = run({"privacy", "erasures", "--tenant", "Demo"}).at("data");
  ASSERT_EQ(erasures.as_array().size(), 1u);
  EXPECT_EQ(text(erasures.at(0).at("state")), "done");
  EXPECT_EQ(people_of("data").find("Quillfeather"), std::string::npos);
}

TEST_F(Continuity, AKilledServiceLeavesNoScratchAndTheJobIsDone) {
  start_demo();
  const auto job = api("POST", "/v1/archives/from-moment",
                       R"({"rows":true,"at":")" + moment_now() + "\"}");
  const auto wait = std::chrono::milliseconds(std::random_device{}() % 2500);
  SCOPED_TRACE("killed after " + std::to_string(wait.count()) + " ms");
  std::this_thread::sleep_for(wait);
  service_->process().kill_and_reap();
  start();
  json::value ended;
  for (int tries = 0; tries < 600; ++tries) {
    ended = api("GET", "/v1/jobs/" + text(job.at("id")));
    if (text(ended.at("state")) != "queued" && text(ended.at("state")) != "running") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(text(ended.at("state")), "succeeded") << json::serialize(ended);
  EXPECT_TRUE(scratch_is_empty());
  EXPECT_EQ(api("GET", "/v1/archives").at("data").as_array().size(), 1u);
}

}  // namespace
}  // namespace oa
