// An archive opens with tools that are not ours.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "testkit/archive_tool.h"
#include "testkit/process.h"
#include "testkit/scratch.h"

namespace oa {
namespace {

namespace fs = std::filesystem;
using testkit::oa_json;
using testkit::run;

TEST(ForeignTools, ZstdTarMinisignAndB2sumVerifyAnArchive) {
  testkit::Scratch scratch;
  const std::string data = scratch / "data", file = scratch / "t.oa-archive", out = scratch / "out";
  oa_json({"demo", "--rows", "5000", "--data", data});
  oa_json({"archive", "create", "--tenant", "Demo", "--rows", "--audit", "--output", file, "--data",
           data});
  const auto keys = oa_json({"keys", "list", "Demo", "--data", data});
  const std::string public_key(keys.at("data").at(0).at("public_key").as_string());

  EXPECT_EQ(run({"zstd", "-t", "-q", file}).status, 0);
  const auto listing = run({"tar", "--zstd", "-tf", file});
  EXPECT_EQ(listing.status, 0) << listing.err;
  fs::create_directory(out);
  ASSERT_EQ(run({"tar", "--zstd", "-xf", file, "-C", out}).status, 0);

  // Every entry has its signature, and minisign accepts it.
  std::size_t signatures = 0;
  std::istringstream paths(listing.out);
  for (std::string path; std::getline(paths, path);) {
    if (path.starts_with("signatures/")) continue;
    const auto verified = run({"minisign", "-V", "-q", "-P", public_key, "-m", out + "/" + path,
                               "-x", out + "/signatures/" + path + ".sig"});
    EXPECT_EQ(verified.status, 0) << path << verified.err << verified.out;
    ++signatures;
  }
  EXPECT_GT(signatures, 30u);
  std::ofstream(out + "/manifest.json", std::ios::app) << " ";
  EXPECT_NE(run({"minisign", "-V", "-q", "-P", public_key, "-m", out + "/manifest.json", "-x",
                 out + "/signatures/manifest.json.sig"})
                .status,
            0);
}

// The chain is checked without a server, in the archive and as lines, and what was altered is found.
TEST(ForeignTools, TheAuditChainIsCheckedByAProgramAlone) {
  testkit::Scratch scratch;
  const std::string data = scratch / "data", file = scratch / "t.oa-archive";
  oa_json({"demo", "--rows", "5000", "--data", data});
  oa_json({"archive", "create", "--tenant", "Demo", "--audit", "--output", file, "--data", data});
  const auto keys = oa_json({"keys", "list", "Demo", "--data", data});
  const std::string key(keys.at("data").at(0).at("public_key").as_string());
  const auto audit = testkit::oa_archive_json({"audit", file, "--trust-key", key});
  EXPECT_TRUE(audit.at("valid").as_bool());
  const auto events = audit.at("events").to_number<std::uint64_t>();
  EXPECT_GT(events, 10u);
  EXPECT_EQ(testkit::oa_archive_json({"verify", file, "--trust-key", key}).at("audit_events"),
            audit.at("events"));

  const std::string tenant(
      testkit::oa_archive_json({"verify", file, "--trust-key", key}).at("tenant_id").as_string());
  const auto lines = testkit::oa_archive({"cat", file, "--trust-key", key, "audit/events.ndjson"}).out;
  const std::string log = scratch / "events.ndjson";
  testkit::write_file(log, lines);
  EXPECT_EQ(testkit::oa_archive_json({"audit-log", log, "--tenant-id", tenant}).at("last_hash"),
            audit.at("last_hash"));
  const auto refusal = [&](std::string text, const std::string& of = "") {
    testkit::write_file(log, text);
    return testkit::archive_tool_refusal(
        {"audit-log", log, "--tenant-id", of.empty() ? tenant : of});
  };
  EXPECT_EQ(refusal(lines, "7d1f0c52-7c5e-4a0e-9a4e-0b6f2a3c9d10"), "audit/chain-broken");
  EXPECT_EQ(refusal(lines.substr(lines.find('\n') + 1)), "audit/chain-broken");
  EXPECT_EQ(refusal("{}\n"), "audit/chain-broken");
  std::string altered = lines;
  altered.replace(altered.find("\"trace_id\":\"") + 12, 1, "X");
  EXPECT_EQ(refusal(altered), "audit/chain-broken");
  EXPECT_EQ(refusal(lines, "nobody"), "request/invalid");
}

TEST(ForeignTools, TheContentHashIsWhatB2sumSays) {
  testkit::Scratch scratch;
  const std::string data = scratch / "data", file = scratch / "t.oa-archive", out = scratch / "out";
  oa_json({"demo", "--rows", "5000", "--data", data});
  const auto made = oa_json({"archive", "create", "--tenant", "Demo", "--rows", "--audit",
                             "--output", file, "--data", data});
  fs::create_directory(out);
  ASSERT_EQ(run({"tar", "--zstd", "-xf", file, "-C", out}).status, 0);
  const auto summed =
      run({"sh", "-c",
           "cd " + out +
               " && LC_ALL=C && export LC_ALL && find . -type f ! -path './signatures/*' ! -path "
               "./manifest.json -printf '%P\\n' | sort | "
               "while IFS= read -r p; do printf '%s %s %s\\n' \"$(b2sum < \"$p\" | cut -d' ' "
               "-f1)\" \"$(stat -c %s \"$p\")\" \"$p\"; done | b2sum | cut -d' ' -f1"});
  EXPECT_EQ(summed.out, std::string(made.at("content_hash").as_string()) + "\n");
}

}  // namespace
}  // namespace oa
