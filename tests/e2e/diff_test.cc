// `archive diff` on a real tenant: exactly what was edited, nothing else.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "oa/catalog/repositories.h"
#include "oa/demo/demo_tenant.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::oa;
using testkit::oa_json;

std::string text(const json::value& value) { return std::string(value.as_string()); }

// A demo tenant with two archives: one of before, one of after three edits to its reports.
class DiffTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new testkit::Scratch;
    instance::Settings settings;
    settings.data_folder = data();
    settings.create = true;
    const auto instance = instance::Instance::open(settings).value();
    const auto tenant =
        demo::make_demo_tenant(*instance, "Demo", {.order_rows = 500, .audit_events = 20}, {},
                               no_progress())
            .value();
    before_ = archive({"--rows", "--audit", "--output", file("before")});
    edit(instance->database(), tenant.id);
    after_ = archive({"--rows", "--audit", "--output", file("after")});
  }
  static void TearDownTestSuite() {
    delete scratch_;
    scratch_ = nullptr;
  }

  static void edit(catalog::Database& database, TenantId tenant) {
    auto transaction = database.begin(tenant).value();
    catalog::Reports reports(transaction);
    const auto workspaces = catalog::Workspaces(transaction).list().value();
    auto found = reports.list(workspaces.front().id, std::nullopt, 500).value();
    ASSERT_GE(found.size(), 3u);
    changed_ = found[0];
    changed_.name = "A\nnew name";
    changed_.visuals.at(0).title = "Edited title";
    removed_ = found[1];
    added_ = found[2];
    added_.id = ReportId::random();
    added_.name = "Brand new";
    for (auto& visual : added_.visuals) visual.id = VisualId::random();
    for (auto& bookmark : added_.bookmarks) bookmark.id = BookmarkId::random();
    ASSERT_TRUE(reports.remove(removed_.id).ok());
    const catalog::Report written[] = {changed_, added_};
    const auto put = reports.put(written);
    ASSERT_TRUE(put.ok()) << put.error().message << put.error().cause;
    ASSERT_TRUE(transaction.commit().ok());
  }
  static std::string archive(std::vector<std::string> options) {
    options.insert(options.begin(), {"archive", "create", "--tenant", "Demo", "--data", data()});
    return text(oa_json(options).at("id"));
  }
  static json::value diff(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"archive", "diff"});
    arguments.insert(arguments.end(), {"--tenant", "Demo", "--data", data()});
    return oa_json(arguments);
  }
  // The three edits; the audit chain went on too where it is compared.
  static void expect_edits(const json::value& document) {
    std::map<std::string, json::value> reports;
    for (const auto& change : document.at("changes").as_array()) {
      if (text(change.at("kind")) == "report") {
        reports[text(change.at("id"))] = change;
      } else {
        EXPECT_EQ(text(change.at("kind")), "audit") << canonical_json(change);
      }
    }
    ASSERT_EQ(reports.size(), 3u) << canonical_json(document);
    EXPECT_EQ(text(reports.at(added_.id.str()).at("change")), "added");
    EXPECT_EQ(text(reports.at(added_.id.str()).at("name")), "Brand new");
    EXPECT_EQ(text(reports.at(removed_.id.str()).at("change")), "removed");
    EXPECT_EQ(text(reports.at(removed_.id.str()).at("name")), removed_.name);
    const auto& fields = reports.at(changed_.id.str()).at("fields").as_array();
    ASSERT_EQ(fields.size(), 2u) << canonical_json(document);
    EXPECT_EQ(text(fields[0].at("path")), "name");
    EXPECT_EQ(text(fields[0].at("after")), R"("A\nnew name")");
    EXPECT_EQ(text(fields[1].at("path")), "visuals[" + changed_.visuals[0].id.str() + "].title");
    EXPECT_EQ(text(fields[1].at("after")), R"("Edited title")");
  }

  static std::string data() { return *scratch_ / "data"; }
  static std::string file(const std::string& name) { return *scratch_ / name; }
  static testkit::Scratch* scratch_;
  static std::string before_, after_;
  static catalog::Report changed_, removed_, added_;
};
testkit::Scratch* DiffTest::scratch_ = nullptr;
std::string DiffTest::before_, DiffTest::after_;
catalog::Report DiffTest::changed_, DiffTest::removed_, DiffTest::added_;

TEST_F(DiffTest, TwoArchivesInStoreAndAsFiles) {
  const auto document = diff({before_, after_});
  expect_edits(document);
  EXPECT_EQ(document.at("counts").at("changed").as_int64(), 2) << "the report, the audit chain";
  EXPECT_TRUE(document.at("compared").at("rows").as_bool());
  EXPECT_EQ(text(document.at("before").at("archive_id")), before_);
  EXPECT_EQ(canonical_json(diff({file("before"), file("after")})), canonical_json(document));
  const auto back = diff({after_, before_});
  EXPECT_EQ(back.at("counts").at("added").as_int64(), 1);
  EXPECT_EQ(back.at("counts").at("removed").as_int64(), 1);
}

TEST_F(DiffTest, AnArchiveAndTheTenantAsItIs) {
  const auto archives = oa_json({"archive", "list", "--tenant", "Demo", "--data", data()});
  const auto document = diff({before_});
  expect_edits(document);
  EXPECT_EQ(document.at("changes").as_array().size(), 3u);
  EXPECT_TRUE(document.at("after").at("live").as_bool());
  EXPECT_TRUE(document.at("compared").at("rows").as_bool());
  EXPECT_FALSE(document.at("compared").at("audit").as_bool());
  EXPECT_TRUE(diff({after_}).at("changes").as_array().empty());
  EXPECT_EQ(oa_json({"archive", "list", "--tenant", "Demo", "--data", data()}), archives)
      << "a comparison leaves no archive behind";
}

TEST_F(DiffTest, AsTextWithExitStatus) {
  const auto same = oa(
      {"archive", "diff", before_, before_, "--tenant", "Demo", "--data", data(), "--exit-code"});
  EXPECT_EQ(same.status, 0);
  EXPECT_NE(same.out.find("\nno differences\n"), std::string::npos) << same.out;
  std::vector<std::string> command = {"archive", "diff",   before_, "--tenant",
                                      "Demo",    "--data", data()};
  EXPECT_EQ(oa(command).status, 0);
  command.emplace_back("--exit-code");
  const auto live = oa(command);
  EXPECT_EQ(live.status, 20);
  EXPECT_NE(live.out.find("added    report     " + added_.id.str() + "  Brand new\n"),
            std::string::npos)
      << live.out;
  EXPECT_NE(live.out.find("removed  report     " + removed_.id.str()), std::string::npos);
  EXPECT_NE(live.out.find("  A\\x0anew name\n"), std::string::npos) << "names forge no lines";
  EXPECT_NE(live.out.find("3 assets differ: 1 added, 1 removed, 1 changed\n"), std::string::npos);
  EXPECT_NE(live.out.find("audit events were not compared\n"), std::string::npos);
}

TEST_F(DiffTest, WithoutRowsTheyAreNotRemoved) {
  const std::string bare = archive({});
  const auto document = diff({after_, bare});
  EXPECT_TRUE(document.at("changes").as_array().empty()) << canonical_json(document);
  EXPECT_FALSE(document.at("compared").at("rows").as_bool());
  EXPECT_TRUE(diff({bare}).at("changes").as_array().empty());
}

TEST_F(DiffTest, Refusals) {
  EXPECT_EQ(oa({"archive", "diff", file("before"), file("after")}).status, 6) << "unknown signer";
  EXPECT_EQ(oa({"archive", "diff", file("before")}).status, 2) << "nothing to compare with";
  EXPECT_EQ(
      oa({"archive", "diff", before_, file("none"), "--tenant", "Demo", "--data", data()}).status,
      3);
  std::string bytes = testkit::contents_of(file("after"));
  bytes[bytes.size() - 2000] ^= 0x20;
  std::ofstream(file("damaged"), std::ios::binary) << bytes;
  const auto refused = oa({"archive", "diff", file("before"), file("damaged"), "--tenant", "Demo",
                           "--data", data(), "--json"});
  EXPECT_EQ(refused.status, 6) << refused.err;
  EXPECT_EQ(refused.out, "");
}

}  // namespace
}  // namespace oa
