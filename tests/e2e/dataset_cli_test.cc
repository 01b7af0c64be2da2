// Datasets, reports, alerts and secrets on the command line, with a real Postgres as a source.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "testkit/process.h"
#include "testkit/scratch.h"
#include "testkit/source_cluster.h"

namespace oa {
namespace {

using testkit::oa;
using testkit::oa_json;

constexpr char kShopModel[] =
    "dataset: shop\n"
    "source: { type: postgres, ref: warehouse }\n"
    "tables:\n"
    "  - { name: orders, primary_key: id }\n"
    "  - { name: customers, primary_key: id }\n"
    "joins:\n"
    "  - { left: orders.customer_id, right: customers.id, kind: many_to_one }\n"
    "dimensions:\n"
    "  - { id: region, column: customers.region }\n"
    "measures:\n"
    "  - { id: revenue, type: sum, column: orders.amount }\n"
    "  - { id: customers_count, type: count, table: customers }\n";

class DatasetCliTest : public testing::Test {
 protected:
  void SetUp() override {
    run({"demo", "--rows", "2000"});
    // The commands find the database running.
    up_ = std::make_unique<testkit::Running>(
        std::vector<std::string>{OA_BACKUP, "up", "--data", scratch_ / "data", "--port", "0"});
    workspace_ = id_of("workspace", "Sales");
  }

  std::vector<std::string> here(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", scratch_ / "data"});
    return arguments;
  }
  json::value run(const std::vector<std::string>& arguments) const {
    return oa_json(here(arguments));
  }
  // The failure's code; the command must fail with `status`.
  std::string refusal(std::vector<std::string> arguments, int status) const {
    arguments.emplace_back("--json");
    const auto finished = oa(here(arguments));
    EXPECT_EQ(finished.status, status) << finished.err;
    const auto document = parse_json(finished.err.substr(0, finished.err.find('\n')));
    return document.ok() ? std::string(document->at("error").at("code").as_string()) : finished.err;
  }
  // Of the two workspaces that the demo makes, not of the one that it restores beside them.
  std::string id_of(const std::string& kind, const std::string& name) const {
    const auto shown = run({"tenant", "show", "Demo"});
    std::set<std::string> originals;
    for (const auto& asset : shown.at("assets").as_array()) {
      if (text(asset.at("kind")) != "workspace") continue;
      if (text(asset.at("name")) == "Sales" || text(asset.at("name")) == "Operations")
        originals.insert(text(asset.at("id")));
    }
    for (const auto& asset : shown.at("assets").as_array()) {
      if (text(asset.at("kind")) == kind && text(asset.at("name")).starts_with(name) &&
          originals.contains(text(asset.at("workspace_id"))))
        return text(asset.at("id"));
    }
    ADD_FAILURE() << "no " << kind << " " << name;
    return "";
  }
  std::string file(const std::string& name, std::string_view text) const {
    const std::string path = scratch_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  json::value import(const std::string& path, const std::string& name,
                     std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"dataset",     "import",   path,     "--tenant", "Demo",
                                          "--workspace", workspace_, "--name", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  json::value query(const std::string& id, const std::string& request,
                    std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"dataset", "query",   id,     "--tenant",
                                          "Demo",    "--query", request};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments).at("rows");
  }
  // Fingerprint of the Demo tenant's signing key.
  std::string signer() const {
    return text(run({"keys", "list", "Demo"}).at("data").at(0).at("fingerprint"));
  }
  static std::string text(const json::value& value) { return std::string(value.as_string()); }

  testkit::Scratch scratch_;
  std::unique_ptr<testkit::Running> up_;
  std::string workspace_;
};

TEST_F(DatasetCliTest, AFileIsImportedAskedAndRefreshed) {
  const std::string csv = file("cities.csv",
                               "plz;Stadt;Fläche\n01067;Dresden;328,48\n80331;München;310,7\n"
                               "80331;München;0,3\n");
  const auto made = import(csv, "Cities");
  EXPECT_EQ(made.at("row_count"), 3);
  EXPECT_EQ(text(made.at("state")), "ready");
  const std::string id = text(made.at("id"));
  const auto shown = run({"dataset", "show", id, "--tenant", "Demo"});
  const auto& columns = shown.at("versions").at(0).at("columns");
  EXPECT_EQ(text(columns.at(0).at("type")), "VARCHAR") << "a leading zero means a code";
  EXPECT_EQ(text(columns.at(2).at("type")), "DOUBLE") << "a decimal comma means a number";
  EXPECT_EQ(shown.at("original_kept"), true);
  const std::string model = file("cities.yaml",
                                 "dataset: cities\ntables: [{ name: cities }]\n"
                                 "dimensions: [{ id: city, column: cities.Stadt }]\n"
                                 "measures: [{ id: area, type: sum, column: cities.Fläche }]\n");
  run({"dataset", "model", id, "--tenant", "Demo", "--save", model});
  const char* by_city = R"({"dimensions":[{"id":"city"}],"measures":["area"]})";
  const auto rows = query(id, by_city);
  EXPECT_EQ(canonical_json(rows), R"([["Dresden",328.48],["München",311]])");
  std::filesystem::remove(csv);
  EXPECT_EQ(run({"dataset", "refresh", id, "--tenant", "Demo"}).at("row_count"), 3)
      << "from the sealed original";
  EXPECT_EQ(query(id, by_city), rows);
  EXPECT_EQ(text(run({"dataset", "pause", id, "--tenant", "Demo"}).at("state")), "paused");
  EXPECT_EQ(refusal({"dataset", "refresh", id, "--tenant", "Demo"}, 4), "dataset/paused");
  EXPECT_EQ(query(id, by_city), rows);
  EXPECT_EQ(text(run({"dataset", "resume", id, "--tenant", "Demo"}).at("state")), "ready");
}

TEST_F(DatasetCliTest, ABadFileLeavesNothingAndEveryBadLineIsNamed) {
  const auto before = run({"dataset", "list", "--tenant", "Demo"});
  const std::string csv = file("bad.csv", "a,b\n1,2\n1,2,secret-cell\n3,4\n5\n");
  const auto finished = oa(here({"dataset", "import", csv, "--tenant", "Demo", "--workspace",
                                 workspace_, "--name", "Bad", "--json"}));
  EXPECT_EQ(finished.status, 11);
  const auto rejected = parse_json(finished.out);
  ASSERT_TRUE(rejected.ok()) << finished.out;
  EXPECT_EQ(rejected->at("rejected_total"), 2);
  EXPECT_EQ(rejected->at("rejected").at(0).at("line"), 3);
  EXPECT_EQ(rejected->at("rejected").at(1).at("line"), 5);
  EXPECT_EQ((finished.out + finished.err).find("secret-cell"), std::string::npos);
  EXPECT_EQ(run({"dataset", "list", "--tenant", "Demo"}), before);
}

TEST_F(DatasetCliTest, APostgresSourceIsReadRefreshedAndMayFail) {
  auto source = std::make_unique<testkit::SourceCluster>();
  source->sql(
      "CREATE TABLE customers (id bigint PRIMARY KEY, region text);"
      "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, amount numeric(12,2));"
      "INSERT INTO customers VALUES (1, 'North'), (2, 'South');"
      "INSERT INTO orders SELECT i, i % 2 + 1, i + 0.25 FROM generate_series(1, 1000) i;"
      "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
  const std::string secret = file("warehouse.json", source->secret_payload());
  const std::string model = file("shop.yaml", kShopModel);
  run({"tenant", "create", "Shop", "--plan", "growth"});
  // A tenant's own secret by the name that the demo's tenant has as well.
  run({"secret", "rotate", "warehouse", "--tenant", "Demo", "--file", secret});
  const std::vector<std::string> connect = {"dataset",     "connect",  "--tenant", "Demo",
                                            "--workspace", workspace_, "--name",   "Shop",
                                            "--model",     model};
  EXPECT_NE(refusal(connect, 5), "") << "a loopback address";
  auto allowed = connect;
  allowed.emplace_back("--allow-private-networks");
  const auto made = run(allowed);
  EXPECT_EQ(text(made.at("state")), "created");
  const std::string id = text(made.at("id"));
  const char* by_region =
      R"({"dimensions":[{"id":"region"}],"measures":["revenue","customers_count"]})";
  EXPECT_EQ(refusal({"dataset", "query", id, "--tenant", "Demo", "--query", by_region}, 4),
            "dataset/not-refreshed");
  const std::vector<std::string> refresh = {"dataset",  "refresh", id,
                                            "--tenant", "Demo",    "--allow-private-networks"};
  EXPECT_EQ(run(refresh).at("row_count"), 1002);
  EXPECT_EQ(canonical_json(query(id, by_region)),
            R"([["North","250625.00",1],["South","250125.00",1]])");

  source->sql("ALTER TABLE orders ADD COLUMN note text; INSERT INTO orders VALUES (1001, 1, 1)");
  const auto again = run(refresh);
  EXPECT_EQ(again.at("version"), 2) << "other columns, another version";
  EXPECT_EQ(canonical_json(query(id, by_region)),
            R"([["North","250626.00",1],["South","250125.00",1]])");

  source->sql("REVOKE SELECT ON orders FROM reader");
  EXPECT_EQ(refusal(refresh, 5), "source/refused");
  source.reset();
  EXPECT_EQ(refusal(refresh, 10), "source/unreachable");
  const auto shown = run({"dataset", "show", id, "--tenant", "Demo"});
  EXPECT_EQ(text(shown.at("state")), "ready");
  EXPECT_EQ(text(shown.at("last_failure").at("code")), "source/unreachable");
  EXPECT_EQ(canonical_json(query(id, by_region)),
            R"([["North","250626.00",1],["South","250125.00",1]])")
      << "the last good rows stay";

  // Both tables go through an archive as one file.
  const std::string archive = scratch_ / "shop.oa-archive";
  run({"archive", "create", "--tenant", "Demo", "--rows", "--output", archive});
  run({"tenant", "import", archive, "--from-tenant", "Demo", "--name", "Copy", "--owner",
       "user01@demo.example"});
  const auto planned = run({"restore", "run", archive, "--tenant", "Copy", "--all", "--dry-run",
                            "--accept-signer", signer()});
  for (const auto& item : planned.at("plan").at("items").as_array())
    EXPECT_EQ(text(item.at("action")), "identical") << text(item.at("name"));
}

TEST_F(DatasetCliTest, SecretsGoInAndNeverComeOut) {
  const std::string value = "p4ss-7d1e9f-canary";
  const std::string payload = file(
      "s.json", R"({"host":"db.example","database":"d","user":"u","password":")" + value + R"("})");
  std::string said;
  const auto say = [&](std::vector<std::string> arguments) {
    for (const bool as_json : {false, true}) {
      auto each = here(arguments);
      if (as_json) each.emplace_back("--json");
      const auto finished = oa(each);
      said += finished.out + finished.err;
    }
  };
  say({"secret", "put", "db", "--tenant", "Demo", "--kind", "postgres", "--file", payload});
  say({"secret", "put", "db", "--tenant", "Demo", "--kind", "postgres", "--file", payload});
  say({"secret", "list", "--tenant", "Demo"});
  say({"secret", "rotate", "db", "--tenant", "Demo", "--file", payload});
  say({"secret", "rewrap", "--tenant", "Demo"});
  const std::string bad = file("bad.json", R"({"host":"db.example","pasword":")" + value + R"("})");
  say({"secret", "put", "bad", "--tenant", "Demo", "--kind", "postgres", "--file", bad});
  say({"secret", "put", "broken", "--tenant", "Demo", "--kind", "postgres", "--file",
       file("broken.json", "{\"password\":\"" + value)});
  EXPECT_EQ(said.find(value), std::string::npos) << said;
  EXPECT_NE(said.find("db"), std::string::npos);
  EXPECT_EQ(testkit::files_with(scratch_ / "data", value), std::vector<std::string>{});
  EXPECT_EQ(refusal({"secret", "remove", "warehouse", "--tenant", "Demo"}, 4), "resource/conflict");
  run({"secret", "remove", "db", "--tenant", "Demo"});
  EXPECT_EQ(refusal({"secret", "rotate", "db", "--tenant", "Demo", "--file", payload}, 3),
            "resource/not-found");
}

TEST_F(DatasetCliTest, AReportShowsToEachPersonWhatTheyMaySee) {
  const std::string report = id_of("report", "customers");
  const auto owner = run({"report", "open", report, "--tenant", "Demo"});
  EXPECT_EQ(owner.at("visuals").as_array().size(), 6u);
  // One of the model's rules is for viewers, the other lets everybody else see all regions.
  for (const auto& visual : owner.at("visuals").as_array())
    ASSERT_EQ(visual.as_object().if_contains("error"), nullptr);
  EXPECT_EQ(owner.at("visuals").at(0).at("answer").at("row_count"), 8) << "all cities";
  const std::string dataset = id_of("dataset", "customers");
  const char* by_region = R"({"dimensions":[{"id":"region"}],"measures":["customer_count"]})";
  // User 09 is a viewer in Sales by the team "Board" and comes from the North.
  const auto seen = query(dataset, by_region, {"--user", "user09@demo.example"});
  ASSERT_EQ(seen.as_array().size(), 1u);
  EXPECT_EQ(text(seen.at(0).at(0)), "North");
  EXPECT_EQ(
      refusal({"report", "open", report, "--tenant", "Demo", "--user", "user05@demo.example"}, 5),
      "auth/permission-denied");
  EXPECT_EQ(
      refusal({"report", "open", report, "--tenant", "Demo", "--user", "user12@demo.example"}, 5),
      "auth/permission-denied")
      << "has left";
}

TEST_F(DatasetCliTest, AReportIsShared) {
  const std::string report = id_of("report", "customers");
  const auto with = [&](const char* command, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"report", command, report, "--tenant", "Demo"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  const auto opening = with("open", {"--user", "user05@demo.example"});
  EXPECT_EQ(refusal(opening, 5), "auth/permission-denied");
  run(with("share", {"--with", "user:user05@demo.example", "--role", "viewer"}));
  run(opening);
  run(with("share", {"--with", "team:Board", "--role", "editor"}));
  const auto listed = run({"report", "list", "--tenant", "Demo"});
  for (const auto& each : listed.at("data").as_array()) {
    if (text(each.at("id")) != report) continue;
    const auto& grants = each.at("grants").as_array();
    ASSERT_EQ(grants.size(), 2u);
    EXPECT_EQ(text(grants[0].at("name")), "user05@demo.example");
    EXPECT_EQ(text(grants[0].at("role")), "viewer");
    EXPECT_EQ(text(grants[1].at("kind")), "team");
    EXPECT_EQ(text(grants[1].at("name")), "Board");
  }
  run(with("unshare", {"--with", "user:user05@demo.example"}));
  EXPECT_EQ(refusal(opening, 5), "auth/permission-denied");
  EXPECT_EQ(refusal(with("unshare", {"--with", "user:user05@demo.example"}), 3),
            "resource/not-found");
  const auto sharing = [&](const char* whom, const char* role) {
    return with("share", {"--with", whom, "--role", role});
  };
  EXPECT_EQ(refusal(sharing("user:nobody@demo.example", "viewer"), 3), "resource/not-found");
  EXPECT_EQ(refusal(sharing("team:Nobody", "viewer"), 3), "resource/not-found");
  for (const char* whom : {"user05@demo.example", "user:", "team:", ""})
    EXPECT_EQ(refusal(sharing(whom, "viewer"), 2), "request/invalid") << whom;
  for (const char* role : {"admin", "owner"})
    EXPECT_EQ(refusal(sharing("team:Board", role), 2), "request/invalid") << role;
}

TEST_F(DatasetCliTest, ABookmarkTakesThePlaceOfTheReportsFilters) {
  const std::string report = id_of("report", "orders");
  const auto plain = run({"report", "open", report, "--tenant", "Demo"});
  const auto marked =
      run({"report", "open", report, "--tenant", "Demo", "--bookmark", "Board meeting"});
  EXPECT_EQ(text(marked.at("bookmark")), "Board meeting");
  EXPECT_NE(plain.at("digest"), marked.at("digest"));
  EXPECT_EQ(plain.at("visuals").at(0).at("answer").at("row_count"), 4);
  EXPECT_EQ(marked.at("visuals").at(0).at("answer").at("row_count"), 2) << "of four regions";
  EXPECT_EQ(plain.at("digest"), run({"report", "open", report, "--tenant", "Demo"}).at("digest"));
  EXPECT_EQ(refusal({"report", "open", report, "--tenant", "Demo", "--bookmark", "none"}, 3),
            "resource/not-found");
}

TEST_F(DatasetCliTest, AnAlertIsEvaluatedAndItsHistoryKept) {
  const std::string alert = id_of("alert", "revenue watch 1");
  const auto first =
      run({"alert", "evaluate", alert, "--tenant", "Demo", "--at", "2026-02-15T00:00:00Z"});
  EXPECT_EQ(text(first.at("outcome")), "ok");
  EXPECT_EQ(text(first.at("detail").at("period")), "2026-02-01");
  EXPECT_EQ(first.at("preview").as_array().size(), 2u);
  run({"alert", "evaluate", alert, "--tenant", "Demo", "--at", "2020-01-01T00:00:00Z"});
  const auto history = run({"alert", "history", alert, "--tenant", "Demo"}).at("data");
  ASSERT_EQ(history.as_array().size(), 2u);
  EXPECT_EQ(text(history.at(0).at("outcome")), "ok");
  EXPECT_EQ(text(history.at(1).at("outcome")), "no_data");
}

TEST_F(DatasetCliTest, AProbeTellsADifferentReport) {
  const auto made = run({"archive", "create", "--tenant", "Demo", "--rows"});
  const std::string archive = text(made.at("id"));
  const auto same = run({"archive", "probe", archive, "--tenant", "Demo"});
  EXPECT_GE(same.at("same").as_int64(), 5);
  EXPECT_EQ(same.at("same").as_int64(), std::int64_t(same.at("data").as_array().size()));
  // A measure of the model means something else now.
  const std::string dataset = id_of("dataset", "products");
  std::string model = text(run({"dataset", "model", dataset, "--tenant", "Demo"}).at("model"));
  model.replace(model.find("type: avg"), 9, "type: max");
  run({"dataset", "model", dataset, "--tenant", "Demo", "--save", file("m.yaml", model)});
  const auto other = oa(here({"archive", "probe", archive, "--tenant", "Demo", "--json"}));
  EXPECT_EQ(other.status, 6);
  const auto document = *parse_json(other.out);
  EXPECT_LT(document.at("same").as_int64(), same.at("same").as_int64());
}

TEST_F(DatasetCliTest, AnotherTenantsThingsAreNotThere) {
  run({"tenant", "create", "Other", "--plan", "growth"});
  const auto none = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--tenant", "Other"});
    EXPECT_EQ(refusal(arguments, 3), "resource/not-found") << arguments[0] << arguments[1];
  };
  const std::string dataset = id_of("dataset", "orders");
  for (const char* command : {"show", "refresh", "pause", "resume", "model"})
    none({"dataset", command, dataset});
  none({"dataset", "query", dataset, "--query", R"({"measures":["revenue"]})"});
  none({"report", "open", id_of("report", "orders")});
  none({"alert", "evaluate", id_of("alert", "revenue")});
  none({"alert", "history", id_of("alert", "revenue")});
  none({"secret", "remove", "warehouse"});
  EXPECT_EQ(run({"secret", "list", "--tenant", "Other"}).at("data").as_array().size(), 0u);
  EXPECT_EQ(run({"dataset", "list", "--tenant", "Other"}).at("data").as_array().size(), 0u);
}

}  // namespace
}  // namespace oa
