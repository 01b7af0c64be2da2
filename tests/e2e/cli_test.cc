// The command line as a person and a script meet it.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "oa/base/bytes.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

using testkit::oa;
using testkit::oa_json;

std::string text(const json::value& value) { return std::string(value.as_string()); }

TEST(CliHelp, EveryCommandExplainsItselfWithAnExample) {
  const std::vector<std::vector<std::string>> commands = {{"up"},
                                                          {"demo"},
                                                          {"tenant", "create"},
                                                          {"tenant", "list"},
                                                          {"tenant", "show"},
                                                          {"tenant", "import"},
                                                          {"keys", "list"},
                                                          {"keys", "rotate"},
                                                          {"keys", "accept"},
                                                          {"keys", "accepted"},
                                                          {"keys", "revoke"},
                                                          {"archive", "create"},
                                                          {"archive", "list"},
                                                          {"archive", "verify"},
                                                          {"archive", "ls"},
                                                          {"archive", "cat"},
                                                          {"archive", "extract"},
                                                          {"archive", "index"},
                                                          {"archive", "download"},
                                                          {"archive", "delete"},
                                                          {"archive", "sweep"},
                                                          {"archive", "diff"},
                                                          {"archive", "probe"},
                                                          {"dataset", "list"},
                                                          {"dataset", "show"},
                                                          {"dataset", "import"},
                                                          {"dataset", "connect"},
                                                          {"dataset", "upload"},
                                                          {"dataset", "model"},
                                                          {"dataset", "refresh"},
                                                          {"dataset", "pause"},
                                                          {"dataset", "resume"},
                                                          {"dataset", "query"},
                                                          {"dataset", "expire-originals"},
                                                          {"report", "list"},
                                                          {"report", "open"},
                                                          {"alert", "list"},
                                                          {"alert", "evaluate"},
                                                          {"alert", "history"},
                                                          {"user", "list"},
                                                          {"user", "add"},
                                                          {"user", "set-password"},
                                                          {"user", "deactivate"},
                                                          {"user", "role"},
                                                          {"secret", "put"},
                                                          {"secret", "rotate"},
                                                          {"secret", "list"},
                                                          {"secret", "remove"},
                                                          {"secret", "rewrap"},
                                                          {"restore", "plan"},
                                                          {"restore", "run"},
                                                          {"restore", "apply"},
                                                          {"restore", "undo"},
                                                          {"restore", "list"},
                                                          {"restore", "show"},
                                                          {"restore", "sweep"}};
  for (auto command : commands) {
    command.emplace_back("--help");
    const auto finished = oa(command);
    EXPECT_EQ(finished.status, 0);
    EXPECT_NE(finished.out.find("Example:"), std::string::npos) << command[0];
  }
  EXPECT_NE(oa({"--help"}).out.find("Exit status"), std::string::npos);
  EXPECT_EQ(oa({"--version"}).status, 0);
}

TEST(CliUsage, MistakesAreUsageErrors) {
  EXPECT_EQ(oa({}).status, 2);
  EXPECT_EQ(oa({"no-such-command"}).status, 2);
  EXPECT_EQ(oa({"archive", "create"}).status, 2);
  EXPECT_EQ(oa({"demo", "--rows", "-1"}).status, 2);
}

TEST(CliUsage, MistakesAreJsonToo) {
  const auto finished = oa({"--json", "archive", "verify", "a", "--no-such-option"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_EQ(finished.out, "");
  const auto document = parse_json(finished.err.substr(0, finished.err.find('\n')));
  ASSERT_TRUE(document.ok()) << finished.err;
  EXPECT_EQ(text(document->at("error").at("code")), "request/invalid");
  EXPECT_NE(text(document->at("error").at("hint")).find("oa-backup archive verify --help"),
            std::string::npos);
}

TEST(CliUsage, ErrorsAreOneJsonDocumentWhenAsked) {
  const auto finished = oa({"archive", "verify", "/no/such/file", "--json"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(finished.out, "");
  const auto document = parse_json(finished.err.substr(0, finished.err.find('\n')));
  ASSERT_TRUE(document.ok()) << finished.err;
  EXPECT_EQ(text(document->at("error").at("code")), "resource/not-found");
  EXPECT_FALSE(text(document->at("error").at("hint")).empty());
}

// One demo instance for the cases below, made once a process.
class CliDemo : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new testkit::Scratch;
    const auto demo = oa_json({"demo", "--rows", "5000", "--data", data()});
    ASSERT_EQ(demo.at("steps").as_array().size(), 9u);
    archive_ = text(oa_json({"archive", "list", "--tenant", "Demo", "--data", data()})
                        .at("data")
                        .at(1)
                        .at("id"));
  }
  static void TearDownTestSuite() {
    delete scratch_;
    scratch_ = nullptr;
  }
  static std::string data() { return *scratch_ / "data"; }
  static std::string file(const std::string& name) { return *scratch_ / name; }
  static std::vector<std::string> assets(const std::string& kind,
                                         const std::string& tenant = "Demo") {
    std::vector<std::string> ids;
    const auto shown = oa_json({"tenant", "show", tenant, "--data", data()});
    for (const auto& asset : shown.at("assets").as_array()) {
      if (text(asset.at("kind")) == kind) ids.push_back(text(asset.at("id")));
    }
    return ids;
  }
  // A report that the archive holds, as restore names it.
  static std::string archived_report() {
    const auto entries = oa_json({"archive", "ls", archive_, "--tenant", "Demo", "--data", data()});
    for (const auto& entry : entries.at("data").as_array()) {
      const std::string path = text(entry.at("path"));
      const auto at = path.find("/reports/");
      if (at != std::string::npos) return "report:" + path.substr(at + 9, 36);
    }
    return "none";
  }
  static void download(const std::string& name) {
    oa_json({"archive", "download", archive_, "--tenant", "Demo", "--output", file(name), "--data",
             data()});
  }
  static testkit::Scratch* scratch_;
  static std::string archive_;
};
testkit::Scratch* CliDemo::scratch_ = nullptr;
std::string CliDemo::archive_;

TEST_F(CliDemo, ASecondRunKeepsWhatIsThere) {
  const auto before = oa_json({"archive", "list", "--tenant", "Demo", "--data", data()})
                          .at("data")
                          .as_array()
                          .size();
  const auto reports = assets("report").size();
  oa_json({"demo", "--rows", "5000", "--data", data()});
  EXPECT_EQ(oa_json({"archive", "list", "--tenant", "Demo", "--data", data()})
                .at("data")
                .as_array()
                .size(),
            before + 2);
  EXPECT_GE(assets("report").size(), reports);
  EXPECT_EQ(oa_json({"tenant", "list", "--data", data()}).at("data").as_array().size(), 3u);
}

TEST_F(CliDemo, ARestoreShowsItsPlanAndWantsAYes) {
  const std::string asset = archived_report();
  const auto plan = oa_json({"restore", "run", archive_, "--tenant", "Demo", "--asset", asset,
                             "--mode", "fork", "--dry-run", "--data", data()});
  EXPECT_EQ(text(plan.at("plan").at("items").at(0).at("action")), "fork");
  const auto refused = oa({"restore", "run", archive_, "--tenant", "Demo", "--asset", asset,
                           "--mode", "fork", "--data", data()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("--yes"), std::string::npos);
  const auto before = assets("report").size();
  oa_json({"restore", "run", archive_, "--tenant", "Demo", "--asset", asset, "--mode", "fork",
           "--yes", "--data", data()});
  EXPECT_EQ(assets("report").size(), before + 1);
}

TEST_F(CliDemo, AnArchiveIsDeletedOnceSomebodySaysYes) {
  const std::string id =
      text(oa_json({"archive", "create", "--tenant", "Demo", "--data", data()}).at("id"));
  const auto refused = oa({"archive", "delete", id, "--tenant", "Demo", "--data", data()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("archive " + id + " of "), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--yes"), std::string::npos) << refused.err;
  oa_json({"archive", "verify", id, "--tenant", "Demo", "--data", data()});
  const auto gone =
      oa_json({"archive", "delete", id, "--tenant", "Demo", "--yes", "--data", data()});
  EXPECT_EQ(text(gone.at("deleted").at("id")), id);
  for (const auto& name : {id, Uuid::random().str()}) {
    EXPECT_EQ(oa({"archive", "delete", name, "--tenant", "Demo", "--yes", "--data", data()}).status,
              3);
  }
  EXPECT_EQ(oa({"archive", "delete", "x", "--tenant", "Demo", "--yes", "--data", data()}).status,
            2);
  EXPECT_EQ(oa_json({"archive", "sweep", "--tenant", "Demo", "--data", data()})
                .at("objects_removed")
                .as_int64(),
            0);
}

TEST_F(CliDemo, WhatTheArchiveDoesNotHoldIsNamed) {
  const auto finished = oa({"restore", "run", archive_, "--tenant", "Demo", "--asset",
                            "report:" + Uuid::random().str(), "--yes", "--data", data()});
  EXPECT_EQ(finished.status, 3);
  EXPECT_NE(finished.err.find("holds no report"), std::string::npos);
  EXPECT_EQ(oa({"restore", "run", archive_, "--tenant", "Demo", "--asset", "chart:1", "--yes",
                "--data", data()})
                .status,
            2);
  EXPECT_EQ(oa({"restore", "run", archive_, "--tenant", "Demo", "--yes", "--data", data()}).status,
            2);
}

TEST_F(CliDemo, OneTenantCannotReachAnothersArchive) {
  for (const auto& command : {"verify", "ls", "extract"}) {
    const auto finished =
        oa({"archive", command, archive_, "--tenant", "Demo recovered 1", "--data", data(),
            "--json", command == std::string("extract") ? "--output" : "--accept-signer",
            command == std::string("extract") ? file("x") : std::string(64, '0')});
    EXPECT_EQ(finished.status, 3) << command << finished.err;
  }
  EXPECT_EQ(oa({"restore", "run", archive_, "--tenant", "Demo recovered 1", "--all", "--yes",
                "--data", data()})
                .status,
            3);
  EXPECT_EQ(oa_json({"archive", "list", "--tenant", "Demo recovered 1", "--data", data()})
                .at("data")
                .as_array()
                .size(),
            0u);
}

TEST_F(CliDemo, AStrangersSignatureIsRefusedUntilAccepted) {
  download("foreign.oa-archive");
  // Another tenant does not trust Demo's key.
  const auto refused = oa({"restore", "run", file("foreign.oa-archive"), "--tenant",
                           "Demo recovered 1", "--all", "--yes", "--data", data(), "--json"});
  EXPECT_EQ(refused.status, 6);
  EXPECT_NE(refused.err.find("archive/untrusted-signer"), std::string::npos);
  const auto keys = oa_json({"keys", "list", "Demo", "--data", data()});
  const std::string fingerprint = text(keys.at("data").at(0).at("fingerprint"));
  EXPECT_NE(refused.err.find(fingerprint), std::string::npos)
      << "the refusal shows whose signature it is";
  EXPECT_EQ(oa({"restore", "run", file("foreign.oa-archive"), "--tenant", "Demo recovered 1",
                "--all", "--dry-run", "--data", data(), "--accept-signer", fingerprint})
                .status,
            0);
  EXPECT_EQ(
      oa({"archive", "verify", file("foreign.oa-archive"), "--accept-signer", std::string(64, '0')})
          .status,
      6);
}

TEST_F(CliDemo, AnArchiveOfOldKeysStaysTrustedAfterARotation) {
  oa_json({"keys", "rotate", "Demo", "--data", data()});
  EXPECT_EQ(
      oa({"archive", "verify", archive_, "--tenant", "Demo", "--every-signature", "--data", data()})
          .status,
      0);
  const auto made = oa_json({"archive", "create", "--tenant", "Demo", "--data", data()});
  EXPECT_EQ(
      oa({"archive", "verify", text(made.at("id")), "--tenant", "Demo", "--data", data()}).status,
      0);
}

TEST_F(CliDemo, ExtractAndCatAgree) {
  download("e.oa-archive");
  const auto keys = oa_json({"keys", "list", "Demo", "--data", data()});
  std::ofstream(file("demo.pub")) << "untrusted comment: Demo\n"
                                  << text(keys.at("data").at(0).at("public_key")) << "\n";
  oa_json({"archive", "extract", file("e.oa-archive"), "--trust", file("demo.pub"), "--output",
           file("out"), "audit/"});
  const auto cat = oa(
      {"archive", "cat", file("e.oa-archive"), "audit/events.ndjson", "--trust", file("demo.pub")});
  EXPECT_EQ(cat.status, 0);
  EXPECT_EQ(cat.out, testkit::contents_of(file("out/audit/events.ndjson")));
  EXPECT_EQ(oa({"archive", "extract", file("e.oa-archive"), "--trust", file("demo.pub"), "--output",
                file("out")})
                .status,
            4);
  EXPECT_EQ(
      oa({"archive", "cat", file("e.oa-archive"), "no/such", "--trust", file("demo.pub")}).status,
      3);
}

TEST_F(CliDemo, AnEmptyTenantHasAnArchiveTooAndItImports) {
  oa_json({"tenant", "create", "Empty", "--data", data()});
  const auto made =
      oa_json({"archive", "create", "--tenant", "Empty", "--rows", "--audit", "--data", data()});
  EXPECT_EQ(made.at("counts").at("reports").as_int64(), 0);
  EXPECT_EQ(
      oa({"archive", "verify", text(made.at("id")), "--tenant", "Empty", "--data", data()}).status,
      0);
  oa_json({"tenant", "import", text(made.at("id")), "--from-tenant", "Empty", "--name", "Empty 2",
           "--owner", "owner@empty.example", "--data", data()});
  EXPECT_EQ(oa({"tenant", "create", "Empty", "--data", data()}).status, 4);
}

TEST_F(CliDemo, ADamagedFileChangesNothing) {
  download("d.oa-archive");
  std::string bytes = testkit::contents_of(file("d.oa-archive"));
  const auto before = oa_json({"tenant", "show", "Demo", "--data", data()});
  const auto tenants = oa_json({"tenant", "list", "--data", data()});
  for (const double where : {0.0, 0.2, 0.5, 0.8, 0.97, 0.999}) {
    std::string damaged = bytes;
    damaged[static_cast<std::size_t>(where * static_cast<double>(bytes.size()))] ^= 0x20;
    std::ofstream(file("flipped"), std::ios::binary) << damaged;
    EXPECT_EQ(oa({"restore", "run", file("flipped"), "--tenant", "Demo", "--all", "--yes", "--data",
                  data()})
                  .status,
              6)
        << where;
    EXPECT_EQ(oa({"tenant", "import", file("flipped"), "--from-tenant", "Demo", "--name", "X",
                  "--owner", "x@x.example", "--data", data()})
                  .status,
              6)
        << where;
  }
  std::ofstream(file("cut"), std::ios::binary) << bytes.substr(0, bytes.size() * 2 / 3);
  const auto cut = oa({"restore", "run", file("cut"), "--tenant", "Demo", "--all", "--yes",
                       "--data", data(), "--json"});
  EXPECT_EQ(cut.status, 6);
  EXPECT_NE(cut.err.find("archive/truncated"), std::string::npos) << cut.err;
  EXPECT_EQ(oa_json({"tenant", "show", "Demo", "--data", data()}), before);
  EXPECT_EQ(oa_json({"tenant", "list", "--data", data()}), tenants);
}

TEST_F(CliDemo, OutputThatCannotBeWrittenIsAFailureAndAReaderThatLeavesIsNot) {
  const std::string command = std::string(OA_BACKUP) + " tenant list --data " + data();
  EXPECT_EQ(testkit::run({"sh", "-c", command + " >/dev/full"}).status, 8);
  EXPECT_EQ(testkit::run({"bash", "-c", "set -o pipefail; " + command + " | true"}).status, 0);
}

TEST_F(CliDemo, NamesCannotForgeRowsOrDriveTheTerminal) {
  EXPECT_EQ(oa({"tenant", "create", "a\nforged row", "--data", data()}).status, 2);
  const auto refused = oa({"tenant", "show", "\x1b[2J", "--data", data()});
  EXPECT_EQ((refused.out + refused.err).find('\x1b'), std::string::npos);
}

TEST_F(CliDemo, AnImportThatCannotWorkLeavesNoTenant) {
  const auto tenants = oa_json({"tenant", "list", "--data", data()});
  download("i.oa-archive");
  EXPECT_EQ(oa({"tenant", "import", file("i.oa-archive"), "--name", "Y", "--owner", "y@y.example",
                "--data", data()})
                .status,
            6);
  EXPECT_EQ(oa({"tenant", "import", file("i.oa-archive"), "--from-tenant", "Demo", "--name", "Demo",
                "--owner", "y@y.example", "--data", data()})
                .status,
            4);
  EXPECT_EQ(oa_json({"tenant", "list", "--data", data()}), tenants);
}

TEST(CliFirst, TwoFirstCommandsMakeOneInstance) {
  testkit::Scratch scratch;
  const std::string data = scratch / "data";
  testkit::Running one({OA_BACKUP, "tenant", "create", "One", "--data", data});
  testkit::Running two({OA_BACKUP, "tenant", "create", "Two", "--data", data});
  ASSERT_TRUE(one.wait(60000));
  ASSERT_TRUE(two.wait(60000));
  EXPECT_EQ(one.status(), 0);
  EXPECT_EQ(two.status(), 0);
  EXPECT_EQ(oa_json({"tenant", "list", "--data", data}).at("data").as_array().size(), 2u);
}

}  // namespace
}  // namespace oa
